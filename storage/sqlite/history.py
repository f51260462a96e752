"""Reading messages: one, a stretch, what changed, the newest."""

import sqlite3
from collections.abc import Sequence

from storage.models import Message, Page
from storage.sqlite.rows import message_of

_BELOW = "SELECT * FROM messages WHERE chat_id = ? AND seq < ? AND deleted = 0 ORDER BY seq DESC LIMIT ?"
_FROM = "SELECT * FROM messages WHERE chat_id = ? AND seq >= ? AND deleted = 0 ORDER BY seq LIMIT ?"
_END = 2**62

# What is as it was created is not deleted, and its number is its place; the rest has an index of its own.
_CHANGED_SINCE = """
SELECT * FROM (
    SELECT * FROM messages WHERE chat_id = :chat AND seq > :after AND deleted = 0 AND changed_seq = seq
    ORDER BY seq LIMIT :limit
) UNION ALL SELECT * FROM (
    SELECT * FROM messages WHERE chat_id = :chat AND changed_seq > :after AND changed_seq > seq
    ORDER BY changed_seq LIMIT :limit
) ORDER BY changed_seq LIMIT :limit
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
    row = db.execute(_BELOW, (chat_id, _END, 1)).fetchone()
    return message_of(row) if row else None


def page(
    db: sqlite3.Connection,
    chat_id: int,
    limit: int,
    before_seq: int | None,
    after_seq: int | None,
    around_seq: int | None,
) -> Page:
    """See `storage.ports.Messages.history`. A page is what lies on both sides of a border: the last messages below
    it and the first ones from it on."""
    if not _exists(db, chat_id):
        return Page((), False, False)
    if after_seq is not None:
        border, below_limit, from_limit = after_seq + 1, 0, limit
    elif around_seq is not None:
        border, below_limit, from_limit = around_seq, limit // 2, limit - limit // 2
    else:
        border, below_limit, from_limit = _END if before_seq is None else before_seq, limit, 0
    # One more than wanted on each side tells whether there is more.
    below = db.execute(_BELOW, (chat_id, border, below_limit + 1)).fetchall()
    above = db.execute(_FROM, (chat_id, border, from_limit + 1)).fetchall()
    rows = below[below_limit - 1 :: -1] if below_limit else []
    return Page(
        messages=[message_of(row) for row in (*rows, *above[:from_limit])],
        has_more_before=len(below) > below_limit,
        has_more_after=len(above) > from_limit,
    )


def changed_since(db: sqlite3.Connection, chat_id: int, after_seq: int, limit: int) -> Sequence[Message]:
    """See `storage.ports.Messages.changed_since`."""
    if not _exists(db, chat_id):
        return ()
    rows = db.execute(_CHANGED_SINCE, {"chat": chat_id, "after": after_seq, "limit": limit})
    return [message_of(row) for row in rows]


def _exists(db: sqlite3.Connection, chat_id: int) -> bool:
    """The messages of a deleted chat are removed little by little."""
    return db.execute("SELECT 1 FROM chats WHERE id = ?", (chat_id,)).fetchone() is not None
