"""Reading messages: one, a page, what changed, the newest."""

import sqlite3
from collections.abc import Sequence
from heapq import merge
from itertools import islice

from domain.models import Message, Page
from storage.pages import END, page_of, sides
from storage.sizes import fitting_messages
from storage.sqlite.rows import message_of

_BELOW = "SELECT * FROM messages WHERE chat_id = ? AND seq < ? AND deleted = 0 ORDER BY seq DESC LIMIT ?"
_FROM = "SELECT * FROM messages WHERE chat_id = ? AND seq >= ? AND deleted = 0 ORDER BY seq LIMIT ?"

# A message that never changed is not deleted, and its two numbers are equal; the others have an index of their own.
_CREATED_SINCE = """
SELECT * FROM messages WHERE chat_id = ? AND seq > ? AND deleted = 0 AND changed_seq = seq ORDER BY seq LIMIT ?
"""
_ALTERED_SINCE = """
SELECT * FROM messages WHERE chat_id = ? AND changed_seq > ? AND changed_seq > seq ORDER BY changed_seq LIMIT ?
"""
_COUNT_CHANGED_SINCE = """
SELECT min(:limit, (
    SELECT count(*) FROM (
        SELECT 1 FROM messages WHERE chat_id = :chat AND seq > :after AND deleted = 0 AND changed_seq = seq LIMIT :limit
    )
) + (
    SELECT count(*) FROM (
        SELECT 1 FROM messages WHERE chat_id = :chat AND changed_seq > :after AND changed_seq > seq LIMIT :limit
    )
))
"""

_PINS = """
SELECT * FROM messages WHERE chat_id = ? AND pinned > 0 AND pinned < ? ORDER BY pinned DESC LIMIT ?
"""


def get(db: sqlite3.Connection, message_id: int) -> Message | None:
    """The message or its tombstone; None also if its chat is gone."""
    row = db.execute(
        "SELECT messages.* FROM messages JOIN chats ON chats.id = messages.chat_id WHERE messages.id = ?",
        (message_id,),
    ).fetchone()
    return message_of(row) if row else None


def newest(db: sqlite3.Connection, chat_id: int) -> Message | None:
    """The newest message that is not deleted."""
    row = db.execute(_BELOW, (chat_id, END, 1)).fetchone()
    return message_of(row) if row else None


def page(
    db: sqlite3.Connection,
    chat_id: int,
    limit: int,
    before_seq: int | None,
    after_seq: int | None,
    around_seq: int | None,
    max_bytes: int | None,
) -> Page:
    """See `storage.ports.Messages.history`. Rows are read one by one, and no further than the page reaches."""
    if not _exists(db, chat_id):
        return Page((), False, False)
    border, below_limit, above_limit = sides(limit, before_seq, after_seq, around_seq)
    below = db.execute(_BELOW, (chat_id, border, below_limit + 1))
    above = db.execute(_FROM, (chat_id, border, above_limit + 1))
    return page_of(map(message_of, below), below_limit, map(message_of, above), above_limit, max_bytes)


def changed_since(
    db: sqlite3.Connection, chat_id: int, after_seq: int, limit: int, max_bytes: int | None
) -> Sequence[Message]:
    """See `storage.ports.Messages.changed_since`."""
    if not _exists(db, chat_id):
        return ()
    # Merged here, row by row: SQLite would first sort all rows of both, 20 MB at worst.
    created = map(message_of, db.execute(_CREATED_SINCE, (chat_id, after_seq, limit)))
    altered = map(message_of, db.execute(_ALTERED_SINCE, (chat_id, after_seq, limit)))
    merged = merge(created, altered, key=lambda message: message.changed_seq)
    return list(fitting_messages(islice(merged, limit), max_bytes))


def count_changed_since(db: sqlite3.Connection, chat_id: int, after_seq: int, limit: int) -> int:
    """See `storage.ports.Messages.count_changed_since`."""
    if not _exists(db, chat_id):
        return 0
    (number,) = db.execute(
        _COUNT_CHANGED_SINCE, {"chat": chat_id, "after": after_seq, "limit": limit}
    ).fetchone()
    return int(number)


def pins(
    db: sqlite3.Connection, chat_id: int, before_seq: int | None, limit: int, max_bytes: int | None
) -> tuple[Sequence[Message], bool]:
    """See `storage.ports.Messages.pins`."""
    if not _exists(db, chat_id):
        return (), False
    rows = db.execute(_PINS, (chat_id, END if before_seq is None else before_seq, limit + 1)).fetchall()
    found = list(fitting_messages(map(message_of, rows[:limit]), max_bytes))
    return found, len(rows) > len(found)


def pin_count(db: sqlite3.Connection, chat_id: int) -> int:
    """How many messages of the chat are pinned."""
    (number,) = db.execute(
        "SELECT count(*) FROM messages WHERE chat_id = ? AND pinned > 0", (chat_id,)
    ).fetchone()
    return int(number)


def _exists(db: sqlite3.Connection, chat_id: int) -> bool:
    """The messages of a deleted chat are removed little by little."""
    return db.execute("SELECT 1 FROM chats WHERE id = ?", (chat_id,)).fetchone() is not None
