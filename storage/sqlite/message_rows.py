"""The statements by which many messages are inserted and looked up at once."""

import sqlite3
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import TypeVar

from storage.sqlite.rows import Row

ClientIdKey = tuple[int, str]
"""A sender and their client_id."""

_SIZES = (256, 64, 16, 4, 1)
"""Rows in a statement: few different sizes, so that each is prepared once."""

T = TypeVar("T")


def insert(db: sqlite3.Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Inserts new messages; see `_insert_sql` for the columns."""
    for some in _in_sizes(rows):
        db.execute(_insert_sql(len(some)), tuple(chain.from_iterable(some)))


def first_uses(db: sqlite3.Connection, keys: Sequence[ClientIdKey]) -> Iterator[Row]:
    """The rows of the messages with these client_ids."""
    for some in _in_sizes(keys):
        yield from db.execute(_find_sql(len(some)), tuple(chain.from_iterable(some)))


def _in_sizes(values: Sequence[T]) -> Sequence[Sequence[T]]:
    parts: list[Sequence[T]] = []
    start = 0
    for size in _SIZES:
        while len(values) - start >= size:
            parts.append(values[start : start + size])
            start += size
    return parts


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
