"""Connections to the file, and the lock that keeps a second server away from it."""

import sqlite3
from pathlib import Path

from storage.errors import StorageError, Unavailable
from storage.sqlite import schema

BUSY_TIMEOUT_S = 5
"""How long to wait for somebody outside (a `sqlite3` shell, a backup) who holds the file."""

_STATEMENTS_KEPT = 256


def fault(error: Exception, what: str) -> Exception:
    """What a caller gets for an error he did not cause: a full, locked or failing disk may get better, so that is
    `Unavailable`; a bug is shown as it is."""
    if isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError:
        unavailable = Unavailable(f"{what}: {error}")
        unavailable.__cause__ = error
        return unavailable
    return error


def connect(path: Path) -> sqlite3.Connection:
    """Without a transaction of its own making. Each connection is used by one thread, but closed by another."""
    return sqlite3.connect(
        path,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_STATEMENTS_KEPT,
    )


def open_writer(path: Path) -> tuple[sqlite3.Connection, sqlite3.Connection]:
    """The file, made if there is none, brought to the newest schema; and the lock, held until it is closed.

    Raises: `StorageError`, naming the path and the reason.
    """
    try:
        path.touch(mode=0o600)  # it holds password hashes; the files SQLite puts beside it get the same mode
        lock = _lock(path)
        try:
            return _prepared(path), lock
        except BaseException:
            lock.close()
            raise
    except (OSError, sqlite3.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise Unavailable(f"cannot open the database {path}: {reason}") from error
    except StorageError as error:
        raise type(error)(f"cannot open the database {path}: {error}") from None


def _lock(path: Path) -> sqlite3.Connection:
    """Keeps a second server away: what the one server keeps in memory (heads, roles) is true only while nobody else
    writes. It dies with the process. It is on a file of its own, so that readers from outside go on as ever; and it
    is SQLite's, so that it works wherever SQLite does.
    """
    beside = path.with_name(f"{path.name}.lock")
    beside.touch(mode=0o600)
    lock = sqlite3.connect(beside, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        lock.close()
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise Unavailable("another server has it open") from None
        raise
    return lock


def _prepared(path: Path) -> sqlite3.Connection:
    db = connect(path)
    try:
        (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise Unavailable(f"its file system does not allow write-ahead logging (journal mode {mode})")
        db.execute("PRAGMA synchronous = FULL")  # an ack means: on disk
        db.execute("PRAGMA cache_size = -65536")
        db.execute("PRAGMA wal_autocheckpoint = 4096")
        db.execute("PRAGMA journal_size_limit = 67108864")
        schema.upgrade(db)
    except BaseException:
        db.close()
        raise
    return db


def open_reader(path: Path) -> sqlite3.Connection:
    db = connect(path)
    db.execute("PRAGMA query_only = ON")
    db.execute("PRAGMA cache_size = -16384")
    return db
