"""Public chats, which everybody may find."""

import sqlite3
from collections.abc import Sequence

from domain.models import Chat
from storage import public_pages
from storage.sqlite.rows import chat_of


def page(db: sqlite3.Connection, text: str, after_id: int, limit: int) -> tuple[Sequence[Chat], int | None]:
    """See `storage.ports.Chats.public`."""
    rows = db.execute(
        "SELECT * FROM chats WHERE is_public = 1 AND id > ? ORDER BY id LIMIT ?",
        (after_id, public_pages.LOOKED_AT_MAX),
    )
    chats = list(map(chat_of, rows))
    return public_pages.page_of(chats, text, limit, end=public_pages.end_of([chat.id for chat in chats]))
