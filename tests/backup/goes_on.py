"""What users of the store of `tests.backup.content` do next, and what comes of it: the same, whatever became of the
store in between."""

from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

from domain.acts import AccountUpdate
from domain.decisions.settings import SettingsRequest
from domain.hooks import Delivery, HookUpdate
from domain.models import Draft
from domain.refusals import Refusal
from domain.search import parse
from storage.errors import NotIndexed
from storage.ports import Store
from storage.search import SearchRequest
from tests.storage.kept import chats_removed, queue, upload
from tests.storage.world import World, at

ANN, BOB, CID, DAN, ROBOT = 1, 2, 3, 4, 5


class GoesOn:
    """`facts` is what came of it, without ids that were given only now: stores give different ones."""

    def __init__(self, store: Store) -> None:
        self.facts: list[Any] = []
        self._store = store
        self._world = World(store)

    async def run(self) -> list[Any]:
        store = self._store
        self._chats = {
            (summary.chat.name or "private").split()[0]: summary.chat.id
            for summary in (await store.chats.list_for(ANN, cursor=None, limit=100))[0]
        }
        self._team = self._chats["Team"]
        await self._accounts()
        await self._repeats()
        await self._messages()
        await self._people()
        await self._invites()
        await self._hooks()
        await self._private()
        await self._files()
        await self._end()
        return self.facts

    def note(self, *facts: Any) -> None:
        self.facts.append(facts)

    async def refused(self, asked: Awaitable[Any]) -> None:
        try:
            await asked
        except Refusal as refusal:
            self.note(type(refusal).__name__, str(refusal))
        else:
            self.note("not refused")

    async def _accounts(self) -> None:
        store, users = self._store, self._store.users
        known = max(await users.get_many(range(1, 100)))
        self._new = await self._world.user("newcomer")
        self.note(
            self._new > known, [user.username for user in await users.search("newc", after_id=0, limit=9)]
        )
        for taken in ("ANN", "user3", "Robot"):
            await self.refused(self._world.user(taken))
        await self.refused(self._world.user("other", email="ann@Example.org"))
        await self.refused(users.update(ANN, AccountUpdate(is_admin=False)))
        await users.update(BOB, AccountUpdate(is_admin=True))
        await users.update(ANN, AccountUpdate(is_admin=False))
        await self.refused(users.update(BOB, AccountUpdate(banned=True)))
        await users.update(ANN, AccountUpdate(is_admin=True))
        bot = await store.bots.create(
            owner_id=ANN, username="robot2", display_name="R", token_id="token2", created_at=at(100)
        )
        self.note(bot.id > self._new, len(await store.bots.of_owner(ANN)))
        token = await store.sessions.get("token_of_robot")
        self.note(token is not None and not token.revoked)
        await store.bots.renew_token(ROBOT, "renewed", at(101))
        for token_id in ("token_of_robot", "renewed"):
            token = await store.sessions.get(token_id)
            self.note(token is not None and token.revoked)

    async def _repeats(self) -> None:
        again = await self._store.messages.append(Draft(self._team, ANN, "other", at(110), client_id="c-1"))
        self.note(again.duplicate, again.message)
        await self.refused(self._send(ROBOT, "again", client_id="c-1"))
        await self.refused(self._world.send(self._chats["News"], ANN, "elsewhere", client_id="c-1"))
        sent = await self._send(ANN, "to be found: wallaby", client_id="c-2")
        self._sent = sent
        page = await self._store.messages.history(self._team, limit=100)
        self.note(sent.seq, sent.changed_seq, [message.content for message in page.messages])
        self.note(sent.id > max(message.id for message in page.messages[:-1]))
        await self._note_found("wallaby")

    async def _messages(self) -> None:
        store, messages = self._store, self._store.messages
        page = await messages.history(self._team, limit=100)
        first, second = page.messages[0], page.messages[1]
        self.note(first, second)
        edited = await messages.edit(first.id, ANN, "edited later @user1", at(120))
        self.note(edited, await messages.versions(first.id), await messages.versions(second.id))
        await messages.edit(second.id, BOB, "edited a third time", at(121))
        self.note(await messages.versions(second.id))
        self.note(await messages.remove_reaction(first.id, ANN, "🎉", at(122)))
        self.note(await messages.add_reaction(first.id, ROBOT, "🎉", at(122)))
        self.note(await messages.pin(second.id, BOB, at(123)))
        self.note(await messages.pins(self._team, limit=10))
        self.note(await messages.unpin(first.id, ANN, at(123)))
        self.note(await messages.delete(second.id, BOB, at(124)))
        self.note(await messages.versions(second.id), await messages.get(second.id))
        reply = await self._send(ANN, "@user1 to what is deleted", reply_to=second.id)
        self.note(reply.seq, reply.reply_to, reply.mentions)
        summary = await store.chats.summary(self._team, BOB)
        self.note(summary.unread_count, summary.unread_mentions, summary.member)
        for up_to in (first.id, None):
            mark = await messages.mark_read(self._team, BOB, up_to)
            self.note(mark.read_seq, mark.moved, mark.unread_count, mark.unread_mentions)
        head = (await store.chats.summary(self._team, ANN)).chat.head_seq
        for seq in range(head):
            replay = await messages.changed_since(self._team, seq, limit=100)
            self.note(seq, [(one.seq, one.changed_seq, one.content, one.deleted) for one in replay])

    async def _people(self) -> None:
        store, chats, moderation = self._store, self._store.chats, self._store.moderation
        await self.refused(chats.add_member(self._team, ANN, CID, "member", at(130)))
        await self.refused(chats.join(self._team, CID, at(130)))
        await moderation.unban(self._team, ANN, CID, at(131))
        await chats.join(self._team, CID, at(132))
        await self.refused(self._send(CID, "one", created_at=at(133)))
        await self.refused(self._send(CID, "too soon", created_at=at(134)))
        await self.refused(self._send(ROBOT, "in time", created_at=at(135)))
        await moderation.mute(self._team, BOB, CID, at(999), at(136))
        await chats.remove_member(self._team, CID, CID, at(137))
        await chats.add_member(self._team, BOB, CID, "member", at(138))
        await self.refused(self._send(CID, "mute", created_at=at(150)))
        await chats.set_role(self._team, ANN, BOB, "owner", at(139))
        await self.refused(chats.remove_member(self._team, CID, BOB, at(140)))
        await store.blocks.unblock(BOB, CID)
        await store.blocks.block(CID, BOB, at(141))
        self.note(
            [await store.blocks.blocked_by(one, after_id=0, limit=9) for one in (ANN, BOB, CID)],
            [
                replace(member, last_read_message_id=None)
                for member in (await chats.members(self._team, cursor=None, limit=100))[0]
            ],
        )
        await chats.create_default(name="Again", owner_id=BOB, created_at=at(142))
        await chats.join_default(self._new, at(143))
        hall = await chats.default_id()
        assert hall is not None
        self.note(hall, (await chats.summary(hall, self._new)).chat.name)

    async def _invites(self) -> None:
        store, invites = self._store, self._store.invites
        for _ in range(5):
            await self.refused(invites.take("of_the_server", at(160)))
        await invites.accept("of_the_team", self._new, at(161))
        self.note([invite.uses for invite in await invites.of_chat(self._team, ANN, at(161))])
        await store.chats.set_role(self._team, ANN, BOB, "member", at(162))
        self.note(await invites.find("of_the_team", at(163)))

    async def _hooks(self) -> None:
        hooks = self._store.hooks
        incoming = await hooks.by_key("key_of_builds")
        assert incoming is not None
        hook = incoming.hook
        posted = await hooks.post(hook.id, Draft(self._team, hook.user_id, "built", at(170), client_id="b"))
        repeated = await hooks.post(hook.id, Draft(self._team, hook.user_id, "built", at(170), client_id="b"))
        self.note(posted.message.seq, repeated.duplicate)
        renamed = await hooks.change(hook.id, ANN, HookUpdate(name="Builder"), at(171))
        user = await self._store.users.get(hook.user_id)
        assert user is not None
        self.note(renamed.hook, user.display_name, user.is_hook)
        (outgoing,) = await hooks.outgoing(limit=9)
        self.note(outgoing)
        lease = await hooks.take(outgoing.state.hook.id, [])
        assert lease is not None
        self.note(await hooks.save_delivery(outgoing.state.hook.id, lease, Delivery(9)))
        await hooks.remove(hook.id, ANN, at(172))
        self.note(await hooks.by_key("key_of_builds"), len(await hooks.of_chat(self._team, ANN)))

    async def _private(self) -> None:
        store = self._store
        chat, is_new = await self._world.make_chat(BOB, ANN, chat_type="private", name=None)
        self.note(chat.id, is_new)
        await self.refused(self._world.chat(BOB, CID, chat_type="private", name=None))
        hidden = await store.chats.list_for(ANN, cursor=None, limit=9, hidden=True)
        await self._world.send(chat.id, BOB, "shown again", created_at=at(180))
        self.note(
            len(hidden[0]), len((await store.chats.list_for(ANN, cursor=None, limit=9, hidden=True))[0])
        )
        await store.chats.change_settings(chat.id, BOB, SettingsRequest("none", True, None, None))
        self.note(await store.chats.member(chat.id, BOB))
        await store.messages.mark_read(chat.id, ANN, None)
        self.note((await store.chats.summary(chat.id, ANN)).unread_count)

    async def _files(self) -> None:
        store = self._store
        used = await store.uploads.used_bytes(ANN)
        self.note(used, await store.uploads.used_bytes(BOB))
        await self.refused(upload(store, ANN, "large", content=b"x" * 10, quota_bytes=used + 9))
        await upload(store, ANN, "fits", content=b"x" * 10, quota_bytes=used + 10)
        await self.refused(self._send(ANN, "", attachments=["photo"]))
        await self.refused(self._send(BOB, "", attachments=["fits"]))
        await self._send(ANN, "", attachments=["fits"])
        await self._send(BOB, "at last", attachments=["unattached"], created_at=at(190))
        first = (await store.messages.history(self._team, limit=100)).messages[0]
        await store.messages.delete(first.id, ANN, at(191))
        await store.users.set_avatar(ANN, None)
        self.note(await queue(store), await store.uploads.used_bytes(ANN), await store.uploads.get("photo"))

    async def _end(self) -> None:
        store = self._store
        entries, _ = await store.audit.page(self._team, cursor=None, limit=100)
        shown = [(entry.action, self._known(entry.actor_id), entry.detail) for entry in entries]
        self.note(
            shown, sorted((entry.id for entry in entries), reverse=True) == [entry.id for entry in entries]
        )
        entries, _ = await store.audit.page(None, cursor=None, limit=100)
        self.note([(entry.action, self._known(entry.actor_id)) for entry in entries])
        await store.chats.delete(self._team, ANN)
        await chats_removed(store)
        counts = await store.counts()
        self.note(counts.chats, counts.messages, await store.uploads.totals(), await queue(store))
        self.note(await store.uploads.used_bytes(ANN), await store.hooks.outgoing(limit=9))

    def _known(self, user_id: int | None) -> object:
        """The user, but for those who are new."""
        return "new" if user_id is not None and user_id >= self._new else user_id

    async def _send(self, user_id: int, content: str, **more: Any) -> Any:
        return await self._world.send(self._team, user_id, content, **({"created_at": at(115)} | more))

    async def _note_found(self, word: str) -> None:
        try:
            found, _ = await self._store.search.messages(ANN, SearchRequest(parse(word), 9))
        except NotIndexed:
            self.note("not indexed")
        else:
            self.note([message.seq for message in found])
