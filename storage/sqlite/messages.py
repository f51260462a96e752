"""Messages: sending, changing and reading them."""

from asyncio import Future
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from domain.changes import MessageDeleted, MessageEdited
from domain.models import Appended, Draft, Message, Page, Permission, ReadMark
from storage.errors import NotFound
from storage.sqlite import history
from storage.sqlite.database import Database
from storage.sqlite.reads import mark_read
from storage.sqlite.rows import micros
from storage.sqlite.sends import Send
from storage.sqlite.writer import Write, Writer


class SqliteMessages:
    """See `storage.ports.Messages`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, draft: Draft, rule: Permission) -> "Future[Appended]":
        return self._database.submit(Send(draft, rule))

    def edit(
        self, message_id: int, user_id: int, content: str, edited_at: datetime, rule: Permission
    ) -> "Future[Message]":
        def action(writer: Writer) -> Message:
            return _edit(writer, message_id, user_id, content, edited_at, rule)

        return self._database.submit(Write(action, weight=len(content)))

    def delete(
        self, message_id: int, user_id: int, deleted_at: datetime, rule: Permission
    ) -> "Future[Message]":
        return self._database.write(_delete, message_id, user_id, deleted_at, rule)

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


def _changeable(writer: Writer, message_id: int, user_id: int, rule: Permission) -> Message:
    """The message as it is. Raises: `NotFound`; what the rule raises."""
    message = history.get(writer.db, message_id)
    if message is None:
        raise NotFound(f"message {message_id}")
    actor = writer.actor(message.chat_id, user_id)
    if message.deleted:
        raise NotFound(f"message {message_id}")
    writer.judge(rule, replace(actor, message=message))
    return message


def _edit(
    writer: Writer, message_id: int, user_id: int, content: str, edited_at: datetime, rule: Permission
) -> Message:
    old = _changeable(writer, message_id, user_id, rule)
    if old.content == content:
        return old
    new = replace(old, content=content, edited_at=edited_at, changed_seq=writer.next_seq(old.chat_id))
    writer.db.execute(
        "INSERT INTO versions (message_id, content, edited_at) VALUES (?, ?, ?)",
        (old.id, old.content, None if old.edited_at is None else micros(old.edited_at)),
    )
    writer.db.execute(
        "UPDATE messages SET content = ?, edited_at = ?, changed_seq = ? WHERE id = ?",
        (content, micros(edited_at), new.changed_seq, new.id),
    )
    writer.tell(MessageEdited(new))
    return new


def _delete(writer: Writer, message_id: int, user_id: int, deleted_at: datetime, rule: Permission) -> Message:
    old = _changeable(writer, message_id, user_id, rule)
    tombstone = replace(
        old,
        content="",
        reactions=None,
        attachments=(),
        deleted=True,
        changed_seq=writer.next_seq(old.chat_id),
    )
    writer.db.execute("DELETE FROM versions WHERE message_id = ?", (old.id,))
    writer.db.execute(
        "UPDATE messages SET content = '', extra = NULL, deleted = 1, deleted_at = ?, changed_seq = ? WHERE id = ?",
        (micros(deleted_at), tombstone.changed_seq, old.id),
    )
    writer.tell(MessageDeleted(tombstone))
    return tombstone
