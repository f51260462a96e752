"""Keeps the index of words: makes a segment when it is full, and in the background those of a file from before."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import suppress

import structlog

from domain.changes import Change, MessageCreated
from storage.errors import Unavailable
from storage.sqlite import search_segments
from storage.sqlite.database import Database
from storage.sqlite.message_view import last_id
from storage.sqlite.search_segments import Segment
from storage.sqlite.writer import Writer

log = structlog.get_logger("vestnik")

LOOKED_THROUGH_MAX = 8
"""Searches are answered from the time on when no more full segments than these are behind the index: they look through
the messages of those."""

_REST_TIMES = 19
"""While many users are sending, a rest of so many times the time of a segment follows it, so the index takes a
twentieth of the time. A segment takes 5 to 10 ms of the interpreter."""

_LULL_S, _LULL_MESSAGES = 0.05, 100
"""Many are sending if there are more messages than these in so many seconds."""

_WAITING_MAX = 64
"""With more full segments than these behind the index, there is no rest: a search looks through their messages."""

_PAUSE_TIMES = 1
"""A pause of so many times the time of a segment of old messages follows it."""

_LOG_EVERY_S = 10.0
_LOOK_WITHIN_S = 2.0
_RETRY_S = 2.0
_CHANGED_MAX = 5
"""How often a segment is read again at once because its messages have changed meanwhile."""


class SearchIndexer:
    """Makes the segments in ascending order, one after the other. So rows are only added at the end of the table, and
    none moves between pages, which would leave a copy of it behind. The table says how far the index is: after a
    restart the work goes on from there.

    All methods are for the event loop.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._next = 0
        """The first segment that is not in the index."""
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
        return 100 * self._next // max(self._full_segments(), 1)

    def published(self, changes: Sequence[Change]) -> None:
        """A subscriber of the store: notes which messages are there, and wakes the work when a segment is full."""
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

    def _full_segments(self) -> int:
        return self._last_id // search_segments.SEGMENT_MESSAGES

    def _is_behind(self) -> bool:
        """Whether a segment is full that is not in the index."""
        return self._full_segments() > self._next

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                if not self._looked.is_set():
                    await self._look()
                if not self._ready:
                    await self._index_old()
                while True:
                    await self._wait_for_a_segment()
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

    async def _wait_for_a_segment(self) -> None:
        """Returns when a segment is full."""
        while not self._is_behind():
            self._full.clear()
            await self._full.wait()

    async def _rest(self, seconds: float) -> None:
        """Returns after this time, or earlier if few are sending or too many segments wait."""
        loop = asyncio.get_running_loop()
        until_s, last_id = loop.time() + seconds, self._last_id
        while loop.time() < until_s and self._full_segments() - self._next <= _WAITING_MAX:
            await asyncio.sleep(min(_LULL_S, seconds))
            if self._last_id - last_id <= _LULL_MESSAGES:
                return
            last_id = self._last_id

    async def _look(self) -> None:
        last, self._next = await self._database.read(_state)
        self._last_id = max(self._last_id, last)
        self._ready = self._full_segments() - self._next <= LOOKED_THROUGH_MAX
        self._looked.set()

    async def _index_old(self) -> None:
        """Makes the segments of a file from before, until nothing is behind."""
        loop = asyncio.get_running_loop()
        began_s = logged_s = loop.time()
        messages = (self._full_segments() - self._next) * search_segments.SEGMENT_MESSAGES
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
            segment = await self._database.read(search_segments.read, self._next)
            if await self._database.write(_write, segment):
                self._next += 1
                return


def _state(db: sqlite3.Connection) -> tuple[int, int]:
    """The highest id of a message, and how many segments are made."""
    return last_id(db, "messages"), search_segments.segments_made(db)


def _write(writer: Writer, segment: Segment) -> bool:
    return search_segments.write(writer.db, segment)
