"""The audit of chats and of the server."""

import sqlite3
from collections.abc import Sequence
from operator import attrgetter

from domain.audit import AuditEntry, entries_of
from domain.changes import Change
from storage.cursor import BEYOND, Cursor
from storage.sqlite.database import Database
from storage.sqlite.rows import Row
from storage.times import from_micros, to_micros

_SERVER = 0
"""The `chat_id` of the server's own entries."""


_CHAT_ID = attrgetter("chat_id")


class SqliteAudit:
    """See `storage.ports.Audit`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, chat_id: int | None, *, cursor: str | None, limit: int
    ) -> tuple[Sequence[AuditEntry], str | None]:
        before = BEYOND if cursor is None else Cursor.parse(cursor).id
        return await self._database.read(_page, chat_id, before, limit)


def write_change(db: sqlite3.Connection, change: Change) -> None:
    """Adds what the audit of the chat tells of a change, in the writer's transaction."""
    entries = entries_of(change)
    if entries:
        write(db, _CHAT_ID(change), entries)


def write(db: sqlite3.Connection, chat_id: int | None, entries: Sequence[AuditEntry]) -> None:
    """Adds entries of a chat, or of the server (None), in the writer's transaction. The store numbers them."""
    db.executemany(
        "INSERT INTO audit (chat_id, at, actor_id, action, user_id, message_id, detail)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                chat_id or _SERVER,
                to_micros(entry.at),
                entry.actor_id,
                entry.action,
                entry.user_id,
                entry.message_id,
                entry.detail,
            )
            for entry in entries
        ],
    )


def _page(
    db: sqlite3.Connection, chat_id: int | None, before: int, limit: int
) -> tuple[Sequence[AuditEntry], str | None]:
    rows = db.execute(
        "SELECT id, at, actor_id, action, user_id, message_id, detail FROM audit"
        " WHERE chat_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
        (chat_id or _SERVER, before, limit + 1),
    )
    found = [_entry_of(row) for row in rows]
    if len(found) <= limit:
        return found, None
    return found[:limit], str(Cursor(0, found[limit - 1].id))


def _entry_of(row: Row) -> AuditEntry:
    entry_id, at, *rest = row
    return AuditEntry(entry_id, from_micros(at), *rest)
