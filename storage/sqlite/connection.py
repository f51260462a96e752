"""Connections to the file."""

import errno
import os
import sqlite3
from pathlib import Path

from storage.errors import StorageError, Trouble, Unavailable
from storage.sqlite import schema, search_segments
from storage.sqlite.faults import unavailable
from storage.sqlite.files import DatabaseFiles
from storage.sqlite.lock import ServerLock

BUSY_TIMEOUT_S = 5
"""How long to wait for another program (a `sqlite3` shell, a backup) that has the file locked."""

_STATEMENTS_KEPT = 256
_PROBE_BYTES = 64 * 1024


def without_links(path: Path) -> Path:
    """The path without symbolic links, beside which SQLite puts its other files."""
    return Path(os.path.realpath(path))


def connect(path: Path) -> sqlite3.Connection:
    """A connection that begins no transactions by itself. One thread uses it, and another closes it."""
    return sqlite3.connect(
        path,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_STATEMENTS_KEPT,
    )


def open_writer(path: Path) -> tuple[sqlite3.Connection, ServerLock, DatabaseFiles]:
    """Opens the file for writing: creates it if there is none, brings it to the newest schema, and writes to it once.

    Returns the connection; the lock, to be released after it; and the files to be watched. `path` is without symbolic
    links.

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
        raise Unavailable(f"cannot open the database {path}: {error.strerror}", trouble_of(error)) from error
    except sqlite3.Error as error:
        raise unavailable(error, f"cannot open the database {path}", path) from error
    except Unavailable as error:
        raise Unavailable(f"cannot open the database {path}: {error}", error.trouble) from None
    except StorageError as error:
        raise type(error)(f"cannot open the database {path}: {error}") from None


def trouble_of(error: OSError) -> Trouble:
    """What an error of the file system says of a store."""
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
        db.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten
        db.execute("PRAGMA cache_size = -65536")
        db.execute("PRAGMA wal_autocheckpoint = 4096")
        db.execute("PRAGMA journal_size_limit = 67108864")
        schema.upgrade(db)
        search_segments.add_functions(db)
        probe(db)  # so that a file that cannot be written fails now, and not at the first send
    except BaseException:
        db.close()
        raise
    return db


def probe(db: sqlite3.Connection) -> None:
    """Commits a write of about the size of the largest message: on a full disk, one of a single page may always
    succeed. Raises: `sqlite3.Error`, and a transaction may then be open."""
    db.execute("BEGIN IMMEDIATE")
    # Not a step of the schema: the table holds no data, and servers that do not know it may open the file.
    db.execute("CREATE TABLE IF NOT EXISTS probe (id INTEGER PRIMARY KEY, content BLOB NOT NULL)")
    db.execute("INSERT OR REPLACE INTO probe (id, content) VALUES (1, randomblob(?))", (_PROBE_BYTES,))
    db.execute("COMMIT")


def open_reader(path: Path) -> sqlite3.Connection:
    db = connect(path)
    db.execute("PRAGMA query_only = ON")
    db.execute("PRAGMA cache_size = -16384")
    return db
