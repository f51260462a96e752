"""One file: a thread that writes it, threads that read it, and the way from a commit to the subscribers."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import structlog

from storage.batching import Batcher, Written
from storage.errors import Unavailable
from storage.health import StoreHealth
from storage.promise import Promise
from storage.sqlite.connection import open_reader, open_writer, without_links
from storage.sqlite.faults import fault
from storage.sqlite.files import DatabaseFiles, beside
from storage.sqlite.lock import ServerLock
from storage.sqlite.writer import Write, Writer, WriterItem
from storage.subscribers import Subscribers

log = structlog.get_logger("vestnik")

READER_COUNT = 4

_LOOK_EVERY_S = 1.0
_PROBE_BUSY_S = 2.0

P = ParamSpec("P")
ResultT = TypeVar("ResultT")


class Database:
    """Open one with `Database.open`.

    A head that a reader brings may be ahead of what is published: readers see a commit at once, the subscribers get its
    changes a moment later, on the event loop. `published_head`, called on the loop after the reader has answered,
    lowers such a head. Why that is sound: before it commits, the writer notes the chat's old head in `_unpublished`, so
    a caller that has seen a new head finds the note; the first subscriber removes the notes in the turn in which the
    changes are published, so a caller that finds no note has seen a published head; and there is one batch on its way
    at a time, so a note is never about another commit than the newest. Heads seen before the commit are not above the
    note.
    """

    def __init__(
        self,
        path: Path,
        writer: Writer,
        lock: ServerLock,
        files: DatabaseFiles,
        thread: ThreadPoolExecutor,
        unpublished: dict[int, int],
    ):
        self.path = path
        self.subscribers = Subscribers()
        self.subscribers.add(lambda _changes: unpublished.clear())
        self._unpublished = unpublished
        self._writer = writer
        self._writer_thread = thread
        self._lock = lock
        self._files = files
        self._log_saved = False
        self._suspects: Sequence[WriterItem[object]] = ()
        self.health = StoreHealth(self._probe)
        self._batcher: Batcher[WriterItem[object]] = Batcher(
            self._write_batch, self.subscribers.publish, health=self.health
        )
        self._readers = _Readers(path, files)
        self._closing = asyncio.Lock()
        self._closed = False
        self._watch = asyncio.create_task(self._watch_files())

    @classmethod
    async def open(cls, path: Path) -> "Database":
        """Raises: `StorageError`, naming the path and the reason."""
        thread = ThreadPoolExecutor(1, "sqlite-writer")
        path = without_links(path)
        try:
            db, lock, files = await asyncio.get_running_loop().run_in_executor(thread, open_writer, path)
        except BaseException:
            thread.shutdown()
            raise
        unpublished: dict[int, int] = {}
        return cls(path, Writer(db, path, unpublished), lock, files, thread, unpublished)

    def published_head(self, chat_id: int, head_seq: int) -> int:
        return min(head_seq, self._unpublished.get(chat_id, head_seq))

    def submit(self, item: WriterItem[ResultT]) -> Promise[ResultT]:
        """Queues a write, which takes its place before this returns."""
        return self._batcher.submit(item)

    def write(
        self, action: Callable[Concatenate[Writer, P], ResultT], *args: P.args, **kwargs: P.kwargs
    ) -> Promise[ResultT]:
        """Queues `action(writer, …)`, to which the contract of `WriterItem.run_all` applies."""
        return self.submit(Write(lambda writer: action(writer, *args, **kwargs)))

    async def read(
        self, query: Callable[Concatenate[sqlite3.Connection, P], ResultT], *args: P.args, **kwargs: P.kwargs
    ) -> ResultT:
        """Runs `query(db, …)` in a reader's thread, on one state of the database. Raises: `Unavailable`."""
        try:
            return await self._readers.run(lambda db: query(db, *args, **kwargs))
        except Unavailable as error:
            self.health.read_failed(error)
            raise

    def bytes_on_disk(self) -> int:
        """The size of the file and of its write-ahead log."""
        files = [self.path, beside(self.path, "-wal")]
        return sum(file.stat().st_size for file in files if file.exists())

    async def close(self) -> None:
        async with self._closing:
            if self._closed:
                return
            self._watch.cancel()
            await self._batcher.close()
            await self.subscribers.close()
            await self.health.close()
            await self._readers.close()
            await asyncio.get_running_loop().run_in_executor(self._writer_thread, self._writer.close)
            self._writer_thread.shutdown()
            self._lock.release()
            self._closed = True

    async def _write_batch(self, items: Sequence[WriterItem[object]]) -> Written:
        if self.health.failing:
            self._files.check()  # so that no write goes to a deleted file
        try:
            written = await asyncio.get_running_loop().run_in_executor(
                self._writer_thread, self._writer.write, items
            )
        except Unavailable as error:
            self._suspect(items, [error] * len(items))
            raise
        # So that no write is acked that is lost. Not in the writer's thread, which has to wait for the interpreter lock
        # after each system call.
        self._files.check_quickly()
        if any(isinstance(outcome, Unavailable) for outcome in written.outcomes):
            self._suspect(items, written.outcomes)
        return written

    def _suspect(self, items: Sequence[WriterItem[object]], outcomes: Sequence[object]) -> None:
        """Keeps a write that met a broken page: the store serves again when that write succeeds."""
        for item, outcome in zip(items, outcomes, strict=True):
            if isinstance(outcome, Unavailable) and outcome.trouble == "broken":
                self._suspects = (item,)

    async def _probe(self) -> None:
        """Raises: `Unavailable`."""
        self._files.check()
        await self._readers.run(lambda db: db.execute("SELECT id FROM probe").fetchone())
        # If another program holds the lock for a moment, waiting hides that from users; but a store that is known to
        # fail is probed every second, and writes wait for each probe.
        busy_timeout_s = 0.0 if self.health.failing else _PROBE_BUSY_S
        suspects = self._suspects
        await self._on_writer(self._writer.probe, suspects, busy_timeout_s)
        if self._suspects is suspects:  # else another write met a broken page meanwhile
            self._suspects = ()
        self._files.check()

    async def _watch_files(self) -> None:
        """Notices lost files even while there are no writes, and then saves what can be saved."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            try:
                self._files.check()
            except Unavailable as error:
                self.health.failed(error)
                if error.trouble == "gone":
                    await self._save_log()
            else:
                self._log_saved = False

    async def _save_log(self) -> None:
        """Copies a deleted write-ahead log into the database, before the log is lost with the process."""
        if self._log_saved or not self._files.has_database():
            return
        self._log_saved = await self._on_writer(self._writer.save_log)
        if self._log_saved:
            log.warning("the write-ahead log is saved into the database file; restart the server")

    async def _on_writer(self, action: Callable[P, ResultT], *args: P.args, **kwargs: P.kwargs) -> ResultT:
        return await asyncio.get_running_loop().run_in_executor(
            self._writer_thread, partial(action, *args, **kwargs)
        )


class _Readers:
    """Threads that read, each with its own connection, opened when first needed."""

    def __init__(self, path: Path, files: DatabaseFiles) -> None:
        self._path = path
        self._files = files
        self._threads = ThreadPoolExecutor(READER_COUNT, "sqlite-reader")
        self._own = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._closed = False

    async def run(self, query: Callable[[sqlite3.Connection], ResultT]) -> ResultT:
        if self._closed:
            raise Unavailable("the store is closed", "closed")
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(self._run, query))

    async def close(self) -> None:
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown)
        for db in self._connections:
            db.close()

    def _run(self, query: Callable[[sqlite3.Connection], ResultT]) -> ResultT:
        try:
            db = self._connection()
            db.execute("BEGIN")  # so that all that the query reads is of one moment
            try:
                return query(db)
            finally:
                db.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise fault(error, "the database cannot be read", self._path) from error

    def _connection(self) -> sqlite3.Connection:
        db: sqlite3.Connection | None = getattr(self._own, "db", None)
        if db is None:
            self._files.check()  # a connection to other files than the writer's would read something else
            db = self._own.db = open_reader(self._path)
            self._connections.append(db)
        return db
