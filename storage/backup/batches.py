"""Puts records that come one by one into batches."""

from collections.abc import Iterable, Iterator
from typing import Any, cast

from storage.backup_ports import BATCH_BYTES, BATCH_RECORDS, Batch, Kind, Record


def in_batches(kind: Kind, chat_id: int | None, records: Iterable[Any]) -> Iterator[Batch]:
    """The records in batches that are neither too many nor too large, in their order; takes no more of them than the
    batch needs that is asked for."""
    some: list[Record] = []
    chars = 0
    for record in records:
        size = chars_of(record)
        if some and (len(some) == BATCH_RECORDS or chars + size > BATCH_BYTES):
            yield Batch(kind, chat_id, some)
            some, chars = [], 0
        some.append(cast(Record, record))
        chars += size
    if some:
        yield Batch(kind, chat_id, some)


def chars_of(record: Record) -> int:
    """About how long the record is: what messages say and said before counts, the rest is small."""
    chars = len(record.get("content", ""))
    if "versions" in record:
        chars += sum(len(version["content"]) for version in record["versions"])
    return chars
