"""Who is mentioned in which messages, in a table of its own, so that unread mentions are counted without the messages.

A message has one row for each user whom it mentions, and one of user 0 if it mentions all members.
"""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence

from domain.models import Message
from storage.ports import UNREAD_LIMIT
from storage.unread_counts import LOOK_BACK, count_mentions, mention_rows

_COUNT = """
SELECT count(*) FROM (
    SELECT * FROM (
        SELECT seq FROM mentions WHERE chat_id = :chat AND user_id = :user AND seq > :mark LIMIT :limit
    )
    UNION
    SELECT * FROM (
        SELECT seq FROM mentions WHERE chat_id = :chat AND user_id = 0 AND seq > :mark AND sender_id <> :user
        LIMIT :limit
    )
)
"""

# CROSS JOIN: the usernames first, then the members.
_NAMED = """
SELECT users.username_key, users.id FROM json_each(?) AS named
CROSS JOIN users ON users.username_key = named.value
CROSS JOIN members ON members.chat_id = ? AND members.user_id = users.id
"""

_INSERT = "INSERT INTO mentions (chat_id, seq, user_id, sender_id) VALUES (?, ?, ?, ?)"

Row = tuple[int, int, int, int]
"""Chat, number of the message, who is mentioned, who sent it."""


def members_named(db: sqlite3.Connection, chat_id: int, usernames: Collection[str]) -> Mapping[str, int]:
    """See `domain.decisions.view.MessageView.members_named`."""
    return dict(db.execute(_NAMED, (json.dumps(list(usernames)), chat_id)).fetchall())


def rows_of(message: Message) -> Sequence[Row]:
    """The rows of a message."""
    return [(message.chat_id, *row) for row in mention_rows(message)]


def insert(db: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Adds the rows of new messages."""
    db.executemany(_INSERT, rows)


def rewrite(db: sqlite3.Connection, message: Message) -> None:
    """Replaces the rows of a message that is changed."""
    db.execute("DELETE FROM mentions WHERE chat_id = ? AND seq = ?", (message.chat_id, message.seq))
    rows = rows_of(message)
    if rows:
        insert(db, rows)


def remove_some(db: sqlite3.Connection, chat_id: int, limit: int) -> bool:
    """Removes some rows of a chat. Returns whether there may be more."""
    some = db.execute("SELECT seq FROM mentions WHERE chat_id = ? ORDER BY seq LIMIT ?", (chat_id, limit))
    seqs = [(chat_id, seq) for seq in {seq for (seq,) in some}]
    db.executemany("DELETE FROM mentions WHERE chat_id = ? AND seq = ?", seqs)
    return bool(seqs)


def unread_mentions(db: sqlite3.Connection, chat_id: int, user_id: int, read_seq: int) -> int:
    """The messages by others, not deleted, above the mark, that mention the user or all; at most `UNREAD_LIMIT`."""
    asked = {"chat": chat_id, "user": user_id, "mark": read_seq, "limit": UNREAD_LIMIT}
    (count,) = db.execute(_COUNT, asked).fetchone()
    return min(int(count), UNREAD_LIMIT)


def all_unread_mentions(db: sqlite3.Connection, chat_id: int, marks: Mapping[int, int]) -> dict[int, int]:
    """The same for many members, by user id, without those who have none; `marks` are their read positions."""
    if not marks:
        return {}
    newest = db.execute(
        "SELECT seq, user_id, sender_id FROM mentions WHERE chat_id = ? AND seq > ? ORDER BY seq DESC LIMIT ?",
        (chat_id, min(marks.values()), LOOK_BACK),
    ).fetchall()
    counts = count_mentions(newest, marks) if newest else {}
    if len(newest) == LOOK_BACK:  # there may be more of those who have read none of these
        for user_id, count in counts.items():
            if count < UNREAD_LIMIT and marks[user_id] < newest[-1][0]:
                counts[user_id] = unread_mentions(db, chat_id, user_id, marks[user_id])
    return {user_id: count for user_id, count in counts.items() if count}
