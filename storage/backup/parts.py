"""From the lines of a backup to batches and parts, in an order that is checked."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from storage.backup.batches import chars_of
from storage.backup.checks import check
from storage.backup.digests import Part, PartDigest
from storage.backup.errors import BadBackup
from storage.backup.places import RecordCheck
from storage.backup_ports import BATCH_BYTES, BATCH_RECORDS, Batch, Kind, Record


class PartReader:
    """Takes the lines one by one; every method but `is_open` may raise `BadBackup`. What it gives back are the batches
    that are complete."""

    def __init__(self, *, trusts: bool) -> None:
        """`trusts`: the same bytes were read and checked before; then records are taken as they are."""
        self._trusts = trusts
        self._digest: PartDigest | None = None
        self._chat_id: int | None = None
        self._last_chat_id = -1  # before the part that belongs to no chat
        self._records_check = RecordCheck(None, 0)
        self._records: list[Record] = []
        self._kind: Kind = "server"
        self._chars = 0

    @property
    def is_open(self) -> bool:
        """Whether a part has not ended, or none has come."""
        return self._digest is not None or self._last_chat_id < 0

    def add(self, kind: object, record: dict[str, Any], line: bytes) -> Iterator[Batch]:
        """Takes a record."""
        if self._digest is None:
            self._begin(kind, record)
        assert self._digest is not None
        known = cast(Kind, kind)
        if not self._trusts:
            self._records_check.check(known, record)
            self._digest.add_lines(known, [line])
        if known != self._kind or len(self._records) == BATCH_RECORDS or self._chars > BATCH_BYTES:
            yield from self.rest()
        self._kind = known
        self._records.append(record)
        self._chars += chars_of(record)

    def end(self, said: Mapping[str, Any]) -> Iterator[Batch | Part]:
        """Takes what stands at the end of a part."""
        if self._digest is None:
            raise BadBackup("it is damaged: the end of a part stands where none is")
        yield from self.rest()
        part, self._digest = self._digest.part(), None
        if self._trusts:
            yield Part(part.chat_id, said["counts"], said["sha256"])
            return
        if (said.get("chat_id"), said.get("counts"), said.get("sha256")) != (
            part.chat_id,
            dict(part.counts),
            part.digest,
        ):
            where = "the part of no chat" if part.chat_id is None else f"chat {part.chat_id}"
            raise BadBackup(f"it was changed, or is damaged: {where} has another digest than it says")
        yield part

    def rest(self) -> Iterator[Batch]:
        """The batch that has begun."""
        records, self._records, self._chars = self._records, [], 0
        if records:
            yield Batch(self._kind, self._chat_id, records)

    def _begin(self, kind: object, record: Mapping[str, Any]) -> None:
        is_first = self._last_chat_id < 0
        if kind != ("server" if is_first else "chat"):
            raise BadBackup("it is damaged: the beginning of a part is missing")
        chat_id = None if is_first else record.get("id")
        if not is_first:
            check("chat", record)
            if chat_id is None or chat_id <= self._last_chat_id:
                raise BadBackup("its chats are not in their order")
        self._last_chat_id = chat_id or 0
        self._chat_id = chat_id
        self._digest = PartDigest(chat_id)
        self._records_check = RecordCheck(chat_id, record.get("head_seq", 0))
        self._kind = "server" if is_first else "chat"
