"""Makes a backup of a snapshot."""

import asyncio
import gzip
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, BinaryIO

import orjson

from domain.frozen import frozen
from domain.refusals import NotFound
from storage.backup import layout
from storage.backup.digests import PartDigest
from storage.backup.errors import BadBackup
from storage.backup.lines import object_line
from storage.backup.places import RecordCheck
from storage.backup.records import files_of
from storage.backup.tar_writer import TarWriter
from storage.backup_ports import Batch, Snapshot
from storage.errors import StorageError

_GZIP_LEVEL = 1
"""Higher levels make a backup a tenth smaller, and take several times as long."""

Progress = Callable[["Made"], None]
"""Is called after each batch with what is written so far."""


@frozen
class Made:
    """What a backup has: how many records of each type and files, how many bytes the files have, how many files were
    deleted meanwhile, how large the backup is."""

    counts: Mapping[str, int]
    files: int
    files_bytes: int
    missing_files: int
    written_bytes: int


async def make_backup(
    snapshot: Snapshot, out: BinaryIO, *, version: str, progress: Progress = lambda made: None
) -> Made:
    """Writes the backup to `out`; `version` is that of the server. Raises: `StorageError`; `OSError` for `out`."""
    making = _Making(snapshot, out, version, progress)
    await making.run()
    return making.made()


class _Making:
    def __init__(self, snapshot: Snapshot, out: BinaryIO, version: str, progress: Progress) -> None:
        self._snapshot = snapshot
        self._began_at = datetime.now(UTC)
        self._tar = TarWriter(out, int(self._began_at.timestamp()))
        self._version = version
        self._progress = progress
        self._counts: Counter[str] = Counter()
        self._lines: list[bytes] = []
        self._lines_bytes = 0
        self._chunks = 0
        self._check = RecordCheck(None, 0)
        self._named: list[tuple[str, int | None]] = []
        self._files = 0
        self._files_bytes = 0
        self._missing_files = 0

    async def run(self) -> None:
        self._tar.add(layout.ABOUT, self._about({}))
        digest = self._begin_part(None, 0)
        async for batch in self._snapshot.server():
            await self._put(batch, digest)
        await self._end_part(digest)
        reading: PartDigest | None = None
        async for batch in self._snapshot.chats():
            if batch.kind == "chat":
                if reading is not None:
                    await self._end_part(reading)
                reading = self._begin_part(batch.chat_id, batch.records[0]["head_seq"])
            assert reading is not None
            await self._put(batch, reading)
        if reading is not None:
            await self._end_part(reading)
        while self._lines or self._named:  # files that are missing leave lines
            await self._end_chunk()
        self._tar.add(layout.MANIFEST, self._manifest())
        self._tar.finish()

    def made(self) -> Made:
        return Made(
            dict(self._counts),
            self._files,
            self._files_bytes,
            self._missing_files,
            self._tar.written_bytes,
        )

    def _begin_part(self, chat_id: int | None, head_seq: int) -> PartDigest:
        self._check = RecordCheck(chat_id, head_seq)
        return PartDigest(chat_id)

    async def _put(self, batch: Batch, digest: PartDigest) -> None:
        for record in batch.records:
            try:
                self._check.check(batch.kind, record)
            except BadBackup as error:
                raise StorageError(f"the store holds what no backup can: {error}{_place(batch)}") from None
            self._named += files_of(record)
        await self._add_lines(digest.add(batch))
        self._counts[batch.kind] += len(batch.records)
        self._progress(self.made())
        await asyncio.sleep(0)  # so that it can be cancelled

    async def _end_part(self, digest: PartDigest) -> None:
        part = digest.part()
        fields: dict[str, Any] = {} if part.chat_id is None else {"chat_id": part.chat_id}
        fields |= {"counts": part.counts, "sha256": part.digest}
        await self._add_lines([object_line(layout.DIGEST, fields)])

    async def _add_lines(self, lines: Sequence[bytes]) -> None:
        for line in lines:
            self._lines.append(line)
            self._lines_bytes += len(line)
        if self._lines_bytes > layout.CHUNK_BYTES:
            await self._end_chunk()

    async def _end_chunk(self) -> None:
        self._write_lines()
        await self._write_files()

    def _write_lines(self) -> None:
        if self._lines_bytes > layout.CHUNK_BYTES_MAX:
            raise StorageError("the store holds what no backup can: a record is too large")
        if self._lines:
            self._chunks += 1
            content = gzip.compress(b"".join(self._lines), _GZIP_LEVEL, mtime=0)
            self._tar.add(layout.records_member(self._chunks), content)
        self._lines, self._lines_bytes = [], 0

    async def _write_files(self) -> None:
        """Writes the files that the records up to here name."""
        named, self._named = self._named, []
        for file_id, size in named:
            if not await self._write_file(file_id, size):
                self._missing_files += 1
                line = object_line(layout.MISSING_FILE, {"id": file_id})
                self._lines.append(line)
                self._lines_bytes += len(line)

    async def _write_file(self, file_id: str, size: int | None) -> bool:
        """Whether the file was there to its end, and as large as its record says."""
        found = await self._snapshot.file_size(file_id)
        if found is None or size not in (None, found):
            return False
        self._tar.begin(f"files/{file_id}", found)
        read_bytes = 0
        try:
            async for piece in self._snapshot.file(file_id):
                self._tar.write(piece)
                read_bytes += len(piece)
        except NotFound:
            pass
        self._files += 1
        self._files_bytes += found
        self._progress(self.made())
        return self._tar.end() and read_bytes == found

    def _about(self, more: Mapping[str, Any]) -> bytes:
        about = {"format": layout.FORMAT, "vestnik": self._version, "began_at": self._began_at, **more}
        return orjson.dumps(about, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

    def _manifest(self) -> bytes:
        return self._about(
            {
                "ended_at": datetime.now(UTC),
                "counts": dict(self._counts),
                "files": self._files,
                "files_bytes": self._files_bytes,
                "missing_files": self._missing_files,
                "sha256": self._tar.digest(),
            }
        )


def _place(batch: Batch) -> str:
    return "" if batch.chat_id is None else f", in chat {batch.chat_id}"
