"""Public chats, which everybody may find."""

import sqlite3
from collections.abc import Sequence

from domain.models import Chat
from storage import public_pages
from storage.sqlite.rows import chat_of


def page(db: sqlite3.Connection, text: str, after_id: int, limit: int) -> tuple[Sequence[Chat], int | None]:
    """See `storage.ports.Chats.public`."""
    looked_at = public_pages.to_look_at(text, limit)
    rows = db.execute(
        "SELECT * FROM chats WHERE is_public = 1 AND id > ? ORDER BY id LIMIT ?",
        (after_id, looked_at),
    )
    chats = list(map(chat_of, rows))
    end = public_pages.end_of([chat.id for chat in chats], looked_at)
    return public_pages.page_of(chats, text, limit, end=end)
