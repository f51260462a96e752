"""A database of one moment, read without its server."""

import os
import secrets
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from storage.backup.batches import in_batches
from storage.backup_ports import BATCH_RECORDS, CHAT_KINDS, SERVER_KINDS, Batch
from storage.check.findings import Finding
from storage.errors import StorageError, Unavailable
from storage.files.folder import FolderFiles
from storage.files.owner import folder_of
from storage.sqlite.backup.faults import faults, unknown_files
from storage.sqlite.backup.read_rows import CHAT_READERS, SERVER_READERS
from storage.sqlite.connection import trouble_of, without_links
from storage.sqlite.faults import fault
from storage.sqlite.files import beside
from storage.sqlite.schema import MIGRATIONS, too_new, upgrade
from storage.sqlite.store import FILES_FOLDER

STRAY_AGE = timedelta(days=1)
"""How old a file is to which nothing refers and which a server should have removed by then."""


class SqliteSnapshot:
    """See `storage.backup_ports.Snapshot`. All that is read is of one read transaction, which keeps no writer waiting;
    while it lasts, the write-ahead log of a running server grows. Reading blocks the event loop: the program that does
    it has nothing else to do."""

    def __init__(self, db: sqlite3.Connection, path: Path, files: FolderFiles) -> None:
        self._db = db
        self._path = path
        self._files = files
        self._closed = False

    @classmethod
    async def open(cls, path: Path, files_folder: Path | None = None) -> "SqliteSnapshot":
        """Opens the file, which a server may have open. Its files are in that folder, as `SqliteStore.open` has it.
        Raises: `StorageError`, naming the path and the reason."""
        path = without_links(path)
        if not path.is_file():
            raise StorageError(f"there is no database {path}")
        with _faults(path):
            db = _open(path)
            (store_id,) = db.execute("SELECT value FROM meta WHERE key = 'store_id'").fetchone()
        folder = files_folder or path.parent / FILES_FOLDER
        return cls(db, path, FolderFiles(folder_of(folder, store_id)))

    async def server(self) -> AsyncIterator[Batch]:
        for kind in SERVER_KINDS:
            with _faults(self._path):
                for batch in in_batches(kind, None, SERVER_READERS[kind](self._db)):
                    yield batch

    async def chats(self, chat_ids: Sequence[int] | None = None) -> AsyncIterator[Batch]:
        with _faults(self._path):
            for chat_id in self._chat_ids() if chat_ids is None else sorted(set(chat_ids)):
                for batch in self._chat(chat_id):
                    yield batch

    async def faults(self) -> AsyncIterator[Finding]:
        """See `storage.check.checking.Inspected`."""
        with _faults(self._path):
            for finding in faults(self._db):
                yield finding
            async for finding in self._stray_files():
                yield finding

    async def _stray_files(self) -> AsyncIterator[Finding]:
        older_than, after = datetime.now(UTC) - STRAY_AGE, ""
        while names := await self._files.names(after=after, limit=BATCH_RECORDS, older_than=older_than):
            for name in unknown_files(self._db, names):
                yield Finding(None, f"nothing refers to the file {name}")
            after = names[-1]

    async def file_size(self, file_id: str) -> int | None:
        return await self._files.size(file_id)

    def file(self, file_id: str) -> AsyncIterator[bytes]:
        return self._files.read(file_id)

    async def progress_total(self) -> int:
        with _faults(self._path):
            (count,) = self._db.execute("SELECT count(*) FROM messages").fetchone()
        return int(count)

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._db.close()
            await self._files.close()

    def _chat_ids(self) -> Iterator[int]:
        for (chat_id,) in self._db.execute("SELECT id FROM chats ORDER BY id"):
            yield chat_id

    def _chat(self, chat_id: int) -> Iterator[Batch]:
        """Nothing for a chat that does not exist: its other rows may still be there."""
        for kind in CHAT_KINDS:
            found = False
            for batch in in_batches(kind, chat_id, CHAT_READERS[kind](self._db, chat_id)):
                found = True
                yield batch
            if kind == "chat" and not found:
                return


def _open(path: Path) -> sqlite3.Connection:
    """A connection in a read transaction, to the file or to a copy that has the newest schema. Raises:
    `StorageError`."""
    db = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)
    try:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > len(MIGRATIONS):
            raise StorageError(f"cannot read the database {path}: {too_new(version, len(MIGRATIONS))}")
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'users'").fetchone():
            raise StorageError(f"{path} is no database of this program, or nothing is in it")
        if version < len(MIGRATIONS):
            earlier, db = db, _upgraded_copy(db, path)
            earlier.close()
        db.execute("PRAGMA cache_size = -65536")
        db.execute("BEGIN")
        db.execute("SELECT 1 FROM sqlite_master").fetchone()  # the moment that is read
    except BaseException:
        db.close()
        raise
    return db


def _upgraded_copy(earlier: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    """A copy of a file of an earlier version, beside it and soon without a name, with the newest schema: a backup is
    made before the new version changes the file."""
    copy = beside(path, f".{secrets.token_hex(8)}")
    os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    try:
        db = sqlite3.connect(copy, isolation_level=None)
        try:
            earlier.backup(db)
            for pragma in ("journal_mode = MEMORY", "synchronous = OFF", "locking_mode = EXCLUSIVE"):
                db.execute(f"PRAGMA {pragma}")
            upgrade(db)
        except BaseException:
            db.close()
            raise
    finally:
        with suppress(OSError):
            copy.unlink()
    return db


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    """Raises: `Unavailable` for what SQLite raises about the file."""
    try:
        yield
    except sqlite3.Error as error:
        raise fault(error, f"the database {path} cannot be read", path) from error
    except OSError as error:
        raise Unavailable(
            f"the database {path} cannot be read: {error.strerror}", trouble_of(error)
        ) from error
