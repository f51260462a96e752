"""Statements for many messages at once.

Sends that stand next to each other in a batch share them, and not only for SQLite's sake: the writer's thread gives
the interpreter lock away at every statement and, while the event loop is busy, gets it back only after
`sys.getswitchinterval()`.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, TypeVar

from storage.sqlite.rows import Row

ClientIdKey = tuple[int, str]
"""A sender and their client_id."""

_SIZES = (256, 64, 16, 4, 1)
"""Rows in a statement: few different sizes, so that each is prepared once."""

T = TypeVar("T")


def insert_messages(db: sqlite3.Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Inserts new messages; see `_insert_sql` for the columns."""
    for some in _in_sizes(rows):
        db.execute(_insert_sql(len(some)), [value for row in some for value in row])


def first_uses(db: sqlite3.Connection, keys: Sequence[ClientIdKey]) -> Iterator[Row]:
    """The rows of the messages with these client_ids."""
    for some in _in_sizes(keys):
        values: list[Any] = [value for key in some for value in key]
        yield from db.execute(_find_sql(len(some)), values)


def _in_sizes(values: Sequence[T]) -> Iterator[Sequence[T]]:
    start = 0
    for size in _SIZES:
        while len(values) - start >= size:
            yield values[start : start + size]
            start += size


@cache
def _insert_sql(count: int) -> str:
    rows = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"] * count)
    return (
        "INSERT OR ROLLBACK INTO messages"  # noqa: S608 - question marks, nothing else
        " (id, chat_id, seq, changed_seq, sender_id, client_id, content, message_type, reply_to, created_at,"
        " run_seq)"
        f" VALUES {rows}"
    )


@cache
def _find_sql(count: int) -> str:
    wanted = ", ".join(["(?, ?)"] * count)
    return (
        f"WITH wanted (sender_id, client_id) AS (VALUES {wanted})"  # noqa: S608 - question marks, nothing else
        " SELECT messages.* FROM wanted CROSS JOIN messages"
        " ON messages.sender_id = wanted.sender_id AND messages.client_id = wanted.client_id"
    )
