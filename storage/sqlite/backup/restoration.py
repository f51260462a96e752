"""A new database that is being filled beside its place, and put there when all of it is on disk."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from storage.backup.errors import BadBackup
from storage.backup_ports import Batch, Snapshot
from storage.errors import StorageError, Unavailable
from storage.files.folder import place_in, sync_folder
from storage.files.owner import give_folder, note_of, own_name, planned_folder
from storage.sqlite.backup.snapshot import SqliteSnapshot
from storage.sqlite.backup.write_rows import RowWriter
from storage.sqlite.connection import trouble_of, without_links
from storage.sqlite.faults import unavailable
from storage.sqlite.files import beside
from storage.sqlite.lock import lock_beside
from storage.sqlite.schema import upgrade
from storage.sqlite.store import FILES_FOLDER

_PART = ".restore"
"""How the name of a database ends that is being filled."""

_PART_FOLDER = "restore"
"""Where the files are meanwhile, in their folder; servers pass it over."""

_LOGS = ("-wal", "-shm", "-journal")


class SqliteRestoration:
    """See `storage.backup_ports.Restoration`. What is filled is `<database>.restore`, and `restore` in the folder of
    files, which may be on a disk of its own; they get their places in `finish`. No server can open the database
    meanwhile."""

    def __init__(self, path: Path, folder: Path, lock: sqlite3.Connection, gone: set[str]) -> None:
        """`gone`: the ids of stores whose places this one takes."""
        self._path = path
        self._first_folder = folder
        self._lock = lock
        self._gone = gone
        self._part = beside(path, _PART)
        self._store_id = ""
        self._folder = folder
        self._part_folder = folder / _PART_FOLDER
        self._db: sqlite3.Connection | None = None
        self._rows: RowWriter | None = None
        self._is_half_placed = False
        self._closed = False

    @classmethod
    async def open(cls, path: Path, files_folder: Path | None = None) -> "SqliteRestoration":
        """Begins to fill the place, and removes what an interrupted restoration left. The arguments are those of
        `SqliteStore.open`. Raises: `StorageError` if there is a database with anything in it, or a server runs."""
        path = without_links(path)
        folder = files_folder or path.parent / FILES_FOLDER
        with _faults(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = _lock(path)
            try:
                gone = _ids_of_empty(path)
                for left in _id_of(beside(path, _PART)):
                    gone.add(left)
                    _remove_folder(own_name(folder, left))
                _remove_database(beside(path, _PART))
                _remove_folder(folder / _PART_FOLDER)
                return cls(path, folder, lock, gone)
            except BaseException:
                lock.close()
                raise

    async def put(self, batch: Batch) -> None:
        with _faults(self._path):
            if self._rows is None:
                self._begin()
            assert self._rows is not None
            self._rows.put(batch)

    def _begin(self) -> None:
        self._db = _new_database(self._part)
        (self._store_id,) = _ids(self._db)
        self._rows = RowWriter(self._db)
        self._folder = planned_folder(self._first_folder, self._store_id, self._gone)
        self._part_folder = self._folder / _PART_FOLDER

    async def put_file(self, file_id: str, pieces: AsyncIterator[bytes]) -> None:
        place = place_in(self._part_folder, file_id)
        with _faults(self._path):
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            for folder in (self._folder, self._part_folder, place.parent):
                folder.mkdir(mode=0o700, exist_ok=True)
            with os.fdopen(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
                async for piece in pieces:
                    file.write(piece)

    async def drop_file(self, file_id: str) -> None:
        with _faults(self._path):
            place_in(self._part_folder, file_id).unlink(missing_ok=True)

    async def written(self) -> Snapshot:
        assert self._db is not None
        assert self._rows is not None
        with _faults(self._path):
            self._rows.finish()
            self._db.execute("COMMIT")
            self._db.close()
            self._db = None
        return await SqliteSnapshot.open(self._part, self._part_folder)

    async def finish(self) -> None:
        with _faults(self._path):
            await asyncio.to_thread(_sync, self._part, self._part_folder)
            _remove_logs(self._part)
            self._is_half_placed = True
            give_folder(self._first_folder, self._store_id, self._gone)
            if self._part_folder.exists():
                _move_files(self._part_folder, self._folder)
            _remove_logs(self._path)
            note = note_of(self._first_folder)
            _give_to_owner_of(self._path.parent, self._part, beside(self._path, ".lock"), note, self._folder)
            self._part.rename(self._path)
            self._is_half_placed = False
            sync_folder(self._path.parent)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            if self._db is not None:
                self._db.close()
            if not self._is_half_placed:  # else it says to the next restoration whose files those are
                _remove_database(self._part)
            _remove_folder(self._part_folder)
        finally:
            self._lock.close()


def _new_database(path: Path) -> sqlite3.Connection:
    """A database with tables, in a transaction without a journal: what breaks off is thrown away."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    db = sqlite3.connect(path, isolation_level=None)
    try:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE"):
            db.execute(f"PRAGMA {pragma}")
        db.execute("PRAGMA cache_size = -65536")
        upgrade(db)
        db.execute("BEGIN")
    except BaseException:
        db.close()
        raise
    return db


def _lock(path: Path) -> sqlite3.Connection:
    try:
        return lock_beside(path)
    except Unavailable as error:
        raise StorageError(
            f"a server, or another restore, has the database {path} open: stop it first"
        ) from error


def _ids_of_empty(path: Path) -> set[str]:
    """The id of an empty database in that place; none where there is no file, or one of no bytes. Raises:
    `StorageError` if there is anything in it."""
    if not path.exists():
        return set()
    if path.stat().st_size == 0 and not beside(path, "-wal").exists():
        return set()
    db = sqlite3.connect(path, isolation_level=None)
    try:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table, what in (("users", "accounts"), ("chats", "chats")):
            count = db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] if table in tables else 0  # noqa: S608
            if count:
                raise StorageError(
                    f"the database {path} is not empty: it has {count:,} {what}; a backup is restored into an empty"
                    " place only: move the database away, or name another one in DATABASE_URL"
                )
        if tables and "users" not in tables:
            raise StorageError(f"{path} is a database of another program")
        db.execute(
            "PRAGMA journal_mode = DELETE"
        )  # so that no log is left that would be taken for the new one's
        return _ids(db) if "meta" in tables else set()
    finally:
        db.close()


def _id_of(path: Path) -> set[str]:
    """The id of the store in a file that was written here; none if it has not got that far."""
    if not path.exists():
        return set()
    with suppress(sqlite3.Error):
        db = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
        try:
            return _ids(db)
        finally:
            db.close()
    return set()


def _ids(db: sqlite3.Connection) -> set[str]:
    return {value for (value,) in db.execute("SELECT value FROM meta WHERE key = 'store_id'")}


def _remove_database(path: Path) -> None:
    path.unlink(missing_ok=True)
    _remove_logs(path)


def _remove_logs(path: Path) -> None:
    for suffix in _LOGS:
        beside(path, suffix).unlink(missing_ok=True)


def _remove_folder(folder: Path) -> None:
    """Removes a folder with all that is in it, and the one in which it is, if nothing else is there."""
    if folder.exists():
        shutil.rmtree(folder)
        with suppress(OSError):
            folder.parent.rmdir()


def _move_files(source: Path, target: Path) -> None:
    """Moves the sub-folders of a folder, and what is in them, into another one, which may have such."""
    for sub_folder in source.iterdir():
        there = target / sub_folder.name
        if there.exists():
            for file in sub_folder.iterdir():
                file.replace(there / file.name)
        else:
            sub_folder.rename(there)
        sync_folder(there)
    shutil.rmtree(source)
    sync_folder(target)


def _give_to_owner_of(place: Path, *made: Path) -> None:
    """Gives what root has made to whose folder it is in: the server may run as another user. Does nothing for others,
    who cannot give anything away."""
    owner = place.stat()
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or owner.st_uid == 0:
        return
    for one in made:
        for path in (one, *(one.rglob("*") if one.is_dir() else ())):
            if path.exists():
                os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _sync(path: Path, folder: Path) -> None:
    """Writes the database and the files to disk: all at once, for one by one each would take as long as many; then
    the system says whether it could."""
    os.sync()
    for file in (path, *folder.rglob("*"), *([folder] if folder.exists() else [])):
        opened = os.open(file, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    """Raises: `StorageError` for what SQLite and the file system raise."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise BadBackup(f"its records contradict each other ({error})") from error
    except (sqlite3.Error, OverflowError) as error:
        if not isinstance(error, sqlite3.Error):
            raise BadBackup("a number in it is too large") from error
        raise unavailable(error, f"the database {path} cannot be written", path) from error
    except FileExistsError as error:
        raise BadBackup("two of its files have the same name") from error
    except OSError as error:
        raise Unavailable(f"cannot write {path}: {error.strerror}", trouble_of(error)) from error
