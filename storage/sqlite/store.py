"""The store: its parts over one database."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from domain.changes import Change, ChatDeleted, Observer
from storage.sqlite.chats import SqliteChats
from storage.sqlite.database import Database
from storage.sqlite.messages import SqliteMessages
from storage.sqlite.removal import Remover
from storage.sqlite.sessions import SqliteSessions
from storage.sqlite.users import SqliteUsers


class SqliteStore:
    """See `storage.ports.Store`. One server at a time: a second one on the same file is refused."""

    shared = False

    def __init__(self, database: Database, store_id: str, epoch: str) -> None:
        self.id = store_id
        self._database = database
        self.epoch = epoch
        self._observer: Observer | None = None
        self.health = database.health
        self._remover = Remover(database)
        self.users = SqliteUsers(database)
        self.sessions = SqliteSessions(database)
        self.chats = SqliteChats(database)
        self.messages = SqliteMessages(database)
        database.observe(self._committed)
        self._remover.start()

    @classmethod
    async def open(cls, path: Path) -> "SqliteStore":
        """Opens the file, makes it if there is none. Raises: `StorageError`, naming the path and the reason."""
        database = await Database.open(path)
        try:
            return cls(database, *await database.read(_names))
        except BaseException:
            await database.close()
            raise

    def observe(self, observer: Observer) -> None:
        self._observer = observer

    def told_head(self, chat_id: int, head_seq: int) -> int:
        return self._database.told_head(chat_id, head_seq)

    async def ping(self) -> None:
        """Raises: `Unavailable`."""
        await self.health.check()

    async def close(self) -> None:
        await self._database.close()

    def _committed(self, changes: Sequence[Change]) -> None:
        if any(isinstance(change, ChatDeleted) for change in changes):
            self._remover.start()
        if self._observer is not None:
            self._observer(changes)


def _names(db: sqlite3.Connection) -> tuple[str, str]:
    """The id of the store and the epoch of its data."""
    found = dict(db.execute("SELECT key, value FROM meta WHERE key IN ('store_id', 'epoch')"))
    return str(found["store_id"]), str(found["epoch"])
