"""The audit: entries of chats, and those of the server."""

import sqlite3
from collections.abc import Sequence

from domain.acts import AuditDraft
from domain.audit import AuditEntry
from domain.refusals import BadReference
from storage.sqlite.database import Database
from storage.times import from_micros, to_micros

SERVER = 0
"""Stands for the server where entries of a chat have its id."""


class SqliteAudit:
    """See `storage.ports.Audit`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, chat_id: int | None, cursor: str | None, limit: int
    ) -> tuple[Sequence[AuditEntry], str | None]:
        before = 2**63 - 1 if cursor is None else _id_in(cursor)
        return await self._database.read(_page, SERVER if chat_id is None else chat_id, before, limit)

    async def add(self, draft: AuditDraft) -> None:
        if draft.act.audited:
            await self._database.write(lambda writer: add(writer.db, draft))


def add(db: sqlite3.Connection, draft: AuditDraft) -> None:
    """Adds an entry of the server."""
    db.execute(
        "INSERT INTO audit (chat_id, at, actor_id, action, user_id, detail) VALUES (?, ?, ?, ?, ?, ?)",
        (SERVER, to_micros(draft.act.at), draft.act.actor_id, draft.action, draft.user_id, draft.detail),
    )


def _id_in(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 16):
        raise BadReference("cursor")
    return int(cursor)


def _page(
    db: sqlite3.Connection, chat_id: int, before: int, limit: int
) -> tuple[Sequence[AuditEntry], str | None]:
    rows = db.execute(
        "SELECT id, at, actor_id, action, user_id, message_id, detail FROM audit"
        " WHERE chat_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
        (chat_id, before, limit + 1),
    ).fetchall()
    found = [AuditEntry(entry_id, from_micros(at), *more) for entry_id, at, *more in rows[:limit]]
    return found, str(found[-1].id) if len(rows) > limit else None
