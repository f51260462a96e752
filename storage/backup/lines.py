"""The text of a record, which is the same for equal records: a line of JSON, first the type of the record, then its
keys in alphabetical order."""

from typing import Any

import orjson

from storage.backup_ports import Kind, Record

TYPE = "type"
"""The key that says what a record is about. No record has a key of that name itself."""


def line_of(kind: Kind, record: Record) -> bytes:
    """The line of a record, with its end."""
    text = orjson.dumps(record, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
    return b'{"type":"%b",%b' % (kind.encode(), text[1:])


def object_line(kind: str, fields: dict[str, Any]) -> bytes:
    """The line of an object that is no record of a store."""
    return orjson.dumps({TYPE: kind, **fields}, option=orjson.OPT_APPEND_NEWLINE)
