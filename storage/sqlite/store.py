"""The store: its parts over one database."""

import sqlite3
from pathlib import Path

from domain.changes import LaggingSubscriber, Subscriber
from storage.results import check_results
from storage.sqlite.blocks import SqliteBlocks
from storage.sqlite.changes import check_changes
from storage.sqlite.chats import SqliteChats
from storage.sqlite.database import Database
from storage.sqlite.messages import SqliteMessages
from storage.sqlite.removal import Remover
from storage.sqlite.sessions import SqliteSessions
from storage.sqlite.users import SqliteUsers


class SqliteStore:
    """See `storage.ports.Store`. One server at a time: a second one on the same file is refused."""

    shared = False
    nodes = None

    def __init__(self, database: Database, store_id: str, epoch: str) -> None:
        check_changes()
        check_results()
        self.id = store_id
        self._database = database
        self.epoch = epoch
        self.health = database.health
        self._remover = Remover(database)
        self.users = SqliteUsers(database)
        self.sessions = SqliteSessions(database)
        self.chats = SqliteChats(database)
        self.messages = SqliteMessages(database)
        self.blocks = SqliteBlocks(database)
        database.subscribers.add(self._remover.published)
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

    def subscribe(self, subscriber: Subscriber) -> None:
        self._database.subscribers.add(subscriber)

    def subscribe_lagging(self, name: str, subscriber: LaggingSubscriber) -> None:
        self._database.subscribers.add_lagging(name, subscriber)

    def published_head(self, chat_id: int, head_seq: int) -> int:
        return self._database.published_head(chat_id, head_seq)

    async def ping(self) -> None:
        """Raises: `Unavailable`."""
        await self.health.check()

    async def close(self) -> None:
        await self._database.close()


def _names(db: sqlite3.Connection) -> tuple[str, str]:
    """The id of the store and the epoch of its data."""
    found = dict(db.execute("SELECT key, value FROM meta WHERE key IN ('store_id', 'epoch')"))
    return str(found["store_id"]), str(found["epoch"])
