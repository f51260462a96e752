"""The lock that keeps a second server away from a database, whatever path that server uses for it."""

import errno
import os
import sqlite3
import struct
from pathlib import Path

from storage.errors import Unavailable
from storage.sqlite.files import beside

_TAKEN = "another server has it open"
_FAR_BYTES = 1 << 62
"""Where in the file the lock is: far from the bytes that SQLite locks, and beyond the end of any file."""


class ServerLock:
    """Locks a database for one server: what a server keeps in memory (heads, roles) is true only while no other program
    writes the file.

    There are two locks, which end with the process. The first is on a file of its own, so that it does not hinder
    readers; it is a lock of SQLite, so it works wherever SQLite does. The second, where the system has such locks
    (Linux), is on the database itself: another server may use a hard link, or the lock file may have been deleted.
    """

    def __init__(self, path: Path) -> None:
        """Takes the locks, and creates the file if there is none. `path` is without symbolic links. Raises:
        `Unavailable`, `OSError`, `sqlite3.Error`."""
        self._beside = lock_beside(path)
        self.file = -1
        try:
            # The mode, because the file holds password hashes; SQLite gives it to the files beside it too. It is kept
            # open until SQLite has closed it: to close a descriptor of it takes SQLite's own locks away.
            self.file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
            _lock_file(self.file)
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """To be called after the last connection is closed."""
        if self.file >= 0:
            os.close(self.file)
            self.file = -1
        self._beside.close()


def lock_beside(path: Path) -> sqlite3.Connection:
    """Keeps servers away from the database of that path, which need not be there, until the connection is closed.
    Raises: `Unavailable` (locked), `OSError`, `sqlite3.Error`."""
    name = beside(path, ".lock")
    name.touch(mode=0o600)
    lock = sqlite3.connect(name, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        lock.close()
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise Unavailable(_TAKEN, "locked") from None
        raise
    return lock


def _lock_file(file: int) -> None:
    try:
        import fcntl

        command = fcntl.F_OFD_SETLK
    except (ImportError, AttributeError):
        return
    # struct flock: type, whence, start, length, pid. SQLite's locks are the process's; this one is the open file's.
    request = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, _FAR_BYTES, 1, 0)
    try:
        fcntl.fcntl(file, command, request)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            raise Unavailable(_TAKEN, "locked") from None
        # A file system without such locks: the lock beside it has to suffice.
