"""A database in use, and everything of it that users see."""

from typing import Any

from domain.models import Message, Version
from storage.ports import Store
from tests.storage.world import World, at

LIMIT = 100


async def fill(store: Store) -> None:
    """Users of each kind, sessions, private chats, groups and channels, messages in each state, and read marks."""
    world = World(store)
    anna, boris, carl = await world.users(3)
    await world.user("bot", is_bot=True)
    banned, gone = await world.user("banned"), await world.user("gone", email="gone@x.y")
    await store.users.seen(boris, at(5))
    for number, session_id in enumerate(("open", "ended"), 1):
        await store.sessions.create(
            session_id=session_id,
            user_id=anna,
            token_hash=f"t{number}",
            expires_at=at(1000),
            created_at=at(1),
        )
    await store.sessions.revoke("ended")
    await store.sessions.rotate("t1", new_hash="t3", expires_at=at(2000), now=at(2), grace_s=30)
    talk = await world.chat(anna, boris, chat_type="private", name=None)
    await world.send(talk, anna, "hello")
    lobby = await world.chat(anna, boris, banned, gone, name="Lobby")
    channel = await world.chat(carl, anna, chat_type="channel", name="News")
    await world.chat(anna, carl, chat_type="private", name=None)  # an empty one
    await world.chat(boris, name="Empty")
    sent = [
        await world.send(lobby, one, f"m{one}", client_id=f"c{one}") for one in (anna, boris, banned, gone)
    ]
    await world.send(lobby, anna, "answer", reply_to=sent[0].id)
    await world.send(channel, carl, "news")
    await store.messages.edit(sent[0].id, anna, "edited", at(3))
    await store.messages.edit(sent[0].id, anna, "edited twice", at(4))
    await store.messages.delete(sent[1].id, boris, at(5))
    await store.messages.mark_read(lobby, boris, sent[0].id)
    await store.messages.mark_read(talk, boris, None)
    await store.chats.add_member(lobby, anna, carl, "admin", at(6))
    await store.users.set_banned(banned, True)
    await store.users.delete(gone)


async def everything(store: Store) -> dict[str, Any]:
    """What users see: accounts, sessions, lists of chats with unread counts, members with marks, messages."""
    users = await store.users.get_many(range(1, LIMIT))
    chat_ids = sorted({chat_id for user_id in users for chat_id in await store.chats.ids_of(user_id)})
    return {
        "users": sorted(users.values(), key=lambda user: user.id),
        "sessions": [await store.sessions.get(one) for one in ("open", "ended")],
        "lists": {one: await store.chats.list_for(one, cursor=None, limit=LIMIT) for one in users},
        "chats": [await store.chats.load(chat_id) for chat_id in chat_ids],
        "members": [await store.chats.members(one, cursor=None, limit=LIMIT) for one in chat_ids],
        "changed": [await store.messages.changed_since(one, 0, limit=LIMIT) for one in chat_ids],
        "history": [await store.messages.history(one, limit=LIMIT) for one in chat_ids],
        "versions": [await store.messages.versions(one) for one in range(1, LIMIT)],
    }


async def check_goes_on(store: Store) -> None:
    """Tokens and members of before can go on: a refresh, a message, a repeated one, a new member, edits and mentions of
    old messages."""
    world = World(store)
    session = await store.sessions.rotate("t3", new_hash="t4", expires_at=at(3000), now=at(9), grace_s=30)
    anna = session.user_id
    for chat_id in await store.chats.ids_of(anna):
        summary = await store.chats.summary(chat_id, anna)
        if summary.chat.chat_type != "group":
            continue
        sent: Message = await world.send(chat_id, anna, "goes on")
        assert sent.seq == summary.chat.head_seq + 1
        again = await world.send(chat_id, anna, f"m{anna}", client_id=f"c{anna}")
        assert again.seq == 1
        await store.chats.add_member(chat_id, anna, await world.user("new"), "member", at(10))
        before = await store.messages.versions(again.id)
        assert before is not None
        edited = await store.messages.edit(again.id, anna, "@user3 @NEW", at(11))
        (carl,) = await store.users.search("user3", after_id=0, limit=2)
        assert await store.messages.versions(again.id) == [*before, Version("@user3 @NEW", at(11))]
        assert edited.mentions[0] == carl.id
        assert len(edited.mentions) == 2
        await world.send(chat_id, anna, "@user3")
        assert (await store.chats.summary(chat_id, carl.id)).unread_mentions == 1
