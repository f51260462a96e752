"""The files of an open database: whether they are still the ones that were opened."""

import os
from collections.abc import Mapping
from pathlib import Path

from storage.errors import Unavailable
from storage.modes import warn_of_modes

_HEADER_BYTES = 100
"""A SQLite file is never shorter than its header."""


def beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


class DatabaseFiles:
    """The database, its write-ahead log and the log's index, as they are when this is made: all three have to exist.

    A program goes on writing a file that was deleted or replaced, and all of that is lost when it ends.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._identities: Mapping[Path, tuple[int, int]] = {
            file: _identity(os.stat(file)) for file in (path, beside(path, "-wal"), beside(path, "-shm"))
        }
        warn_of_modes(self._identities, "the database, with password hashes in it")

    def check(self) -> None:
        """Looks at the names in the directory; three system calls, about 1 µs each. Raises: `Unavailable`, gone."""
        for file, identity in self._identities.items():
            problem = self._problem(file, identity)
            if problem is not None:
                raise Unavailable(
                    f"{file} {problem} while the server runs; restart it when the file is right", "gone"
                )

    def has_database(self) -> bool:
        """Whether at least the database itself is in its place, so that its log can be saved into it."""
        return self._problem(self._path, self._identities[self._path]) is None

    def _problem(self, file: Path, identity: tuple[int, int]) -> str | None:
        try:
            now = os.stat(file)
        except (FileNotFoundError, NotADirectoryError):
            return "was deleted"
        except OSError:
            return None  # whatever that is, the file may still be there
        if _identity(now) != identity:
            return "was replaced"
        if file == self._path and now.st_size < _HEADER_BYTES:
            return "was emptied"
        return None


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
