"""What a file of SQLite has besides its records: what is derived from them, rows that belong to nothing, and its own
structure. Each question is one statement, whose rows are what is wrong."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import islice

from domain.files import thumbnail_id
from storage.check.findings import SAME_MAX, Finding

_STRUCTURE = f"PRAGMA integrity_check({SAME_MAX})"

# Each statement gives a chat, or NULL for none, and what the text names.
_QUESTIONS: Sequence[tuple[str, str]] = (
    (
        """
        SELECT chats.id, coalesce(counted, 0), member_count FROM chats
        LEFT JOIN (SELECT chat_id, count(*) AS counted FROM members GROUP BY chat_id) AS counts ON chat_id = chats.id
        WHERE coalesce(counted, 0) <> member_count
        """,
        "it has {0} members, and says {1}",
    ),
    (
        """
        SELECT chats.id, max(messages.created_at) FROM chats
        JOIN messages ON messages.chat_id = chats.id AND messages.deleted = 0
        GROUP BY chats.id HAVING max(messages.created_at) > chats.activity
        """,
        "its newest message is newer than its last activity",
    ),
    (
        """
        SELECT mentions.chat_id, mentions.seq FROM mentions WHERE chat_id NOT IN (SELECT chat_id FROM removals)
        AND NOT EXISTS (
            SELECT 1 FROM messages WHERE messages.chat_id = mentions.chat_id AND messages.seq = mentions.seq
            AND messages.deleted = 0
        )
        """,
        "a mention in message number {0}, which is not there",
    ),
    (
        """
        SELECT NULL, users.id, coalesce(bytes, 0), uploads_bytes FROM users
        LEFT JOIN (SELECT user_id, sum(size) AS bytes FROM uploads GROUP BY user_id) AS sums ON user_id = users.id
        WHERE coalesce(bytes, 0) <> uploads_bytes
        """,
        "user {0} has uploads of {1} bytes, and the quota counts {2}",
    ),
    (
        """
        SELECT NULL, uploads.id, uploads.message_id FROM uploads LEFT JOIN messages ON messages.id = uploads.message_id
        WHERE uploads.message_id IS NOT NULL AND (messages.id IS NULL OR messages.deleted = 1)
        """,
        "upload {0} is of message {1}, which is not there",
    ),
    (
        """
        SELECT messages.chat_id, messages.id, json_extract(attached.value, '$.id') FROM messages
        CROSS JOIN json_each(messages.extra, '$.attachments') AS attached
        WHERE messages.extra LIKE '%"attachments"%' AND messages.deleted = 0 AND NOT EXISTS (
            SELECT 1 FROM uploads WHERE uploads.id = json_extract(attached.value, '$.id')
            AND uploads.message_id = messages.id
        )
        """,
        "message {0} has the upload {1}, of which there is no row",
    ),
    (
        """
        SELECT NULL, versions.message_id FROM versions LEFT JOIN messages ON messages.id = versions.message_id
        WHERE messages.id IS NULL OR messages.deleted = 1 GROUP BY versions.message_id
        """,
        "earlier versions of message {0}, which is not there",
    ),
    (
        """
        SELECT NULL, sessions.user_id FROM sessions LEFT JOIN users ON users.id = sessions.user_id
        WHERE users.id IS NULL GROUP BY sessions.user_id
        """,
        "a session of user {0}, who is not there",
    ),
)

# The chats of `removals` are gone, and their rows follow in small steps.
_ORPHANS = """
SELECT NULL, chat_id, count(*) FROM TABLE_NAME
WHERE chat_id > 0 AND chat_id NOT IN (SELECT id FROM chats) AND chat_id NOT IN (SELECT chat_id FROM removals)
GROUP BY chat_id
"""

_OF_CHATS = (
    *("members", "mutes", "bans", "invites", "hooks", "slow_sends"),
    *("messages", "mentions", "audit"),
)

_THUMBNAIL = thumbnail_id("")

_RUNS = "SELECT chat_id, seq, sender_id, run_seq FROM messages WHERE deleted = 0 ORDER BY chat_id, seq"


_KNOWN_FILES = """
SELECT value FROM json_each(:given)
WHERE EXISTS (SELECT 1 FROM uploads WHERE id = value) OR EXISTS (SELECT 1 FROM users WHERE avatar_id = value)
OR EXISTS (SELECT 1 FROM chats WHERE avatar_id = value)
UNION ALL
SELECT file_id FROM freed_files
"""


def faults(db: sqlite3.Connection) -> Iterator[Finding]:
    """All that is wrong. Raises: `sqlite3.Error` if the file cannot be read."""
    try:
        yield from _damage(db)
        yield from _contradictions(db)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
        yield Finding(None, f"the file is damaged: {error}")


def _damage(db: sqlite3.Connection) -> Iterator[Finding]:
    for (said,) in db.execute(_STRUCTURE):
        if said != "ok":
            yield Finding(None, f"the file is damaged: {' '.join(str(said).split())}")


def _contradictions(db: sqlite3.Connection) -> Iterator[Finding]:
    for question, text in _QUESTIONS:
        for chat_id, *values in islice(db.execute(question), SAME_MAX):
            yield Finding(chat_id, text.format(*values))
    for table in _OF_CHATS:
        for _, chat_id, count in islice(db.execute(_ORPHANS.replace("TABLE_NAME", table)), SAME_MAX):
            yield Finding(None, f"{count} rows in {table} of chat {chat_id}, which is not there")
    yield from _broken_runs(db)


def _broken_runs(db: sqlite3.Connection) -> Iterator[Finding]:
    """From `run_seq` of a message to it, all messages are by one sender: unread messages are counted by that."""
    chat = sender = last = other = 0
    found = 0
    for chat_id, seq, sender_id, run_seq in db.execute(_RUNS):
        if chat_id != chat:
            chat, sender, last, other = chat_id, sender_id, 0, 0
        if sender_id != sender:
            sender, other = sender_id, last
        if run_seq <= other and found < SAME_MAX:
            found += 1
            yield Finding(
                chat_id, f"the run of message number {seq} begins at {run_seq}, before one of another sender"
            )
        last = seq


def unknown_files(db: sqlite3.Connection, names: Sequence[str]) -> Sequence[str]:
    """Those of the files to which nothing refers, and which nobody is about to remove. Raises: `sqlite3.Error`."""
    given = json.dumps([name.removesuffix(_THUMBNAIL) for name in names])
    known = {file_id for (file_id,) in db.execute(_KNOWN_FILES, {"given": given})}
    return [name for name in names if not known.intersection({name, name.removesuffix(_THUMBNAIL)})]
