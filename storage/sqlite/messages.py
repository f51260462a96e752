"""Messages: sending, changing and reading them."""

from asyncio import Future
from collections.abc import Sequence
from datetime import datetime

from domain.decisions import messages
from domain.models import Appended, Draft, Message, Page, ReadMark
from storage.sqlite import history
from storage.sqlite.database import Database
from storage.sqlite.reads import mark_read
from storage.sqlite.sends import Send
from storage.sqlite.writer import Write, Writer
from storage.times import to_micros


class SqliteMessages:
    """See `storage.ports.Messages`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, draft: Draft) -> "Future[Appended]":
        return self._database.submit(Send(draft))

    def edit(self, message_id: int, user_id: int, content: str, edited_at: datetime) -> "Future[Message]":
        def action(writer: Writer) -> Message:
            edited: Message = writer.decide(
                lambda view: messages.edit(view, message_id, user_id, content, edited_at)
            )
            return edited

        return self._database.submit(Write(action, weight=len(content)))

    def delete(self, message_id: int, user_id: int, deleted_at: datetime) -> "Future[Message]":
        return self._database.write(_delete, message_id, user_id, deleted_at)

    def mark_read(self, chat_id: int, user_id: int, up_to: int | None) -> "Future[ReadMark]":
        return self._database.write(mark_read, chat_id, user_id, up_to)

    async def get(self, message_id: int) -> Message | None:
        return await self._database.read(history.get, message_id)

    async def history(
        self,
        chat_id: int,
        *,
        limit: int,
        before_seq: int | None = None,
        after_seq: int | None = None,
        around_seq: int | None = None,
        max_bytes: int | None = None,
    ) -> Page:
        return await self._database.read(
            history.page, chat_id, limit, before_seq, after_seq, around_seq, max_bytes
        )

    async def changed_since(
        self, chat_id: int, after_seq: int, *, limit: int, max_bytes: int | None = None
    ) -> Sequence[Message]:
        return await self._database.read(history.changed_since, chat_id, after_seq, limit, max_bytes)

    async def count_changed_since(self, chat_id: int, after_seq: int, *, limit: int) -> int:
        return await self._database.read(history.count_changed_since, chat_id, after_seq, limit)


def _delete(writer: Writer, message_id: int, user_id: int, deleted_at: datetime) -> Message:
    tombstone: Message = writer.apply(messages.delete(writer.view, message_id, user_id))
    writer.db.execute(
        "UPDATE messages SET deleted_at = ? WHERE id = ?", (to_micros(deleted_at), tombstone.id)
    )
    return tombstone
