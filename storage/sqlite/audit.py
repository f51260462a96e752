"""The audit of chats and of the server."""

import sqlite3
from collections.abc import Sequence

from domain.audit import AuditEntry
from storage.cursor import BEYOND, Cursor
from storage.sqlite.audit_rows import SERVER, write
from storage.sqlite.database import Database
from storage.sqlite.rows import Row
from storage.times import from_micros


class SqliteAudit:
    """See `storage.ports.Audit`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, chat_id: int | None, *, cursor: str | None, limit: int
    ) -> tuple[Sequence[AuditEntry], str | None]:
        before = BEYOND if cursor is None else Cursor.parse(cursor).id
        return await self._database.read(_page, chat_id, before, limit)

    async def add(self, entry: AuditEntry) -> None:
        await self._database.write(lambda writer: write(writer.db, None, [entry]))


def _page(
    db: sqlite3.Connection, chat_id: int | None, before: int, limit: int
) -> tuple[Sequence[AuditEntry], str | None]:
    rows = db.execute(
        "SELECT id, at, actor_id, action, user_id, message_id, detail FROM audit"
        " WHERE chat_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
        (chat_id or SERVER, before, limit + 1),
    )
    found = [_entry_of(row) for row in rows]
    if len(found) <= limit:
        return found, None
    return found[:limit], str(Cursor(0, found[limit - 1].id))


def _entry_of(row: Row) -> AuditEntry:
    entry_id, at, *rest = row
    return AuditEntry(entry_id, from_micros(at), *rest)
