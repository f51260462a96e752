"""Reads a tar archive as a stream, with a digest of all that is read. It takes plain files alone: an archive with
anything else in it, such as a link or a folder, is none of ours."""

import tarfile
from collections.abc import Iterator
from hashlib import sha256
from typing import BinaryIO

from domain.frozen import frozen
from storage.backup.errors import BadBackup

_BLOCK = 512
_PIECE_BYTES = 256 * 1024


@frozen
class TarMember:
    """A file in the archive."""

    name: str
    size: int


class TarReader:
    """Reads members one after the other. Every method may raise `BadBackup` and `OSError`."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = sha256()
        self._left_bytes = 0
        self._padding_bytes = 0
        self._digest_before = ""
        self.read_bytes = 0

    def next(self) -> TarMember | None:
        """The next member; None at the end of the archive, behind which there is nothing. What is left of the member
        before is passed over."""
        for _ in self.pieces():
            pass
        self._take(self._padding_bytes)
        self._digest_before = self._hash.hexdigest()
        header = self._take(_BLOCK)
        if not any(header):
            self._check_end()
            return None
        try:
            about = tarfile.TarInfo.frombuf(header, "ascii", "strict")
        except (tarfile.HeaderError, UnicodeDecodeError):
            raise BadBackup("it is damaged, or no backup") from None
        if about.type != tarfile.REGTYPE or about.size < 0:
            raise BadBackup(f"it holds something that no backup has: {about.name!r}")
        self._left_bytes = about.size
        self._padding_bytes = -about.size % _BLOCK
        return TarMember(about.name, about.size)

    def pieces(self) -> Iterator[bytes]:
        """What the member has, in pieces, as far as it was not read yet."""
        while self._left_bytes:
            piece = self._take(min(self._left_bytes, _PIECE_BYTES))
            self._left_bytes -= len(piece)
            yield piece

    def read(self, most_bytes: int) -> bytes:
        """All of the member, which has at most so many bytes."""
        if self._left_bytes > most_bytes:
            raise BadBackup("a part of it is larger than any backup has")
        return b"".join(self.pieces())

    def digest_before(self) -> str:
        """The digest of all that comes before the present member: SHA-256, hexadecimal."""
        return self._digest_before

    def _take(self, size: int) -> bytes:
        content = self._file.read(size)
        while len(content) < size:
            more = self._file.read(size - len(content))
            if not more:
                raise BadBackup("it is cut off")
            content += more
        self._hash.update(content)
        self.read_bytes += size
        return content

    def _check_end(self) -> None:
        if any(self._take(_BLOCK)) or self._file.read(1):
            raise BadBackup("something stands behind its end")
