"""Connections to the file."""

import errno
import os
import sqlite3
from pathlib import Path

from storage.errors import StorageError, Trouble, Unavailable
from storage.sqlite import schema
from storage.sqlite.faults import unavailable
from storage.sqlite.files import DatabaseFiles
from storage.sqlite.lock import ServerLock

BUSY_TIMEOUT_S = 5
"""How long to wait for somebody outside (a `sqlite3` shell, a backup) who holds the file."""

_STATEMENTS_KEPT = 256
_PROBE_BYTES = 64 * 1024


def without_links(path: Path) -> Path:
    """The name under which SQLite, which follows symbolic links too, puts its other files."""
    return Path(os.path.realpath(path))


def connect(path: Path) -> sqlite3.Connection:
    """Without a transaction of its own making. Each connection is used by one thread, but closed by another."""
    return sqlite3.connect(
        path,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_STATEMENTS_KEPT,
    )


def open_writer(path: Path) -> tuple[sqlite3.Connection, ServerLock, DatabaseFiles]:
    """The file, made if there is none, brought to the newest schema and written to; the lock, held until it is
    released; and what the files are. `path` is without symbolic links, as SQLite puts its other files beside the
    real one.

    Raises: `StorageError`, naming the path and the reason.
    """
    try:
        lock = ServerLock(path)
        try:
            db = _prepared(path)
            try:
                return db, lock, DatabaseFiles(path, lock.file)
            except BaseException:
                db.close()
                raise
        except BaseException:
            lock.release()
            raise
    except OSError as error:
        raise Unavailable(f"cannot open the database {path}: {error.strerror}", _trouble_of(error)) from error
    except sqlite3.Error as error:
        raise unavailable(error, f"cannot open the database {path}", path) from error
    except Unavailable as error:
        raise Unavailable(f"cannot open the database {path}: {error}", error.trouble) from None
    except StorageError as error:
        raise type(error)(f"cannot open the database {path}: {error}") from None


def _trouble_of(error: OSError) -> Trouble:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "full"
    return "read_only" if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM) else "failing"


def _prepared(path: Path) -> sqlite3.Connection:
    db = connect(path)
    try:
        (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise Unavailable(
                f"its file system does not allow write-ahead logging (journal mode {mode})", "failing"
            )
        db.execute("PRAGMA synchronous = FULL")  # an ack means: on disk
        db.execute("PRAGMA cache_size = -65536")
        db.execute("PRAGMA wal_autocheckpoint = 4096")
        db.execute("PRAGMA journal_size_limit = 67108864")
        schema.upgrade(db)
        probe(db)  # a file that cannot be written is found out now, and not by the first who sends
    except BaseException:
        db.close()
        raise
    return db


def probe(db: sqlite3.Connection) -> None:
    """Commits a write that needs about as much room as the largest message: on a full disk one of a single page may
    succeed for ever. Raises: `sqlite3.Error`, then possibly in a transaction."""
    db.execute("BEGIN IMMEDIATE")
    # Not a step of the schema: it holds no data, and servers that know nothing of it may open the file.
    db.execute("CREATE TABLE IF NOT EXISTS probe (id INTEGER PRIMARY KEY, content BLOB NOT NULL)")
    db.execute("INSERT OR REPLACE INTO probe (id, content) VALUES (1, randomblob(?))", (_PROBE_BYTES,))
    db.execute("COMMIT")


def open_reader(path: Path) -> sqlite3.Connection:
    db = connect(path)
    db.execute("PRAGMA query_only = ON")
    db.execute("PRAGMA cache_size = -16384")
    return db
