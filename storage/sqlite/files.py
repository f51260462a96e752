"""Checks that the files of an open database are still the ones that were opened."""

import os
import time
from collections.abc import Mapping
from pathlib import Path

from storage.errors import Trouble, Unavailable
from storage.file_modes import warn_of_modes

_HEADER_BYTES = 100
"""The size of the header of a SQLite file; no such file is shorter."""
_MAGIC = b"SQLite format 3\0"
_TICK_NS = 50_000_000


def beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


class DatabaseFiles:
    """Remembers the database, its write-ahead log and the log's index as they are now; all three have to exist.

    A program can go on writing a file that was deleted or replaced, and everything it writes is lost when it ends.
    `file` is a descriptor of the database that stays open: to close one takes SQLite's locks away.
    """

    def __init__(self, path: Path, file: int) -> None:
        self._path = path
        self._file = file
        self._identities: Mapping[Path, tuple[int, int]] = {
            one: _identity(os.stat(one)) for one in (path, beside(path, "-wal"), beside(path, "-shm"))
        }
        self._folder = str(path.parent)
        self._folder_seen: tuple[int, int] | None = None
        warn_of_modes(self._identities, "the database, with password hashes in it")

    def check_quickly(self) -> None:
        """Checks the files if their folder has changed since the last check, or if the database is empty. A folder
        changes when a name in it is removed or given to another file. Makes two system calls, 4 µs together.

        Raises: `Unavailable`.
        """
        try:
            folder = os.stat(self._folder)
            size_bytes = os.fstat(self._file).st_size
        except OSError:
            self.check()
            return
        if self._folder_seen != (folder.st_mtime_ns, folder.st_ino) or size_bytes < _HEADER_BYTES:
            self.check()
            # Two changes of the folder in one tick of the file system's clock leave the same time.
            settled = time.time_ns() - folder.st_mtime_ns > _TICK_NS
            self._folder_seen = (folder.st_mtime_ns, folder.st_ino) if settled else None

    def check(self) -> None:
        """Checks each of the files, and the first bytes of the database. Raises: `Unavailable`, gone or broken."""
        for one in self._identities:
            self._check(one)
        try:
            if hasattr(os, "pread") and os.pread(self._file, len(_MAGIC), 0) != _MAGIC:
                raise _changed(self._path, "was overwritten", "broken")
        except OSError as error:
            raise Unavailable(f"{self._path} cannot be read: {error.strerror}", "failing") from error

    def has_database(self) -> bool:
        """Whether at least the database itself is in its place, so that its log can be saved into it."""
        try:
            self._check(self._path)
        except Unavailable:
            return False
        return True

    def _check(self, one: Path) -> None:
        try:
            now = os.stat(one)
        except (FileNotFoundError, NotADirectoryError):
            raise _changed(one, "was deleted", "gone") from None
        except OSError:
            return  # for whatever reason, the file may still be there
        if _identity(now) != self._identities[one]:
            raise _changed(one, "was replaced", "gone")
        if one == self._path and now.st_size < _HEADER_BYTES:
            raise _changed(one, "was emptied", "gone")


def _changed(one: Path, how: str, trouble: Trouble) -> Unavailable:
    return Unavailable(
        f"{one} {how} while the server runs; stop it, put the right file back, start it", trouble
    )


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
