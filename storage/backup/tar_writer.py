"""Writes a tar archive as a stream, with a digest of all of it. The standard library makes the headers; its own stream
remembers every member, and reads what a member has from a file that does not wait."""

import tarfile
from hashlib import sha256
from typing import BinaryIO

_BLOCK = 512
_END = bytes(2 * _BLOCK)


class TarWriter:
    """Writes members one after the other. Every method may raise `OSError`."""

    def __init__(self, out: BinaryIO, time_s: int) -> None:
        """`time_s`: the time that each member has."""
        self._out = out
        self._time_s = time_s
        self._hash = sha256()
        self._left_bytes = 0
        self._padding = b""
        self.written_bytes = 0

    def add(self, name: str, content: bytes) -> None:
        """Writes a whole member."""
        self.begin(name, len(content))
        self.write(content)
        self.end()

    def begin(self, name: str, size_bytes: int) -> None:
        """Begins a member of that size; its name is short, and ASCII."""
        about = tarfile.TarInfo(name)
        about.size, about.mtime, about.mode = size_bytes, self._time_s, 0o600
        self._put(about.tobuf(tarfile.GNU_FORMAT, "ascii", "strict"))
        self._left_bytes = size_bytes
        self._padding = bytes(-size_bytes % _BLOCK)

    def write(self, content: bytes) -> None:
        """Writes a part of the member. What is more than its size is left out."""
        content = content[: self._left_bytes]
        self._left_bytes -= len(content)
        self._put(content)

    def end(self) -> bool:
        """Ends the member. Returns whether all of it was written; zeros stand for the rest."""
        whole = not self._left_bytes
        while self._left_bytes:
            self.write(bytes(min(self._left_bytes, 64 * 1024)))
        self._put(self._padding)
        return whole

    def digest(self) -> str:
        """The digest of all that is written so far: SHA-256, hexadecimal."""
        return self._hash.hexdigest()

    def finish(self) -> None:
        """Writes the end of the archive."""
        self._put(_END)

    def _put(self, content: bytes) -> None:
        self._out.write(content)
        self._hash.update(content)
        self.written_bytes += len(content)
