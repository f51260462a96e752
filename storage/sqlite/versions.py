"""What messages said before their edits."""

import sqlite3
from collections.abc import Sequence

from domain.models import Version
from storage.ports import VERSIONS_MAX
from storage.sqlite import history
from storage.times import from_micros

# The first one, and the newest that the message had before the present one.
_KEPT = """
SELECT rowid FROM (SELECT rowid FROM versions WHERE message_id = :message ORDER BY rowid LIMIT 1)
UNION
SELECT rowid FROM (SELECT rowid FROM versions WHERE message_id = :message ORDER BY rowid DESC LIMIT :newest)
"""

_FORGET = f"DELETE FROM versions WHERE message_id = :message AND rowid NOT IN ({_KEPT})"  # noqa: S608 -- no input

# Files of earlier versions of the server may have more than are kept now.
_READ = f"SELECT content, edited_at FROM versions WHERE rowid IN ({_KEPT}) ORDER BY rowid"  # noqa: S608 -- no input


def keep(db: sqlite3.Connection, message_id: int) -> bool:
    """Keeps what the message says, before it is edited. Returns whether an older version was removed for that."""
    db.execute(
        "INSERT INTO versions (message_id, content, edited_at)"
        " SELECT id, content, edited_at FROM messages WHERE id = ?",
        (message_id,),
    )
    return db.execute(_FORGET, {"message": message_id, "newest": VERSIONS_MAX - 1}).rowcount > 0


def remove(db: sqlite3.Connection, message_ids: Sequence[int]) -> None:
    """Removes all that these messages ever said before."""
    db.executemany("DELETE FROM versions WHERE message_id = ?", [(one,) for one in message_ids])


def of_message(db: sqlite3.Connection, message_id: int) -> Sequence[Version] | None:
    """See `storage.ports.Messages.versions`."""
    message = history.get(db, message_id)
    if message is None or message.deleted:
        return None
    return [*earlier(db, message_id), Version(message.content, message.edited_at)]


def earlier(db: sqlite3.Connection, message_id: int) -> Sequence[Version]:
    """What a message said before its edits, as far as it is kept, the oldest first."""
    rows = db.execute(_READ, {"message": message_id, "newest": VERSIONS_MAX - 1})
    return [Version(content, None if at is None else from_micros(at)) for content, at in rows]
