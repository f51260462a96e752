"""Digests of what a store holds: one for each chat, and one for what belongs to no chat. Stores with the same state
have the same digests, whatever they are."""

from collections.abc import AsyncIterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from domain.frozen import frozen
from storage.backup.lines import line_of
from storage.backup_ports import Batch, Kind, Snapshot


@frozen
class Part:
    """The records of a chat, or those that belong to no chat (`chat_id` None): how many there are of each kind, and the
    digest of all of them (SHA-256, hexadecimal)."""

    chat_id: int | None
    counts: Mapping[Kind, int]
    digest: str

    @property
    def messages(self) -> int:
        """How many messages the part has, deleted ones too."""
        return self.counts.get("message", 0)


class PartDigest:
    """Reads the batches of one part."""

    def __init__(self, chat_id: int | None) -> None:
        self._chat_id = chat_id
        self._counts: dict[Kind, int] = {}
        self._hash = sha256()

    def add(self, batch: Batch) -> Sequence[bytes]:
        """Adds a batch of the part. Returns the lines of its records."""
        lines = [line_of(batch.kind, record) for record in batch.records]
        self.add_lines(batch.kind, lines)
        return lines

    def add_lines(self, kind: Kind, lines: Sequence[bytes]) -> None:
        """Adds the lines of records of the part."""
        self._counts[kind] = self._counts.get(kind, 0) + len(lines)
        if kind != "server":  # the highest ids differ between stores that hold the same
            self._hash.update(b"".join(lines))

    def part(self) -> Part:
        return Part(self._chat_id, self._counts, self._hash.hexdigest())


async def parts_of(snapshot: Snapshot, chat_ids: Sequence[int] | None = None) -> AsyncIterator[Part]:
    """The part that belongs to no chat, then those of the chats, by id; with `chat_ids` of these chats alone. Raises:
    `Unavailable`."""
    digest = PartDigest(None)
    async for batch in snapshot.server():
        digest.add(batch)
    yield digest.part()
    reading: Any = None
    async for batch in snapshot.chats(chat_ids):
        if batch.kind == "chat":
            if reading is not None:
                yield reading.part()
            reading = PartDigest(batch.chat_id)
        reading.add(batch)
    if reading is not None:
        yield reading.part()
