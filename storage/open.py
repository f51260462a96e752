"""From a URL to a store."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeVar

from storage.backup_ports import Restoration, Snapshot
from storage.errors import StorageError, Unavailable
from storage.ports import Store
from storage.sqlite import SqliteStore
from storage.sqlite.backup.restoration import SqliteRestoration
from storage.sqlite.backup.snapshot import SqliteSnapshot

Opener = Callable[[str, float, Path | None], Awaitable[Store]]
"""Takes the whole URL, how many seconds it may take to connect, and the folder of files."""

SnapshotOpener = Callable[[str, float, Path | None], Awaitable[Snapshot]]
RestorationOpener = Callable[[str, float, Path | None, float, Callable[[str], None]], Awaitable[Restoration]]
"""Takes besides: after how many seconds a silent server is dead, and what is called with a line if that takes time."""
OpenerT = TypeVar("OpenerT")

_PAUSE_S = 0.1


async def open_store(url: str, *, connect_timeout_s: float = 30, files_folder: Path | None = None) -> Store:
    """Opens the store that the URL names: `sqlite:///relative/path`, `sqlite:////absolute/path`,
    `mongodb://user:password@host:port/name`, `mongodb+srv://user:password@host/name` (without a name: `vestnik`).

    Tries to reach a server for `connect_timeout_s`. Beside SQLite, the bytes of files are kept in `files_folder`; None:
    in the folder `uploads` beside the database. With MongoDB they are in the database.

    Raises: `StorageError`, with a message that names what is wrong but never repeats the URL, which may hold a
    password.
    """
    return await _opener(_OPENERS, url)(url, connect_timeout_s, files_folder)


async def open_when_free(
    url: str, *, connect_timeout_s: float, wait_s: float, files_folder: Path | None = None
) -> Store:
    """As `open_store`, but a store that another program has locked is tried again for `wait_s`: `vestnik user` has it
    for a moment."""
    give_up_at = asyncio.get_running_loop().time() + wait_s
    while True:
        try:
            return await open_store(url, connect_timeout_s=connect_timeout_s, files_folder=files_folder)
        except Unavailable as error:
            if error.trouble != "locked" or asyncio.get_running_loop().time() > give_up_at:
                raise
        await asyncio.sleep(_PAUSE_S)


async def open_snapshot(
    url: str, *, connect_timeout_s: float = 30, files_folder: Path | None = None
) -> Snapshot:
    """Opens what the store holds now for reading, whether servers run on it or not. The arguments and what is raised
    are as with `open_store`, but a store that is not there is not made: `StorageError`."""
    return await _opener(_SNAPSHOTS, url)(url, connect_timeout_s, files_folder)


async def open_restoration(
    url: str,
    *,
    connect_timeout_s: float = 30,
    files_folder: Path | None = None,
    lease_s: float = 60,
    say: Callable[[str], None] = lambda line: None,
) -> Restoration:
    """Begins to fill the empty place that the URL names. The first arguments are those of `open_store`. On MongoDB, a
    server that left without a word is dead after `lease_s`; `say` gets a line before that is waited for. Raises:
    `StorageError`, also if the place is not empty, or a server runs there."""
    return await _opener(_RESTORATIONS, url)(url, connect_timeout_s, files_folder, lease_s, say)


async def _open_sqlite(url: str, _connect_timeout_s: float, files_folder: Path | None) -> Store:
    """A file can be opened at once or not at all, so there is no timeout."""
    return await SqliteStore.open(_sqlite_path(url), files_folder)


async def _open_sqlite_snapshot(url: str, _connect_timeout_s: float, files_folder: Path | None) -> Snapshot:
    return await SqliteSnapshot.open(_sqlite_path(url), files_folder)


async def _open_sqlite_restoration(
    url: str,
    _connect_timeout_s: float,
    files_folder: Path | None,
    _lease_s: float,
    _say: Callable[[str], None],
) -> Restoration:
    return await SqliteRestoration.open(_sqlite_path(url), files_folder)


def _sqlite_path(url: str) -> Path:
    """Raises: `StorageError`."""
    path = url.partition("://")[2]
    # sqlite:///x.db has an empty host, then the path x.db; people write sqlite://x.db as well.
    path = path.removeprefix("/")
    if not path or path == ":memory:":
        raise StorageError(
            "the database URL names no file: sqlite:///relative/path or sqlite:////absolute/path"
        )
    if "?" in path:
        raise StorageError("the database URL has options (?…), a SQLite file takes none")
    return Path(path)


async def _open_mongodb(url: str, connect_timeout_s: float, _files_folder: Path | None) -> Store:
    # Imported only here: it takes a while to load the driver, and a server on SQLite does not need it.
    from storage.mongo import MongoStore

    return await MongoStore.open(url, connect_timeout_s=connect_timeout_s)


async def _open_mongodb_snapshot(url: str, connect_timeout_s: float, _files_folder: Path | None) -> Snapshot:
    from storage.mongo.backup.snapshot import MongoSnapshot

    return await MongoSnapshot.open(url, connect_timeout_s)


async def _open_mongodb_restoration(
    url: str,
    connect_timeout_s: float,
    _files_folder: Path | None,
    lease_s: float,
    say: Callable[[str], None],
) -> Restoration:
    from storage.mongo.backup.restoration import MongoRestoration

    return await MongoRestoration.open(url, connect_timeout_s, lease_s=lease_s, say=say)


def _opener(openers: Mapping[str, OpenerT], url: str) -> OpenerT:
    """Raises: `StorageError`."""
    scheme, separator, _ = url.partition("://")
    if not separator:
        raise StorageError(f"the database URL has no scheme, it should begin with {_known_schemes()}")
    opener = openers.get(scheme.lower())
    if opener is None:
        raise StorageError(
            f"no store for database URLs with the scheme {scheme!r}, only for {_known_schemes()}"
        )
    return opener


_OPENERS: Mapping[str, Opener] = {
    "sqlite": _open_sqlite,
    "mongodb": _open_mongodb,
    "mongodb+srv": _open_mongodb,
}


_SNAPSHOTS: Mapping[str, SnapshotOpener] = {
    "sqlite": _open_sqlite_snapshot,
    "mongodb": _open_mongodb_snapshot,
    "mongodb+srv": _open_mongodb_snapshot,
}

_RESTORATIONS: Mapping[str, RestorationOpener] = {
    "sqlite": _open_sqlite_restoration,
    "mongodb": _open_mongodb_restoration,
    "mongodb+srv": _open_mongodb_restoration,
}


def _known_schemes() -> str:
    return ", ".join(f"{scheme}://" for scheme in _OPENERS)
