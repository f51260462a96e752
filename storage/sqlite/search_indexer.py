"""Keeps the index of words: makes a block when it is full, and in the background those of a file from before."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import suppress

import structlog

from domain.changes import Change, MessageCreated
from storage.errors import Unavailable
from storage.sqlite import search_blocks
from storage.sqlite.database import Database
from storage.sqlite.message_view import last_id
from storage.sqlite.search_blocks import Block
from storage.sqlite.writer import Writer

log = structlog.get_logger("vestnik")

LOOKED_THROUGH_MAX = 8
"""With no more full blocks than these behind the index, searches begin: they look through the messages, 50 ms at
most."""

_REST_TIMES = 19
"""While many are sending, a block is followed by a rest of so many times the time that it took: then the index takes a
twentieth of what the sends could have. A block takes 5 to 10 ms of the interpreter."""

_LULL_S, _LULL_MESSAGES = 0.05, 100
"""No more messages than these in so many seconds are not many."""

_WAITING_MAX = 64
"""With more full blocks than these behind the index, there is no rest: a search looks through all of them."""

_PAUSE_TIMES = 1
"""After each block of old messages, a pause of so many times the time that the block took."""

_LOG_EVERY_S = 10.0
_LOOK_WITHIN_S = 2.0
_RETRY_S = 2.0
_CHANGED_MAX = 5
"""How often a block is read again at once because its messages have changed meanwhile."""


class SearchIndexer:
    """Makes the blocks in ascending order, one after the other: then rows are only added at the end of the table, and
    none moves to another page, where it would leave a copy behind. The table says how far the index is, so the work
    goes on after a restart.

    All methods are for the event loop.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._next = 0
        """The first block that is not in the index."""
        self._last_id = 0
        self._ready = False
        self._looked = asyncio.Event()
        self._full = asyncio.Event()
        self._work: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins the work, which ends with `close`."""
        self._work = asyncio.get_running_loop().create_task(self._run())

    async def ready(self) -> bool:
        """Whether all messages are in the index but the newest. Once they are, they stay."""
        if not self._looked.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_WITHIN_S):
                    await self._looked.wait()
        return self._ready

    @property
    def done_percent(self) -> int:
        return 100 * self._next // max(self._full_blocks(), 1)

    def published(self, changes: Sequence[Change]) -> None:
        """A subscriber of the store: notes which messages are there, and wakes the work when a block is full."""
        for change in reversed(changes):
            if isinstance(change, MessageCreated):
                self._last_id = max(self._last_id, change.message.id)
                if self._is_behind():
                    self._full.set()
                return

    async def close(self) -> None:
        """Stops in the middle of the work; it goes on when the store is opened again."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])

    def _full_blocks(self) -> int:
        return self._last_id // search_blocks.BLOCK_MESSAGES

    def _is_behind(self) -> bool:
        """Whether a block is full that is not in the index."""
        return self._full_blocks() > self._next

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                if not self._looked.is_set():
                    await self._look()
                if not self._ready:
                    await self._index_old()
                while True:
                    await self._wait_for_a_block()
                    began_s = loop.time()
                    await self._make_next()
                    await self._rest(_REST_TIMES * (loop.time() - began_s))
            except Unavailable as error:
                if error.trouble == "closed":
                    return
                await asyncio.sleep(_RETRY_S)
            except Exception as error:
                log.error("indexing for search failed", exc_info=error)
                await asyncio.sleep(_RETRY_S)

    async def _wait_for_a_block(self) -> None:
        """Returns when a block is full."""
        while not self._is_behind():
            self._full.clear()
            await self._full.wait()

    async def _rest(self, seconds: float) -> None:
        """Returns after this time, or earlier if few are sending or too many blocks wait."""
        loop = asyncio.get_running_loop()
        until_s, last_id = loop.time() + seconds, self._last_id
        while loop.time() < until_s and self._full_blocks() - self._next <= _WAITING_MAX:
            await asyncio.sleep(min(_LULL_S, seconds))
            if self._last_id - last_id <= _LULL_MESSAGES:
                return
            last_id = self._last_id

    async def _look(self) -> None:
        last, self._next = await self._database.read(_state)
        self._last_id = max(self._last_id, last)
        self._ready = self._full_blocks() - self._next <= LOOKED_THROUGH_MAX
        self._looked.set()

    async def _index_old(self) -> None:
        """Makes the blocks of a file from before, until nothing is behind."""
        loop = asyncio.get_running_loop()
        began_s = logged_s = loop.time()
        messages = (self._full_blocks() - self._next) * search_blocks.BLOCK_MESSAGES
        log.info("old messages are being indexed for search", messages=messages)
        while self._is_behind():
            before_s = loop.time()
            await self._make_next()
            now_s = loop.time()
            if now_s - logged_s >= _LOG_EVERY_S:
                logged_s = now_s
                log.info("old messages are being indexed for search", done_percent=self.done_percent)
            await asyncio.sleep(_PAUSE_TIMES * (now_s - before_s))
        self._ready = True
        log.info("old messages are indexed for search", took_s=round(loop.time() - began_s, 1))

    async def _make_next(self) -> None:
        for _ in range(_CHANGED_MAX):
            block = await self._database.read(search_blocks.read, self._next)
            if await self._database.write(_write, block):
                self._next += 1
                return


def _state(db: sqlite3.Connection) -> tuple[int, int]:
    """The highest id of a message, and how many blocks are made."""
    return last_id(db, "messages"), search_blocks.blocks_made(db)


def _write(writer: Writer, block: Block) -> bool:
    return search_blocks.write(writer.db, block)
