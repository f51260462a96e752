"""The bytes of files in the database, so that all nodes have them.

They are laid out as in GridFS, with a document for each 255 KiB of a file and one for the file, but not by the driver:
that holds up to 48 MB of a file in memory before it writes. And FerretDB, which finds a document by index only by a
string `_id`, would look through all pieces of all files for each one. So a piece has the `_id` `word:n`, n = 0, 1, 2…;
the word is random, and the document of the file names it.

A writing has a document of its own until its file is kept, so that what a crash leaves of it is found. It notes there
every few minutes that it goes on: a slow sender may take hours.
"""

import secrets
import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

from pymongo.errors import DuplicateKeyError

from domain.refusals import NotFound
from storage.errors import Unavailable
from storage.mongo.database import Collection as Documents
from storage.mongo.database import Database, Document
from storage.times import to_micros

PIECE_BYTES = 255 * 1024
"""As in GridFS: with its document, a piece is no more than 256 KiB."""

_ALIVE_S = 300.0
"""How often a writing notes that it goes on."""

_AT_ONCE = 64
"""How many pieces one command deletes."""


class MongoFiles:
    """See `storage.files.ports.Files`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self) -> "MongoWriting":
        return MongoWriting(self._database)

    async def size(self, file_id: str) -> int | None:
        document = await self._database.get(self._database.files, file_id)
        return None if document is None else int(document["length"])

    async def read(self, file_id: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        document = await self._database.get(self._database.files, file_id)
        if document is None:
            raise NotFound("file")
        length: int = document["length"]
        stop = length if stop is None else min(stop, length)
        while start < stop:
            number, offset = divmod(start, PIECE_BYTES)
            piece = await self._database.get(self._database.file_pieces, _piece_key(document["word"], number))
            if piece is None:  # deleted meanwhile
                raise NotFound("file")
            found = bytes(piece["data"])[offset : offset + stop - start]
            yield found
            start += len(found)

    async def delete(self, file_ids: Collection[str]) -> None:
        for file_id in file_ids:
            document = await self._database.get(self._database.files, file_id)
            if document is not None:
                # The pieces first: what is interrupted here is found again by its id.
                await _delete_pieces(self._database, document["word"], _piece_count(document["length"]))
                await _delete(self._database, self._database.files, file_id)

    async def ids(self, *, after: str, limit: int, older_than: datetime) -> Sequence[str]:
        if not after:
            await self._remove_abandoned(to_micros(older_than))
        found = await self._database.find(
            self._database.files,
            {"_id": {"$gt": after}, "kept_at": {"$lt": to_micros(older_than)}},
            sort=[("_id", 1)],
            limit=limit,
            fields=["_id"],
        )
        return [document["_id"] for document in found]

    async def free_bytes(self) -> int | None:
        client, name = self._database.client, self._database.name
        about = await self._database.with_retry(lambda: client[name].command("dbStats"))
        if "fsTotalSize" not in about or "fsUsedSize" not in about:
            return None
        return int(about["fsTotalSize"] - about["fsUsedSize"]) or None

    async def close(self) -> None:
        """The database is closed with the store."""

    async def _remove_abandoned(self, before: int) -> None:
        database = self._database
        abandoned = await database.find(database.file_writings, {"begun_at": {"$lt": before}})
        for writing in abandoned:
            word, file_id = writing["_id"], writing["file_id"]
            kept = await database.get(database.files, file_id) if file_id is not None else None
            if kept is None or kept["word"] != word:
                await _delete_pieces(database, word, None)
            await _delete(database, database.file_writings, word)


class MongoWriting:
    """See `storage.files.ports.Writing`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._word = secrets.token_hex(16)
        self._buffer = bytearray()
        self._length = 0
        self._pieces = 0
        self._begun = False
        self._alive_at = 0.0
        self._kept = False
        self._is_certain = True
        """Whether all calls that write have returned: one that was cancelled, or failed, may still have its effect."""

    async def write(self, chunk: bytes) -> None:
        self._buffer += chunk
        self._length += len(chunk)
        while len(self._buffer) >= PIECE_BYTES:
            await self._write_piece()

    async def keep(self, file_id: str) -> None:
        database = self._database
        while self._buffer:
            await self._write_piece()
        self._is_certain = False
        if self._begun:
            await self._name(file_id)
        file = {
            "_id": file_id,
            "word": self._word,
            "length": self._length,
            "chunkSize": PIECE_BYTES,
            "kept_at": _now(),
            "by": self._word,
        }
        if not await database.add(database.files, file):
            raise ValueError(f"a file was kept under the id {file_id} before")
        self._kept = True
        await _delete(database, database.file_writings, self._word)

    async def drop(self) -> None:
        """The note of the writing stays if a call did not return: it leads the collector to what may still be written
        by that."""
        self._buffer.clear()
        if self._begun and not self._kept:
            await _delete_pieces(self._database, self._word, self._pieces + 1)
            if self._is_certain:
                await _delete(self._database, self._database.file_writings, self._word)
            self._begun = False

    async def _begin(self) -> None:
        """Notes the writing, before its first piece is there."""
        noted = {"_id": self._word, "begun_at": _now(), "file_id": None, "by": self._word}
        self._begun, self._is_certain = True, False
        await self._database.add(self._database.file_writings, noted)
        self._is_certain, self._alive_at = True, time.monotonic()

    async def _name(self, file_id: str) -> None:
        """Notes the id under which the file is about to be kept. Raises: as `_note`."""
        await self._note({"file_id": file_id})

    async def _note(self, more: Document) -> None:
        """Notes that the writing goes on. Raises: `Unavailable` if that was not noted for so long that its pieces were
        removed as left over."""
        one, named = {"_id": self._word}, {"$set": {"begun_at": _now()} | more}
        found = await self._database.with_retry(lambda: self._database.file_writings.update_one(one, named))
        if not found.matched_count:
            raise Unavailable("a file took too long to be written", "slow")
        self._alive_at = time.monotonic()

    async def _write_piece(self) -> None:
        if not self._begun:
            await self._begin()
        elif time.monotonic() - self._alive_at > _ALIVE_S:
            await self._note({})
        data = bytes(self._buffer[:PIECE_BYTES])
        key, pieces = _piece_key(self._word, self._pieces), self._database.file_pieces
        piece = {"_id": key, "files_id": self._word, "n": self._pieces, "data": data}
        self._is_certain = False
        with suppress(DuplicateKeyError):  # the first try succeeded before the connection broke
            await self._database.with_retry(lambda: pieces.insert_one(piece))
        self._is_certain = True
        del self._buffer[:PIECE_BYTES]
        self._pieces += 1


async def _delete_pieces(database: Database, word: str, count: int | None) -> None:
    """Deletes the first pieces of a file; with None all that there are: they were written in order."""
    start, deleted = 0, _AT_ONCE
    while deleted if count is None else start < count:
        stop = start + _AT_ONCE if count is None else min(start + _AT_ONCE, count)
        keys = [_piece_key(word, number) for number in range(start, stop)]
        if database.finds_many:
            some = {"_id": {"$in": keys}}
            found = await database.with_retry(partial(database.file_pieces.delete_many, some))
            deleted = int(found.deleted_count)
        else:
            deleted = sum([await _delete(database, database.file_pieces, key) for key in keys])
        start = stop


async def _delete(database: Database, documents: Documents, key: str) -> int:
    """Deletes a document. Returns 1 if it was there."""
    found = await database.with_retry(lambda: documents.delete_one({"_id": key}))
    return int(found.deleted_count)


def _now() -> int:
    return to_micros(datetime.now(UTC))


def _piece_count(length: int) -> int:
    return -(-length // PIECE_BYTES)


def _piece_key(word: str, number: int) -> str:
    return f"{word}:{number}"
