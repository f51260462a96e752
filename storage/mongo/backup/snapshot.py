"""A database read whole, while nodes write it."""

from collections.abc import AsyncIterator, Sequence

from domain.files import Upload
from storage.backup_ports import Batch
from storage.mongo import schema
from storage.mongo.backup.chat_reader import ChatReader
from storage.mongo.backup.server_reader import ServerReader, living_chats, unattached_uploads
from storage.mongo.connection import Begin, as_it_is, connect
from storage.mongo.database import Database
from storage.mongo.files import MongoFiles


class MongoSnapshot:
    """See `storage.backup_ports.Snapshot`.

    Each chat is as it was at one moment after this was opened (`chat_cut`). Accounts do not end, so they are read after
    the chats that name them; who reads both asks for `chats` first, also because an upload that a message has is not
    among those that none has.
    """

    def __init__(self, database: Database, unattached: Sequence[Upload]) -> None:
        self._database = database
        self._files = MongoFiles(database)
        self._server = ServerReader(database, unattached)
        self._chats = ChatReader(database, self._server.attached)

    @classmethod
    async def open(cls, url: str, connect_timeout_s: float) -> "MongoSnapshot":
        """Opens the database that the URL names. Raises: `StorageError`, as `MongoStore.open` does; also for one that
        is empty, or that a restore is filling."""
        return await cls._open(url, connect_timeout_s, schema.check_readable)

    @classmethod
    async def open_marked(cls, url: str, connect_timeout_s: float) -> "MongoSnapshot":
        """The same of a database that a restore is filling."""
        return await cls._open(url, connect_timeout_s, as_it_is)

    @classmethod
    async def _open(cls, url: str, connect_timeout_s: float, begin: Begin) -> "MongoSnapshot":
        database = await connect(url, connect_timeout_s, begin)
        try:
            return cls(database, await unattached_uploads(database))
        except BaseException:
            database.close()
            raise

    def server(self) -> AsyncIterator[Batch]:
        return self._server.read()

    async def chats(self, chat_ids: Sequence[int] | None = None) -> AsyncIterator[Batch]:
        # The ids first: of two private chats of the same users, the second is there when the first is deleted.
        ids = await living_chats(self._database) if chat_ids is None else sorted(set(chat_ids))
        for chat_id in ids:
            async for batch in self._chats.read(chat_id):
                yield batch

    async def file_size(self, file_id: str) -> int | None:
        return await self._files.size(file_id)

    def file(self, file_id: str) -> AsyncIterator[bytes]:
        return self._files.read(file_id)

    async def progress_total(self) -> int:
        messages = self._database.messages
        return int(await self._database.with_retry(messages.estimated_document_count))

    async def close(self) -> None:
        self._database.close()
