"""The tables, as a list of steps that lead to them (`schema_steps`). `PRAGMA user_version` counts the steps that a file
has taken.

Rows are read with `SELECT *`, by position (see `rows.py`): a later step may add columns only at the end of a table.
Times are microseconds since the epoch. There are no foreign keys: the one writer checks what it writes, and foreign
keys would cost a lookup in two more tables for every message. AUTOINCREMENT: an id is never used again.

A step may begin with a comment of one line, which says what the step does and is logged when a file takes it.
"""

import logging
import sqlite3
from collections.abc import Sequence

from domain.text import name_key
from storage.errors import StorageError
from storage.sqlite.schema_steps import STEPS
from storage.username_keys import namesake_key

_log = logging.getLogger(__name__)

REMOVED = "removed"
"""The key of `meta` that is there if something that messages said was removed since the file was written anew."""

MIGRATIONS = STEPS
"""Step n leads from version n to n + 1. A step that has been released never changes."""


def upgrade(db: sqlite3.Connection, migrations: Sequence[str] = MIGRATIONS) -> None:
    """Brings a file to the newest version, each step in its own transaction, data kept.

    Raises: `StorageError` for a file that is newer than this code; `sqlite3.Error` if a step fails, the file then
    being what it was before that step.
    """
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > len(migrations):
        raise StorageError(too_new(version, len(migrations)))
    for function in (name_key, namesake_key):
        db.create_function(function.__name__, 1, function, deterministic=True)
    for number, step in enumerate(migrations[version:], start=version + 1):
        changed_before = db.total_changes
        try:
            db.executescript(f"BEGIN IMMEDIATE;\n{step}\n;PRAGMA user_version = {number};\nCOMMIT;")
        except sqlite3.Error:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        if version:  # nothing to report of a new file
            _log.info(
                "the database went from schema version %d to %d: %s (%d rows changed)",
                number - 1,
                number,
                _description(step),
                db.total_changes - changed_before,
            )


def too_new(version: int, known: int) -> str:
    """What is wrong with a file whose version this code does not know."""
    return (
        f"its schema has version {version}, this server knows versions up to {known}: "
        "use the server that wrote it, or a newer one"
    )


def _description(step: str) -> str:
    """The description in the first line of a step."""
    first = step.strip().partition("\n")[0]
    return first.removeprefix("-- ") if first.startswith("-- ") else "more is kept"
