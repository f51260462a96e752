"""The messages of a chat as they were at its cut, whatever nodes do to them meanwhile.

The document of a message that has changed since, or that is gone with its chat, does not say what the message was; its
row in the log does. What a deletion has removed from the log by then is not in the backup: the message is deleted.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime

from domain.models import Message, Version
from domain.tombstones import tombstone
from storage.backup.records import message_record
from storage.backup_records import MessageRecord
from storage.mongo.backup.chat_cut import ChatCut
from storage.mongo.backup.chat_documents import ChatDocuments
from storage.mongo.backup.log_index import LogIndex, read_index
from storage.mongo.database import Database, Document
from storage.mongo.documents import message_of
from storage.mongo.log import Log
from storage.times import from_micros

AT_ONCE = 500
"""How many messages are read at once."""


class MessageReader:
    """Reads the messages of one chat."""

    def __init__(self, database: Database, log: Log, cut: ChatCut) -> None:
        self._database = database
        self._log = log
        self._cut = cut
        self._documents = ChatDocuments(database, cut.chat.id)

    async def read(self) -> AsyncIterator[Sequence[MessageRecord]]:
        """By `seq`, some at a time. Raises: `Unavailable`."""
        index = await read_index(self._documents, self._cut.n)
        for start in range(0, len(index.ids), AT_ONCE):
            yield await self._some(index, range(start, min(start + AT_ONCE, len(index.ids))))

    async def _some(self, index: LogIndex, places: range) -> Sequence[MessageRecord]:
        messages = await self._states([index.ids[place] for place in places])
        rows = {
            message.id: index.before(place)
            for place, message in zip(places, messages, strict=True)
            if message.edited_at is not None and not message.deleted
        }
        versions, deleted = await self._versions({one: ns for one, ns in rows.items() if ns})
        messages = [tombstone(one) if one.id in deleted else one for one in messages]
        attached = [upload.id for message in messages for upload in message.attachments]
        times = await self._uploaded_at(attached) if attached else None
        return [message_record(message, versions.get(message.id, ()), times) for message in messages]

    async def _states(self, message_ids: Sequence[int]) -> Sequence[Message]:
        found = await self._documents.messages(message_ids)
        return [await self._state(*one) for one in zip(message_ids, found, strict=True)]

    async def _state(self, message_id: int, document: Document | None) -> Message:
        newest, head_seq = self._cut.newest.get(message_id), self._cut.chat.head_seq
        if document is not None and document["changed_seq"] <= head_seq:
            message = message_of(document)
            return message if newest is None or newest.changed_seq <= message.changed_seq else newest
        if newest is not None:
            return newest
        state = await self._log.state(message_id, 0, head_seq)
        assert state is not None  # the row that created the message
        return tombstone(state) if document is None or document["deleted"] else state

    async def _versions(
        self, rows: Mapping[int, Sequence[int]]
    ) -> tuple[Mapping[int, Sequence[Version]], Collection[int]]:
        """What messages said before their last edits, given the numbers of the rows with that; and those of the
        messages that are deleted by now, so that their rows may say nothing."""
        found = iter(await self._documents.rows([n for ns in rows.values() for n in ns]))
        versions: dict[int, Sequence[Version]] = {}
        deleted: set[int] = set()
        for message_id, ns in rows.items():
            states = [message_of(row["message"]) for _ in ns if (row := next(found)) is not None]
            versions[message_id] = [Version(state.content, state.edited_at) for state in states]
            is_scrubbed = not all(state.content or state.attachments for state in states)
            if is_scrubbed and await self._log.is_deleted(message_id):
                deleted.add(message_id)
                del versions[message_id]
        return versions, deleted

    async def _uploaded_at(self, upload_ids: Sequence[str]) -> Mapping[str, datetime]:
        database = self._database
        found = await database.get_each(database.uploads, upload_ids)
        return {one["_id"]: from_micros(one["created_at"]) for one in found if one is not None}
