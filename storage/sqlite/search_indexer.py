"""Keeps the index of words: new blocks when they are full, and in the background those of a file from before."""

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
from storage.sqlite.search_blocks import FORM, Block
from storage.sqlite.writer import Writer

log = structlog.get_logger("vestnik")

LOOKED_THROUGH_MAX = 8
"""With no more blocks than these missing behind the last one, searches look through their messages: about 50 ms."""

_PAUSE_TIMES = 1
"""After each block of old messages, a pause of so many times the time that the block took."""

_LOG_EVERY_S = 10.0
_LOOK_WITHIN_S = 2.0
_RETRY_S = 2.0
_CHANGED_MAX = 5
"""How often a block is read again because its messages have changed meanwhile. After that it waits for its turn."""


class SearchIndexer:
    """The rows of `search_blocks` say what is done, so the work goes on after a restart, wherever it stopped.

    All methods are for the event loop.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._next = 0
        """The block behind the last one."""
        self._last_id = 0
        self._old: list[int] = []
        """The blocks that are missing before that, ascending; they are made from the end."""
        self._old_at_first = 0
        self._looked = asyncio.Event()
        self._wake = asyncio.Event()
        self._work: asyncio.Task[None] | None = None

    async def complete(self) -> bool:
        """Whether all blocks are there, but for those of the newest messages."""
        if not self._looked.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_WITHIN_S):
                    await self._looked.wait()
        return self._looked.is_set() and not self._old

    @property
    def done_percent(self) -> int:
        return 100 - 100 * len(self._old) // max(self._old_at_first, 1)

    def start(self) -> None:
        """Begins the work, which ends with `close`."""
        self._work = asyncio.get_running_loop().create_task(self._run())

    def published(self, changes: Sequence[Change]) -> None:
        """A subscriber of the store: notes which messages are there, and wakes the work when a block is full."""
        for change in reversed(changes):
            if isinstance(change, MessageCreated):
                self._last_id = max(self._last_id, change.message.id)
                if self._is_full():
                    self._wake.set()
                return

    async def close(self) -> None:
        """Stops in the middle of the work; it goes on when the store is opened again."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait([self._work])

    def _is_full(self) -> bool:
        """Whether the block behind the last one is full."""
        return self._last_id // search_blocks.BLOCK_MESSAGES > self._next

    async def _run(self) -> None:
        while True:
            try:
                if not self._looked.is_set():
                    await self._look()
                await self._index()
            except Unavailable as error:
                if error.trouble == "closed":
                    return
                await asyncio.sleep(_RETRY_S)

    async def _look(self) -> None:
        last, done = await self._database.read(_state)
        self._last_id = max(self._last_id, last)
        full = last // search_blocks.BLOCK_MESSAGES
        there = {block for block in done if block < full}
        top = max(there, default=-1) + 1
        self._next = top if full - top <= LOOKED_THROUGH_MAX else full
        self._old = sorted(set(range(self._next)) - there)
        self._old_at_first = len(self._old)
        if self._old:
            log.info(
                "old messages are being indexed for search",
                messages=len(self._old) * search_blocks.BLOCK_MESSAGES,
            )
        self._looked.set()

    async def _index(self) -> None:
        """Makes all that is missing, new blocks first, and waits for the next one."""
        loop = asyncio.get_running_loop()
        logged_s = began_s = loop.time()
        while self._old or self._is_full():
            if self._is_full():
                if await self._make(self._next):
                    self._next += 1
                continue
            before_s = loop.time()
            if await self._make(self._old[-1]):
                self._old.pop()
            now_s = loop.time()
            if not self._old:
                log.info("old messages are indexed for search", took_s=round(now_s - began_s, 1))
            elif now_s - logged_s >= _LOG_EVERY_S:
                logged_s = now_s
                log.info("old messages are being indexed for search", done_percent=self.done_percent)
            await self._rest(_PAUSE_TIMES * (now_s - before_s))
        self._wake.clear()
        if not self._is_full():
            await self._wake.wait()

    async def _rest(self, seconds: float) -> None:
        """Pauses, but no longer than until a new block is full."""
        self._wake.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _make(self, number: int) -> bool:
        """Makes a block. False if its messages change all the time."""
        for _ in range(_CHANGED_MAX):
            block = await self._database.read(search_blocks.read, number)
            if await self._database.write(_write, block):
                return True
        return False


def _state(db: sqlite3.Connection) -> tuple[int, Sequence[int]]:
    """The highest id of a message, and the blocks that are there."""
    blocks = db.execute("SELECT block FROM search_blocks WHERE form = ?", (FORM,)).fetchall()
    return last_id(db, "messages"), [block for (block,) in blocks]


def _write(writer: Writer, block: Block) -> bool:
    return search_blocks.write(writer.db, block)
