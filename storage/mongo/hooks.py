"""Hooks."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from domain.changes import Change, UserChanged
from domain.decisions import hooks as decisions
from domain.decisions.view import MemberView
from domain.hooks import Delivery, Hook, HookState, HookUpdate, OutgoingHook
from domain.models import Actor, Appended, Draft
from domain.permissions import check_hooks
from domain.refusals import NotFound, Refusal
from storage.mongo import chat_list, hook_documents, hook_leases
from storage.mongo.account_writes import AccountWriter, Publish
from storage.mongo.chat_view import accounts_of
from storage.mongo.chat_writes import ChatWrite
from storage.mongo.database import Database, Document
from storage.mongo.documents import user_of
from storage.mongo.ids import Ids
from storage.mongo.message_run import MessageWrite
from storage.mongo.writer import Writer
from storage.promise import Promise


class MongoHooks:
    """See `storage.hook_ports.Hooks`. What a chat's hooks are is decided on its log."""

    def __init__(
        self, database: Database, ids: Ids, writer: Writer, accounts: AccountWriter, incarnation: str
    ) -> None:
        self._database = database
        self._ids = ids
        self._writer = writer
        self._accounts = accounts
        self._incarnation = incarnation

    async def create(self, hook: Hook, *, key_hash: str | None = None, secret: str | None = None) -> Hook:
        (hook_id,), (user_id,) = await self._ids.take("hooks"), await self._ids.take("users")
        made = replace(hook, id=hook_id, user_id=user_id)
        await hook_documents.insert(self._database, made, key_hash, secret)
        try:
            await self._writer.submit(ChatWrite(made.chat_id, lambda view: decisions.add(view, made)))
        except Refusal:
            await hook_documents.take_back(self._database, made)
            raise
        return made

    async def of_chat(self, chat_id: int, user_id: int) -> Sequence[HookState]:
        check_hooks(await chat_list.actor(self._database, chat_id, user_id))
        return [await self._state(hook) for hook in await hook_documents.of_chat(self._database, chat_id)]

    async def get(self, hook_id: int) -> HookState | None:
        hook = await hook_documents.get(self._database, hook_id)
        return None if hook is None else await self._state_unless_deleted(hook)

    async def change(self, hook_id: int, user_id: int, update: HookUpdate, at: datetime) -> HookState:
        return await self._decide(
            hook_id, lambda view, chat_id: decisions.change(view, chat_id, hook_id, user_id, update, at)
        )

    async def renew_key(
        self,
        hook_id: int,
        user_id: int,
        at: datetime,
        *,
        key_hash: str | None = None,
        secret: str | None = None,
    ) -> HookState:
        hook = await self._hook(hook_id)
        check_hooks(await chat_list.actor(self._database, hook.chat_id, user_id))
        # Before the change is published: who delivers reads the secret then.
        await hook_documents.set_key(self._database, hook_id, key_hash, secret)
        return await self._decide(
            hook_id, lambda view, chat_id: decisions.renew_key(view, chat_id, hook_id, user_id, at)
        )

    async def remove(self, hook_id: int, user_id: int, at: datetime) -> None:
        hook = await self._hook(hook_id)
        await self._writer.submit(
            ChatWrite(hook.chat_id, lambda view: decisions.remove(view, hook.chat_id, hook_id, user_id, at))
        )
        await self._tell(hook.user_id)

    async def by_key(self, key_hash: str) -> HookState | None:
        hook = await hook_documents.by_key(self._database, key_hash)
        return None if hook is None else await self._state_unless_deleted(hook)

    def post(self, hook_id: int, draft: Draft) -> Promise[Appended]:
        return self._writer.submit(
            MessageWrite(
                lambda view: decisions.post(view, hook_id, draft),
                self._writer.mark(),
                message_id=draft.reply_to,
                draft=draft,
                content=draft.content,
                weight=len(draft.content),
                hook_id=hook_id,
            )
        )

    async def outgoing(self, *, after_id: int = 0, limit: int) -> Sequence[OutgoingHook]:
        found = await hook_documents.outgoing(self._database, after_id, limit)
        return [await self._outgoing(document) for document in found]

    async def outgoing_hook(self, hook_id: int) -> OutgoingHook | None:
        document = await hook_documents.document_of(self._database, hook_id)
        if document is None or document["kind"] != "outgoing":
            return None
        return await self._outgoing(document)

    async def take(self, hook_id: int, living: Collection[str]) -> int | None:
        return await hook_leases.take(self._database, hook_id, self._incarnation, living)

    async def save_delivery(self, hook_id: int, lease: int, delivery: Delivery) -> bool:
        if not await hook_leases.is_last(self._database, hook_id, lease):
            return False
        wanted = {"_id": str(hook_id), "lease": lease}
        change = {"$set": hook_documents.delivery_document(delivery)}
        saved = await self._database.with_retry(
            lambda: self._database.hook_deliveries.update_one(wanted, change)
        )
        return bool(saved.matched_count)

    async def _decide(self, hook_id: int, decision: Callable[[MemberView, int], Change | Hook]) -> HookState:
        """The hook after the decision, which gets the id of its chat. Raises: `NotFound`, and as the decision."""
        before = await self._hook(hook_id)
        after: Hook = await self._writer.submit(
            ChatWrite(before.chat_id, lambda view: decision(view, before.chat_id))
        )
        if after.name != before.name:
            await self._tell(after.user_id)
        return await self._state(after)

    async def _tell(self, user_id: int) -> None:
        """Publishes the user of a hook as they are now."""

        async def action(publish: Publish) -> None:
            document = await self._database.get(self._database.users, str(user_id))
            assert document is not None
            publish(UserChanged(user_of(document), shown=True))

        await self._accounts.write(f"user {user_id}", action)

    async def _hook(self, hook_id: int) -> Hook:
        """Raises: `NotFound`."""
        hook = await hook_documents.get(self._database, hook_id)
        if hook is None:
            raise NotFound(f"hook {hook_id}")
        return hook

    async def _outgoing(self, document: Document) -> OutgoingHook:
        return OutgoingHook(await self._state(hook_documents.hook_of(document)), document["secret"])

    async def _state_unless_deleted(self, hook: Hook) -> HookState | None:
        """None for a hook whose chat is deleted: what is left of the chat is removed some time later."""
        state = await self._state(hook)
        if not state.has_maker:
            chat = await self._database.get(self._database.chats, str(hook.chat_id))
            if chat is None or chat["deleted"]:
                return None
        return state

    async def _state(self, hook: Hook) -> HookState:
        """By what is projected: that is all that any node has acked."""
        maker: Actor | None
        try:
            maker = await chat_list.actor(self._database, hook.chat_id, hook.created_by)
        except NotFound:
            maker = None
        account = (await accounts_of(self._database, [hook.created_by])).get(hook.created_by)
        has_maker = decisions.maker_manages(maker, is_active=account is not None and account.active)
        delivery = Delivery()
        if hook.kind == "outgoing":
            delivery = await hook_documents.delivery(self._database, hook.id)
        return HookState(hook, delivery, has_maker)
