"""Reads a backup, and checks all of it on the way: its end is reached only if it is whole and unchanged."""

import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from domain.frozen import frozen
from storage.backup import layout
from storage.backup.digests import Part
from storage.backup.errors import BadBackup
from storage.backup.parts import PartReader
from storage.backup.tar_reader import TarReader
from storage.backup_ports import Batch

_GZIP = 31
"""What zlib calls a stream with the header of gzip."""


@frozen
class FileItem:
    """A file. `pieces` are its bytes, to be read before the next item is asked for, or not at all."""

    file_id: str
    size: int
    pieces: Iterator[bytes]


@frozen
class MissingFile:
    """A file that the backup has not, or not all of it."""

    file_id: str


@frozen
class Manifest:
    """What the backup has, as its end says and its reader has found."""

    counts: Mapping[str, int]
    files: int
    files_bytes: int
    missing_files: int


Item = Batch | Part | FileItem | MissingFile | Manifest


class BackupReader:
    """Reads a backup from its beginning."""

    def __init__(self, file: BinaryIO, *, verified: bool = False) -> None:
        """`verified`: it was read to its end before. Its records are not looked at again; if it is another file now,
        that is found at its end, and what comes before may be anything."""
        self._tar = TarReader(file)
        self._parts = PartReader(trusts=verified)
        self._counts: Counter[str] = Counter()
        self._files = 0
        self._files_bytes = 0
        self._missing_files = 0

    @property
    def read_bytes(self) -> int:
        return self._tar.read_bytes

    def items(self) -> Iterator[Item]:
        """All that it holds, in its order; each part after its records; the last is the manifest. Raises: `BadBackup`;
        `OSError`."""
        self._check_about()
        records = 0
        while (member := self._tar.next()) is not None:
            if file := layout.FILE_MEMBER.fullmatch(member.name):
                self._files += 1
                self._files_bytes += member.size
                yield FileItem(file[1], member.size, self._tar.pieces())
            elif member.name == layout.MANIFEST:
                yield self._manifest()
                return
            else:
                records += 1
                if member.name != layout.records_member(records):
                    raise BadBackup(f"it holds something that no backup has: {member.name!r}")
                yield from self._records()
        raise BadBackup("it has no end")

    def _check_about(self) -> None:
        member = self._tar.next()
        if member is None or member.name != layout.ABOUT:
            raise BadBackup("it is damaged, or no backup")
        about = layout.object_of(self._tar.read(layout.ABOUT_BYTES_MAX))
        version = about.get("format")
        if type(version) is int and version > layout.FORMAT:
            raise BadBackup(
                f"its format is {version}, this server knows formats up to {layout.FORMAT}: use the server that made"
                " it, or a newer one"
            )
        if type(version) is not int or version != layout.FORMAT:
            raise BadBackup("it is damaged, or no backup")

    def _records(self) -> Iterator[Item]:
        for line in _unpacked(self._tar.read(layout.CHUNK_BYTES_MAX)).splitlines(keepends=True):
            found = layout.object_of(line)
            kind = found.pop("type", None)
            if kind == layout.DIGEST:
                yield from self._parts.end(found)
            elif kind == layout.MISSING_FILE and type(found.get("id")) is str:
                self._missing_files += 1
                yield MissingFile(found["id"])
            else:
                yield from self._parts.add(kind, found, line)
                self._counts[kind] += 1
        yield from self._parts.rest()

    def _manifest(self) -> Manifest:
        if self._parts.is_open:
            raise BadBackup("it is cut off")
        said = layout.object_of(self._tar.read(layout.ABOUT_BYTES_MAX))
        digest = self._tar.digest_before()
        if self._tar.next() is not None:
            raise BadBackup("something stands behind its end")
        found: dict[str, Any] = {
            "counts": dict(self._counts),
            "files": self._files,
            "files_bytes": self._files_bytes,
            "missing_files": self._missing_files,
            "sha256": digest,
        }
        if any(said.get(key) != value for key, value in found.items()):
            raise BadBackup("it was changed, or is damaged: it is not what its end says")
        return Manifest(dict(self._counts), self._files, self._files_bytes, self._missing_files)


def _unpacked(packed: bytes) -> bytes:
    """Raises: `BadBackup`."""
    stream = zlib.decompressobj(_GZIP)
    try:
        content = stream.decompress(packed, layout.CHUNK_BYTES_MAX)
    except zlib.error:
        raise BadBackup("it is damaged: a part of it cannot be unpacked") from None
    if stream.unconsumed_tail:
        raise BadBackup("a part of it is larger than any backup has")
    if not stream.eof or stream.unused_data:
        raise BadBackup("it is damaged: a part of it cannot be unpacked")
    return content
