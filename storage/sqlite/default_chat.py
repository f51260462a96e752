"""The default chat of the server: its id is noted with its creation, for ever."""

import sqlite3
from datetime import datetime

from domain.decisions import chats, invites
from storage.sqlite.writer import Writer

_KEY = "default_chat"


def create(writer: Writer, name: str, owner_id: int, created_at: datetime) -> None:
    """See `storage.ports.Chats.create_default`."""
    if noted(writer.db) is None:
        created = chats.create(writer.chats, name, "group", owner_id, (), created_at, is_public=True)
        chat, _ = writer.carry_out(created)
        note(writer.db, chat.id)


def join(writer: Writer, user_id: int, joined_at: datetime) -> None:
    """See `storage.ports.Chats.join_default`."""
    chat_id = noted(writer.db)
    if chat_id is not None and writer.chats.find_chat(chat_id) is not None:
        writer.carry_out(invites.enter(writer.chats, chat_id, user_id, joined_at))


def existing(db: sqlite3.Connection) -> int | None:
    """See `storage.ports.Chats.default_id`."""
    query = (
        "SELECT chats.id FROM meta JOIN chats ON chats.id = CAST(meta.value AS INTEGER) WHERE meta.key = ?"
    )
    found = db.execute(query, (_KEY,)).fetchone()
    return int(found[0]) if found else None


def note(db: sqlite3.Connection, chat_id: int) -> None:
    """Notes for ever which chat it is."""
    db.execute("INSERT INTO meta (key, value) VALUES (?, ?)", (_KEY, str(chat_id)))


def noted(db: sqlite3.Connection) -> int | None:
    """The id of the chat, which may be deleted by now; None if it was never created."""
    found = db.execute("SELECT value FROM meta WHERE key = ?", (_KEY,)).fetchone()
    return int(found[0]) if found else None
