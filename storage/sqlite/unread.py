"""How many messages are unread, at a cost that has a bound whatever the size of the chat."""

import sqlite3
from collections.abc import Mapping

from storage.ports import UNREAD_LIMIT
from storage.unread import LOOK_BACK, tally

_FIRST_AFTER = """
SELECT count(*), total(sender_id <> :user) FROM (
    SELECT sender_id FROM messages WHERE chat_id = :chat AND seq > :mark AND deleted = 0 ORDER BY seq LIMIT :scan
)
"""

# Goes from sender to sender, each found by one step into the index, and ends once there are enough. A row is the next
# sender to be counted, and how many messages those before him have.
_BY_SENDER = """
WITH RECURSIVE tally (sender_id, others) AS (
    SELECT (
        SELECT sender_id FROM messages WHERE chat_id = :chat AND deleted = 0 ORDER BY sender_id LIMIT 1
    ), 0
    UNION ALL
    SELECT (
        SELECT sender_id FROM messages
        WHERE chat_id = :chat AND sender_id > tally.sender_id AND deleted = 0 ORDER BY sender_id LIMIT 1
    ), others + CASE tally.sender_id WHEN :user THEN 0 ELSE (
        SELECT count(*) FROM (
            SELECT 1 FROM messages
            WHERE chat_id = :chat AND sender_id = tally.sender_id AND seq > :mark AND deleted = 0 LIMIT :limit
        )
    ) END
    FROM tally WHERE tally.sender_id IS NOT NULL AND others < :limit
)
SELECT max(others) FROM tally
"""


def unread_count(db: sqlite3.Connection, chat_id: int, user_id: int, read_seq: int) -> int:
    """The messages by others, not deleted, above the mark; at most `UNREAD_LIMIT`.

    A look at what follows the mark answers nearly always. Not so for somebody who wrote thousands of messages
    without reading (a bot): then each other sender's are counted, never his own.
    """
    asked = {"chat": chat_id, "user": user_id, "mark": read_seq, "scan": LOOK_BACK, "limit": UNREAD_LIMIT}
    seen, others = db.execute(_FIRST_AFTER, asked).fetchone()
    if seen == LOOK_BACK and others < UNREAD_LIMIT:
        (others,) = db.execute(_BY_SENDER, asked).fetchone()
    return min(int(others), UNREAD_LIMIT)


def unread_counts(db: sqlite3.Connection, chat_id: int, marks: Mapping[int, int]) -> dict[int, int]:
    """The same for many members, by user id; `marks` are their read positions."""
    newest = db.execute(
        "SELECT seq, sender_id FROM messages WHERE chat_id = ? AND seq > ? AND deleted = 0 ORDER BY seq DESC LIMIT ?",
        (chat_id, min(marks.values(), default=0), LOOK_BACK),
    ).fetchall()
    return {
        user_id: unread_count(db, chat_id, user_id, marks[user_id]) if count is None else count
        for user_id, count in tally(newest, marks).items()
    }
