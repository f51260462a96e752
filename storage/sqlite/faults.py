"""From errors of SQLite to the words of `storage.errors.Trouble`."""

import os
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from storage.errors import Trouble, Unavailable
from storage.sqlite.files import beside

_TROUBLES: Mapping[int, Trouble] = {
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_READONLY: "read_only",
    sqlite3.SQLITE_PERM: "read_only",
    sqlite3.SQLITE_AUTH: "read_only",
    sqlite3.SQLITE_BUSY: "locked",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_CORRUPT: "broken",
    sqlite3.SQLITE_NOTADB: "broken",
}
"""By primary result code. For other codes, see `_trouble_of_disk`."""

_ROOM_BYTES = 256 * 1024
"""A file system with less room than this counts as full, and so does a file that may grow by less."""


def fault(error: Exception, what: str, path: Path) -> Exception:
    """The exception that the caller of the store gets: `Unavailable` for a full, locked or failing disk, which may
    recover; a bug as it is."""
    if isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError:
        return unavailable(error, what, path)
    return error


def unavailable(error: sqlite3.Error, what: str, path: Path) -> Unavailable:
    """`path` is the database file: the state of its disk explains an I/O error."""
    unavailable = Unavailable(f"{what}: {error}{_name_of(error)}", _trouble_of(error, path))
    unavailable.__cause__ = error
    return unavailable


def _name_of(error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", None)  # not set if Python raised it itself
    return f" ({name})" if name else ""


def _trouble_of(error: sqlite3.Error, path: Path) -> Trouble:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    if code == sqlite3.SQLITE_READONLY_DBMOVED:
        return "gone"
    primary = code & 0xFF
    if primary in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):
        return _trouble_of_disk(path)
    return _TROUBLES.get(primary, "failing")


def _trouble_of_disk(path: Path) -> Trouble:
    """Why the file cannot be read or written, as far as the state of its disk shows."""
    if sys.platform == "win32":
        return "failing"
    try:
        disk = os.statvfs(path.parent)
        if not path.exists():
            return "gone"
    except FileNotFoundError:
        return "gone"
    except OSError:
        return "failing"
    files = [file for file in (path, beside(path, "-wal")) if file.exists()]
    if disk.f_flag & os.ST_RDONLY or not all(os.access(file, os.W_OK) for file in files):
        return "read_only"
    if disk.f_bavail * disk.f_frsize < _ROOM_BYTES or _at_size_limit(files):
        return "full"
    return "failing"


def _at_size_limit(files: Sequence[Path]) -> bool:
    """Whether one of the files is about as large as this process may make it (`ulimit -f`)."""
    import resource

    most, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if most == resource.RLIM_INFINITY:
        return False
    return any(file.stat().st_size + _ROOM_BYTES > most for file in files)
