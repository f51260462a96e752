"""Public chats, which everybody may find."""

import sqlite3
from collections.abc import Sequence

from domain.models import Chat
from storage.public_pages import LOOKED_AT_MAX, page_of
from storage.sqlite.rows import chat_of


def page(db: sqlite3.Connection, text: str, after_id: int, limit: int) -> tuple[Sequence[Chat], int | None]:
    """See `storage.ports.Chats.public`."""
    rows = db.execute(
        "SELECT * FROM chats WHERE is_public = 1 AND id > ? ORDER BY id LIMIT ?", (after_id, LOOKED_AT_MAX)
    )
    return page_of(map(chat_of, rows), text, limit)
