"""Counts unread messages, at a cost that is bounded whatever the size of the chat."""

import sqlite3
from collections.abc import Mapping

from storage.ports import UNREAD_LIMIT
from storage.unread_counts import LOOK_BACK, tally

_FIRST_AFTER = """
SELECT count(*), total(sender_id <> :user) FROM (
    SELECT sender_id FROM messages WHERE chat_id = :chat AND seq > :mark AND deleted = 0 ORDER BY seq LIMIT :scan
)
"""

# Goes back from the newest message, one by one; but from a message of the user to the one before its run. A row is a
# message on this way, and the number of messages by others up to it.
_BACKWARDS = """
WITH RECURSIVE walk (seq, sender_id, run_seq, others) AS (
    SELECT * FROM (
        SELECT seq, sender_id, run_seq, sender_id <> :user FROM messages
        WHERE chat_id = :chat AND seq > :mark AND deleted = 0 ORDER BY seq DESC LIMIT 1
    )
    UNION ALL
    SELECT messages.seq, messages.sender_id, messages.run_seq, others + (messages.sender_id <> :user)
    FROM walk CROSS JOIN messages ON messages.chat_id = :chat AND messages.deleted = 0 AND messages.seq = (
        SELECT seq FROM messages
        WHERE chat_id = :chat AND deleted = 0 AND seq > :mark
        AND seq < CASE walk.sender_id WHEN :user THEN walk.run_seq ELSE walk.seq END ORDER BY seq DESC LIMIT 1
    )
    WHERE others < :limit
)
SELECT max(others) FROM walk
"""


def unread_count(db: sqlite3.Connection, chat_id: int, user_id: int, read_seq: int) -> int:
    """The messages by others, not deleted, above the mark; at most `UNREAD_LIMIT`.

    The first messages above the mark nearly always give the count. They do not for a user who wrote thousands of
    messages without reading (a bot): then the user's own messages are skipped, a run of them in one step.
    """
    asked = {"chat": chat_id, "user": user_id, "mark": read_seq, "scan": LOOK_BACK, "limit": UNREAD_LIMIT}
    seen, others = db.execute(_FIRST_AFTER, asked).fetchone()
    if seen == LOOK_BACK and others < UNREAD_LIMIT:
        (others,) = db.execute(_BACKWARDS, asked).fetchone()
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
