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


def keep(db: sqlite3.Connection, message_id: int) -> None:
    """Keeps what the message says, before it is edited."""
    db.execute(
        "INSERT INTO versions (message_id, content, edited_at)"
        " SELECT id, content, edited_at FROM messages WHERE id = ?",
        (message_id,),
    )
    db.execute(_FORGET, {"message": message_id, "newest": VERSIONS_MAX - 1})


def remove(db: sqlite3.Connection, message_ids: Sequence[int]) -> None:
    """Removes all that these messages ever said before."""
    db.executemany("DELETE FROM versions WHERE message_id = ?", [(one,) for one in message_ids])


def of_message(db: sqlite3.Connection, message_id: int) -> Sequence[Version] | None:
    """See `storage.ports.Messages.versions`."""
    message = history.get(db, message_id)
    if message is None or message.deleted:
        return None
    rows = db.execute(_READ, {"message": message_id, "newest": VERSIONS_MAX - 1})
    earlier = [Version(content, None if at is None else from_micros(at)) for content, at in rows]
    return [*earlier, Version(message.content, message.edited_at)]
