"""The store: its parts over one database."""

import asyncio
import sqlite3
from pathlib import Path

from domain.changes import LaggingSubscriber, Subscriber
from storage.counts import StoreCounts
from storage.files.folder import FolderFiles
from storage.files.owner import own_folder
from storage.files.ports import Files
from storage.results import check_results
from storage.sqlite.audit import SqliteAudit
from storage.sqlite.blocks import SqliteBlocks
from storage.sqlite.bots import SqliteBots
from storage.sqlite.changes import check_changes
from storage.sqlite.chats import SqliteChats
from storage.sqlite.database import Database
from storage.sqlite.hooks import SqliteHooks
from storage.sqlite.invites import SqliteInvites
from storage.sqlite.messages import SqliteMessages
from storage.sqlite.moderation import SqliteModeration
from storage.sqlite.removal import Remover
from storage.sqlite.search import SqliteSearch
from storage.sqlite.search_indexer import SearchIndexer
from storage.sqlite.sessions import SqliteSessions
from storage.sqlite.uploads import SqliteUploads
from storage.sqlite.users import SqliteUsers

FILES_FOLDER = "uploads"


class SqliteStore:
    """See `storage.ports.Store`. One server at a time: a second one on the same file is refused."""

    shared = False
    nodes = None

    def __init__(self, database: Database, files: Files, store_id: str, epoch: str) -> None:
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
        self.moderation = SqliteModeration(database)
        self.invites = SqliteInvites(database)
        self.messages = SqliteMessages(database)
        self.uploads = SqliteUploads(database)
        self.files = files
        self._indexer = SearchIndexer(database)
        self.search = SqliteSearch(database, self._indexer)
        self.audit = SqliteAudit(database)
        self.blocks = SqliteBlocks(database)
        self.bots = SqliteBots(database)
        self.hooks = SqliteHooks(database)
        database.subscribers.add(self._remover.published)
        database.subscribers.add(self._indexer.published)
        self._remover.start()
        self._indexer.start()

    @classmethod
    async def open(cls, path: Path, files_folder: Path | None = None) -> "SqliteStore":
        """Opens the file, makes it if there is none. Files are kept in that folder, or in one beside it if another
        database has that (`storage.files.owner`); None: in one beside the database. Raises: `StorageError`, naming the
        path and the reason."""
        database = await Database.open(path)
        files: Files | None = None
        try:
            store_id, epoch = await database.read(_names)
            folder = files_folder or database.path.parent / FILES_FOLDER
            files = await FolderFiles.open(await asyncio.to_thread(own_folder, folder, store_id))
            return cls(database, files, store_id, epoch)
        except BaseException:
            if files is not None:
                await files.close()
            await database.close()
            raise

    def subscribe(self, subscriber: Subscriber) -> None:
        self._database.subscribers.add(subscriber)

    def subscribe_lagging(self, name: str, subscriber: LaggingSubscriber) -> None:
        self._database.subscribers.add_lagging(name, subscriber)

    def published_head(self, chat_id: int, head_seq: int) -> int:
        return self._database.published_head(chat_id, head_seq)

    async def counts(self) -> StoreCounts:
        users, chats, messages = await self._database.read(_counts)
        return StoreCounts(users, chats, messages, await asyncio.to_thread(self._database.bytes_on_disk))

    async def ping(self) -> None:
        """Raises: `Unavailable`."""
        await self.health.check()

    async def close(self) -> None:
        await self._indexer.close()
        await self._database.close()
        await self.files.close()


def _counts(db: sqlite3.Connection) -> tuple[int, int, int]:
    """Users, chats and messages."""
    found = db.execute(
        "SELECT (SELECT count(*) FROM users WHERE deleted = 0 AND is_hook = 0), (SELECT count(*) FROM chats),"
        # Those of deleted chats are still to be removed.
        " (SELECT count(*) FROM messages WHERE deleted = 0)"
        " - (SELECT count(*) FROM removals JOIN messages USING (chat_id) WHERE deleted = 0)"
    ).fetchone()
    return found[0], found[1], found[2]


def _names(db: sqlite3.Connection) -> tuple[str, str]:
    """The id of the store and the epoch of its data."""
    found = dict(db.execute("SELECT key, value FROM meta WHERE key IN ('store_id', 'epoch')"))
    return str(found["store_id"]), str(found["epoch"])
