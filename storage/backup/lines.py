"""The text of a record, which is the same for equal records: a line of JSON, first the type of the record, then its
keys in alphabetical order."""

from typing import Any

import orjson

from storage.backup_ports import Kind, Record
from storage.errors import StorageError

TYPE = "type"
"""The key that says what a record is about. No record has a key of that name itself."""


def line_of(kind: Kind, record: Record) -> bytes:
    """The line of a record, with its end. Raises: `StorageError` for text that is no Unicode."""
    try:
        text = orjson.dumps(record, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError as error:
        raise StorageError(f"a record of the type {kind!r} is no JSON: {error}") from None
    return b'{"type":"%b",%b' % (kind.encode(), text[1:])


def object_line(kind: str, fields: dict[str, Any]) -> bytes:
    """The line of an object that is no record of a store."""
    return orjson.dumps({TYPE: kind, **fields}, option=orjson.OPT_APPEND_NEWLINE)
