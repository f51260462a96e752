"""The rows of uploads, and of the files that nothing refers to any more."""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from domain.files import Upload, file_ids_of
from storage.times import from_micros, to_micros

Row = tuple[Any, ...]

_GIVEN = "SELECT value FROM json_each(?)"

# CROSS JOIN: the given ids first, not all uploads.
_NAMED = "SELECT uploads.* FROM json_each(?) AS named CROSS JOIN uploads ON uploads.id = named.value"

# Of a deleted chat, the messages and their uploads are removed later.
_FOUND = """
SELECT * FROM uploads WHERE id = ? AND (message_id IS NULL OR EXISTS (
    SELECT 1 FROM messages JOIN chats ON chats.id = messages.chat_id WHERE messages.id = uploads.message_id
))
"""

_KNOWN = """
SELECT uploads.id FROM json_each(:given) AS named CROSS JOIN uploads ON uploads.id = named.value
UNION ALL
SELECT avatar_id FROM json_each(:given) AS named CROSS JOIN users ON users.avatar_id = named.value
UNION ALL
SELECT avatar_id FROM json_each(:given) AS named CROSS JOIN chats ON chats.avatar_id = named.value
"""


def insert(db: sqlite3.Connection, upload: Upload) -> None:
    """Adds a new upload."""
    db.execute(
        "INSERT INTO uploads (id, user_id, name, content_type, size, created_at, width, height, has_thumbnail)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            upload.id,
            upload.user_id,
            upload.name,
            upload.content_type,
            upload.size,
            to_micros(upload.created_at),
            upload.width,
            upload.height,
            upload.has_thumbnail,
        ),
    )
    _add_bytes(db, {upload.user_id: upload.size})


def attach(db: sqlite3.Connection, attached: Iterable[tuple[int, str]]) -> None:
    """Notes which messages have which uploads, as (message id, upload id)."""
    db.executemany("UPDATE uploads SET message_id = ? WHERE id = ?", attached)


def get(db: sqlite3.Connection, upload_id: str) -> Upload | None:
    """The upload, unless it is of a chat that is deleted."""
    row = db.execute(_FOUND, (upload_id,)).fetchone()
    return upload_of(row) if row else None


def named(db: sqlite3.Connection, upload_ids: Collection[str]) -> Sequence[Upload]:
    """Those of the uploads that exist."""
    return [upload_of(row) for row in db.execute(_NAMED, (json.dumps(list(upload_ids)),))]


def of_messages(db: sqlite3.Connection, message_ids: Collection[int]) -> Sequence[Upload]:
    """The uploads that these messages have."""
    rows = db.execute(
        "SELECT uploads.* FROM json_each(?) AS named CROSS JOIN uploads ON uploads.message_id = named.value",
        (json.dumps(list(message_ids)),),
    )
    return [upload_of(row) for row in rows]


def unattached_of(db: sqlite3.Connection, user_id: int) -> Sequence[Upload]:
    """The uploads of a user that no message has."""
    rows = db.execute("SELECT * FROM uploads WHERE user_id = ? AND message_id IS NULL", (user_id,))
    return [upload_of(row) for row in rows]


def unattached_before(db: sqlite3.Connection, before: int, limit: int) -> Sequence[Upload]:
    """Uploads that no message has and that were created before a time, the oldest first."""
    rows = db.execute(
        "SELECT * FROM uploads WHERE message_id IS NULL AND created_at < ? ORDER BY created_at LIMIT ?",
        (before, limit),
    )
    return [upload_of(row) for row in rows]


def remove(db: sqlite3.Connection, uploads: Sequence[Upload]) -> Sequence[str]:
    """Removes uploads, and frees their files. Returns the ids of these files."""
    db.executemany("DELETE FROM uploads WHERE id = ?", [(upload.id,) for upload in uploads])
    freed_bytes: dict[int, int] = {}
    for upload in uploads:
        freed_bytes[upload.user_id] = freed_bytes.get(upload.user_id, 0) - upload.size
    _add_bytes(db, freed_bytes)
    return free(db, file_ids_of(uploads))


def free(db: sqlite3.Connection, file_ids: Sequence[str]) -> Sequence[str]:
    """Puts files into the queue of those whose bytes are to be deleted. Returns their ids."""
    db.executemany("INSERT OR IGNORE INTO freed_files (file_id) VALUES (?)", [(one,) for one in file_ids])
    return file_ids


def freed(db: sqlite3.Connection, limit: int) -> Sequence[str]:
    """What is in that queue."""
    return [file_id for (file_id,) in db.execute("SELECT file_id FROM freed_files LIMIT ?", (limit,))]


def forget_freed(db: sqlite3.Connection, file_ids: Collection[str]) -> None:
    """Takes files out of the queue."""
    db.executemany("DELETE FROM freed_files WHERE file_id = ?", [(one,) for one in file_ids])


def used_bytes(db: sqlite3.Connection, user_id: int) -> int:
    """What the uploads of a user take together."""
    row = db.execute("SELECT uploads_bytes FROM users WHERE id = ?", (user_id,)).fetchone()
    return int(row[0]) if row else 0


def totals(db: sqlite3.Connection) -> tuple[int, int]:
    """How many uploads there are, and what they take together. Reads an index of all of them."""
    count, size_bytes = db.execute("SELECT count(*), coalesce(sum(size), 0) FROM uploads").fetchone()
    return count, size_bytes


def largest(db: sqlite3.Connection, limit: int) -> Sequence[Upload]:
    """The largest uploads, the largest first."""
    return [
        upload_of(row) for row in db.execute("SELECT * FROM uploads ORDER BY size DESC LIMIT ?", (limit,))
    ]


def known(db: sqlite3.Connection, owner_ids: Collection[str]) -> Collection[str]:
    """Those of the ids that are of an upload, or of the avatar of a user or a chat."""
    rows = db.execute(_KNOWN, {"given": json.dumps(list(owner_ids))})
    return {owner_id for (owner_id,) in rows}


def upload_of(row: Row) -> Upload:
    (upload_id, user_id, name, content_type, size, created, width, height, has_thumbnail, message_id, *_) = (
        row
    )
    return Upload(
        upload_id,
        user_id,
        name,
        content_type,
        size,
        from_micros(created),
        width,
        height,
        bool(has_thumbnail),
        message_id,
    )


def _add_bytes(db: sqlite3.Connection, added: Mapping[int, int]) -> None:
    """Adds to what the uploads of users take, by user id."""
    db.executemany(
        "UPDATE users SET uploads_bytes = uploads_bytes + ? WHERE id = ?",
        [(size, user_id) for user_id, size in added.items()],
    )
