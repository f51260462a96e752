"""A database read whole, while nodes write it."""

from collections.abc import AsyncIterator, Sequence

from domain.files import Upload
from storage.backup_ports import Batch
from storage.mongo import schema
from storage.mongo.backup.chat_cut import ChatCut, read_cut
from storage.mongo.backup.chat_reader import ChatReader
from storage.mongo.backup.cuts import Cuts
from storage.mongo.backup.server_reader import ServerReader, unattached_uploads
from storage.mongo.connection import Begin, as_it_is, connect
from storage.mongo.database import Database
from storage.mongo.files import MongoFiles
from storage.mongo.log import Log


class MongoSnapshot:
    """See `storage.backup_ports.Snapshot`.

    Each chat is as it was at one moment after this was opened (`chat_cut`): at about the same one, if all are read, or
    what belongs to none.
    """

    def __init__(self, database: Database, unattached: Sequence[Upload]) -> None:
        self._database = database
        self._files = MongoFiles(database)
        self._log = Log(database)
        self._cuts = Cuts(database, self._log)
        self._server = ServerReader(database, self._cuts, unattached)
        self._chats = ChatReader(database, self._log)

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
        if chat_ids is None:
            await self._cuts.take()
        for chat_id in self._cuts.ids() if chat_ids is None else sorted(set(chat_ids)):
            cut = await self._cut(chat_id)
            if cut is not None:
                async for batch in self._chats.read(cut):
                    yield batch

    async def file_size(self, file_id: str) -> int | None:
        return await self._files.size(file_id)

    def file(self, file_id: str) -> AsyncIterator[bytes]:
        return self._files.read(file_id)

    async def progress_total(self) -> int:
        messages = self._database.messages
        return int(await self._database.with_retry(messages.estimated_document_count))

    async def close(self) -> None:
        self._cuts.close()
        self._database.close()

    async def _cut(self, chat_id: int) -> ChatCut | None:
        if self._cuts.are_taken:
            return self._cuts.get(chat_id)
        return await read_cut(self._database, self._log, chat_id)
