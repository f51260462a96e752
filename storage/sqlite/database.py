"""One file: a thread that writes it, threads that read it, and the way from a commit to the observer."""

import asyncio
import sqlite3
import threading
from asyncio import Future
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import structlog

from domain.changes import Change, Observer
from storage.batching import Batcher, Written
from storage.errors import Unavailable
from storage.health import StoreHealth
from storage.sqlite.connection import open_reader, open_writer, without_links
from storage.sqlite.faults import fault
from storage.sqlite.files import DatabaseFiles
from storage.sqlite.lock import ServerLock
from storage.sqlite.writer import Item, Write, Writer

log = structlog.get_logger("vestnik")

READER_COUNT = 4

_LOOK_EVERY_S = 1.0
_PROBE_BUSY_S = 2.0

P = ParamSpec("P")
ResultT = TypeVar("ResultT")


class Database:
    """Open one with `Database.open`.

    A head that a reader brings may be ahead of the observer: the commit is visible to readers at once, the
    observer is told a moment later, on the event loop. `told_head`, called on the loop after the reader has
    answered, lowers it. Why that is sound: the writer notes a chat's head of before in `_untold` before it
    commits, so whoever has seen a new head finds the note; the note goes in the very turn in which the observer
    is told, so whoever finds none has seen only what is told; and there is one batch on its way at a time, so a
    note is never about another commit than the newest. Heads seen before the commit are not above the note.
    """

    def __init__(
        self,
        path: Path,
        writer: Writer,
        lock: ServerLock,
        files: DatabaseFiles,
        thread: ThreadPoolExecutor,
        untold: dict[int, int],
    ):
        self._observer: Observer | None = None
        self._untold = untold
        self._writer = writer
        self._writer_thread = thread
        self._lock = lock
        self._files = files
        self._log_saved = False
        self._suspects: Sequence[Item[object]] = ()
        self.health = StoreHealth(self._probe)
        self._batcher: Batcher[Item[object]] = Batcher(self._write_batch, self._tell, health=self.health)
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
        untold: dict[int, int] = {}
        return cls(path, Writer(db, path, untold), lock, files, thread, untold)

    def observe(self, observer: Observer) -> None:
        self._observer = observer

    def told_head(self, chat_id: int, head_seq: int) -> int:
        return min(head_seq, self._untold.get(chat_id, head_seq))

    def submit(self, item: Item[ResultT]) -> "Future[ResultT]":
        """Queues a write, which takes its place before this returns."""
        return self._batcher.submit(item)

    def write(
        self, action: Callable[Concatenate[Writer, P], ResultT], *args: P.args, **kwargs: P.kwargs
    ) -> "Future[ResultT]":
        """Queues `action(writer, …)`, which is bound by the contract of `Item`."""
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

    async def close(self) -> None:
        async with self._closing:
            if self._closed:
                return
            self._watch.cancel()
            await self._batcher.close()
            await self.health.close()
            await self._readers.close()
            await asyncio.get_running_loop().run_in_executor(self._writer_thread, self._writer.close)
            self._writer_thread.shutdown()
            self._lock.release()
            self._closed = True

    async def _write_batch(self, items: Sequence[Item[object]]) -> Written:
        if self.health.failing:
            self._files.check()  # so that nothing is written that would be lost
        try:
            written = await asyncio.get_running_loop().run_in_executor(
                self._writer_thread, self._writer.write, items
            )
        except Unavailable as error:
            self._suspect(items, [error] * len(items))
            raise
        # Nothing is acked that is lost. Here and not in the writer's thread, which after a system call has to wait for
        # the interpreter.
        self._files.check_quickly()
        if any(isinstance(outcome, Unavailable) for outcome in written.outcomes):
            self._suspect(items, written.outcomes)
        return written

    def _suspect(self, items: Sequence[Item[object]], outcomes: Sequence[object]) -> None:
        """Keeps a write that came upon a broken page: the store serves again when that one can be made."""
        for item, outcome in zip(items, outcomes, strict=True):
            if isinstance(outcome, Unavailable) and outcome.trouble == "broken":
                self._suspects = (item,)

    async def _probe(self) -> None:
        """Raises: `Unavailable`."""
        self._files.check()
        await self._readers.run(lambda db: db.execute("SELECT id FROM probe").fetchone())
        # Of a lock that somebody holds for a moment the users notice nothing; a store that is known to fail is probed
        # every second, and those who write wait meanwhile.
        busy_timeout_s = 0.0 if self.health.failing else _PROBE_BUSY_S
        suspects = self._suspects
        await self._on_writer(self._writer.probe, suspects, busy_timeout_s)
        if self._suspects is suspects:  # else another write has come upon something meanwhile
            self._suspects = ()
        self._files.check()

    async def _watch_files(self) -> None:
        """Notices that the files are gone though nobody writes, and then saves what can be saved."""
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
        """Of a write-ahead log that was deleted, what it holds goes into the database before that is lost with the
        process."""
        if self._log_saved or not self._files.has_database():
            return
        self._log_saved = await self._on_writer(self._writer.save_log)
        if self._log_saved:
            log.warning("the write-ahead log is saved into the database file; restart the server")

    async def _on_writer(self, action: Callable[P, ResultT], *args: P.args, **kwargs: P.kwargs) -> ResultT:
        return await asyncio.get_running_loop().run_in_executor(
            self._writer_thread, partial(action, *args, **kwargs)
        )

    def _tell(self, changes: Sequence[Change]) -> None:
        self._untold.clear()
        if changes and self._observer is not None:
            self._observer(changes)


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
