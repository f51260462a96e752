"""An empty database that is being filled."""

from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from storage.backup_ports import Batch, Snapshot
from storage.errors import StorageError, Unavailable
from storage.mongo import schema
from storage.mongo.backup.chat_filler import ChatFiller
from storage.mongo.backup.emptiness import check_empty, check_unused, clear
from storage.mongo.backup.inserts import Inserts
from storage.mongo.backup.server_filler import ServerFiller
from storage.mongo.backup.snapshot import MongoSnapshot
from storage.mongo.backup.upload_filler import UploadFiller
from storage.mongo.connection import as_it_is, connect
from storage.mongo.database import Database
from storage.mongo.files import MongoFiles
from storage.mongo.restore_mark import RestoreMark


class MongoRestoration:
    """See `storage.backup_ports.Restoration`. The database is marked while it is filled (`restore_mark`).

    The documents are those that a node would have written, but for the logs of chats, which have what nodes ask of
    them (`log_filler`)."""

    def __init__(self, url: str, connect_timeout_s: float, database: Database, mark: RestoreMark) -> None:
        self._url = url
        self._connect_timeout_s = connect_timeout_s
        self._database = database
        self._mark = mark
        self._files = MongoFiles(database)
        self._inserts = Inserts(database)
        self._uploads = UploadFiller(database, self._inserts)
        self._server = ServerFiller(database, self._inserts, self._uploads)
        self._chat: ChatFiller | None = None
        self._begun = False
        self._finished = False
        self._closed = False

    @classmethod
    async def open(
        cls,
        url: str,
        connect_timeout_s: float,
        *,
        lease_s: float = 60,
        say: Callable[[str], None] = lambda _line: None,
    ) -> "MongoRestoration":
        """Marks the database that the URL names, if nobody uses it and it is empty but for what an interrupted restore
        has left. What is there is removed before the first write. `lease_s` is how long a node may be silent before it
        is dead; `say` gets a line if that has to be waited for.

        Raises: `StorageError`, as `MongoStore.open` does, and for a database that has data, that a server runs on, or
        that another restore is filling.
        """
        database = await connect(url, connect_timeout_s, as_it_is)
        mark = RestoreMark(database)
        try:
            if not await mark.is_there():  # a database that has data is not marked even for a moment
                await check_empty(database)
            await mark.take()
            try:
                await check_unused(database, lease_s, say)
                if not mark.is_left_over:
                    await check_empty(database)
            except BaseException:
                if not mark.is_left_over:  # else the mark still says the truth
                    await mark.remove()
                raise
        except BaseException:
            await mark.let_go()
            database.close()
            raise
        return cls(url, connect_timeout_s, database, mark)

    async def put(self, batch: Batch) -> None:
        await self._begin()
        if batch.chat_id is None:
            await self._server.take(batch)
            return
        if batch.kind == "chat":
            await self._end_chat()
            (record,) = batch.records
            self._server.saw("chats", record["id"])
            self._chat = ChatFiller(self._database, self._inserts, self._uploads, record)
            return
        if self._chat is None or self._chat.chat_id != batch.chat_id:
            raise StorageError(f"the records of chat {batch.chat_id} do not follow the chat")
        if batch.kind == "message":
            self._server.saw("messages", max(record["id"] for record in batch.records))
        elif batch.kind == "hook":
            self._server.saw("hooks", max(record["id"] for record in batch.records))
        await self._chat.take(batch)

    async def put_file(self, file_id: str, pieces: AsyncIterator[bytes]) -> None:
        await self._begin()
        writing = await self._files.begin()
        try:
            async for piece in pieces:
                self._mark.check()
                await writing.write(piece)
            await writing.keep(file_id)
        except BaseException:
            await writing.drop()
            raise

    async def drop_file(self, file_id: str) -> None:
        await self._files.delete([file_id])

    async def written(self) -> Snapshot:
        await self._begin()
        await self._end_chat()
        await self._inserts.flush()
        await self._server.end()
        await self._mark.check_held()
        return await MongoSnapshot.open_marked(self._url, self._connect_timeout_s)

    async def finish(self) -> None:
        await self._mark.check_held()
        await self._mark.remove()
        self._finished = True

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            if not self._finished:
                with suppress(Unavailable):  # the mark stays, and the next restore removes what is there
                    await self._take_back()
        finally:
            await self._mark.let_go()
            self._database.close()

    async def _take_back(self) -> None:
        try:
            await self._mark.check_held()
        except StorageError:
            return  # what is there is another restore's
        if self._begun:
            await clear(self._database)
        if self._begun or not self._mark.is_left_over:
            await self._mark.remove()

    async def _begin(self) -> None:
        """Before the first write, empties the database. Raises: `StorageError` if another restore has taken it."""
        self._mark.check()
        if not self._begun:
            await self._mark.begin_filling()
            self._begun = True
            await clear(self._database)
            await self._database.with_retry(lambda: schema.prepare_marked(self._database))

    async def _end_chat(self) -> None:
        if self._chat is not None:
            await self._chat.end()
            self._chat = None
