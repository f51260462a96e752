"""Writing the audit, in the writer's transaction."""

import sqlite3
from collections.abc import Sequence
from operator import attrgetter

from domain.audit import AuditEntry, entries_of
from domain.changes import Change
from storage.times import to_micros

SERVER = 0
"""The `chat_id` of the server's own entries."""

_CHAT_ID = attrgetter("chat_id")


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
                chat_id or SERVER,
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
