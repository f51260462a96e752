"""The records of a chat."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

from domain.hook_changes import HookAdded
from domain.invites import InviteMade
from storage.backup import records
from storage.backup.batches import in_batches
from storage.backup_ports import BATCH_RECORDS, Batch
from storage.backup_records import AuditRecord, HookRecord, InviteRecord
from storage.mongo import hook_documents, invite_documents
from storage.mongo.audit import ENTRIES_PER_ROW, SERVER, entry_of
from storage.mongo.backup.chat_cut import ChatCut
from storage.mongo.backup.message_reader import MessageReader
from storage.mongo.database import Database
from storage.mongo.log import Log


class ChatReader:
    """Reads chats one after the other."""

    def __init__(self, database: Database, log: Log) -> None:
        self._database = database
        self._log = log

    async def read(self, cut: ChatCut) -> AsyncIterator[Batch]:
        """By `CHAT_KINDS`, as the cut says. Raises: `Unavailable`."""
        chat, chat_id = cut.chat, cut.chat.id
        user_ids = [member.user_id for member in cut.members] if chat.chat_type == "private" else None
        for batch in _state(cut, records.chat_record(chat, user_ids)):
            yield batch
        for batch in in_batches("invite", chat_id, await self._invites(cut)):
            yield batch
        for batch in in_batches("hook", chat_id, await self._hooks(cut)):
            yield batch
        async for some in MessageReader(self._database, self._log, cut).read():
            for batch in in_batches("message", chat_id, some):
                yield batch
        async for batch in audit_batches(self._database, chat_id, up_to=(cut.n + 1) * ENTRIES_PER_ROW):
            yield batch

    async def _invites(self, cut: ChatCut) -> list[InviteRecord]:
        if InviteMade.kind.name not in cut.kinds:  # nobody ever made one
            return []
        return await invite_records(self._database, cut.chat.id)

    async def _hooks(self, cut: ChatCut) -> list[HookRecord]:
        """A hook may be further by now than the chat was."""
        if HookAdded.kind.name not in cut.kinds:
            return []
        found: list[HookRecord] = []
        for document in await hook_documents.documents_of(self._database, cut.chat.id):
            delivery = await hook_documents.delivery(self._database, document["id"])
            delivery = replace(delivery, position=min(delivery.position, cut.chat.head_seq))
            hook = hook_documents.hook_of(document)
            found.append(records.hook_record(hook, delivery, document["key_hash"], document["secret"]))
        return found


async def invite_records(database: Database, chat_id: int | None) -> list[InviteRecord]:
    """The invites of a chat, or of the server, by code."""
    invites = await invite_documents.of_chat(database, chat_id)
    return [records.invite_record(one) for one in sorted(invites, key=lambda invite: invite.code)]


async def audit_batches(
    database: Database, chat_id: int | None, *, up_to: int | None = None
) -> AsyncIterator[Batch]:
    """The audit of a chat, or of the server, the oldest entry first, without ids from `up_to` on."""
    after, stored_id = 0, SERVER if chat_id is None else chat_id
    while True:
        span = {"$gt": after} if up_to is None else {"$gt": after, "$lt": up_to}
        found = await database.find(
            database.audit, {"chat_id": stored_id, "id": span}, sort=[("id", 1)], limit=BATCH_RECORDS
        )
        entries: list[AuditRecord] = [records.audit_record(chat_id, entry_of(one)) for one in found]
        for batch in in_batches("audit", chat_id, entries):
            yield batch
        if len(found) < BATCH_RECORDS:
            return
        after = found[-1]["id"]


def _state(cut: ChatCut, record: object) -> Iterator[Batch]:
    chat_id = cut.chat.id
    yield from in_batches("chat", chat_id, [record])
    yield from in_batches("member", chat_id, (records.member_record(chat_id, one) for one in cut.members))
    yield from in_batches("mute", chat_id, (records.mute_record(chat_id, *one) for one in cut.mutes.items()))
    yield from in_batches("ban", chat_id, (records.ban_record(chat_id, one) for one in cut.bans.values()))
