"""Writes the hints of this incarnation, one after the other."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import structlog
from pymongo import DeleteOne
from pymongo.errors import DuplicateKeyError

from domain.changes import (
    Change,
    ReadMoved,
)
from domain.own_settings import OwnSettingsChanged
from storage.errors import Unavailable
from storage.mongo.database import Database, Document
from storage.mongo.hint_documents import HintDraft, hint_key
from storage.mongo.log import Row
from storage.node_ports import HINTS_KEPT_S, TELL_WITHIN_S

log = structlog.get_logger("vestnik")

_TELL_AFTER_S = TELL_WITHIN_S / 2
"""How long what nobody waits for gathers; the other half is for the insert."""
_RETRY_AFTER_S = 0.5
_REMOVE_EVERY_S = 15.0
_REMOVED_AT_ONCE = 32


class HintWriter:
    """A hint is inserted once the one before it is in, so a reader who does not find a number knows that no higher one
    is there. What is added while an insert is under way goes into the next hint.

    An insert whose outcome is not known is repeated, with the same document, until it is in: no other node writes
    hints of this incarnation, so a duplicate key means that an earlier try succeeded.

    A hint of rows is mostly inserted by the command that inserts the rows: see `lend`.
    """

    def __init__(
        self,
        database: Database,
        incarnation: str,
        is_joined: Callable[[], bool],
        join: Callable[[], Awaitable[None]],
    ) -> None:
        """`is_joined` says whether the incarnation has a lease. `join` writes one."""
        self.last = 0
        """The number of the last hint that is written, or being written."""
        self._database = database
        self._incarnation = incarnation
        self._is_joined = is_joined
        self._join = join
        self._next = HintDraft()
        self._unwritten: Document | None = None
        self._lent = False
        self._written = 0
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []
        self._work: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._kept: deque[tuple[int, float]] = deque()
        self._removed = 0
        """The number of the last hint that is removed."""
        self._removal: asyncio.Task[None] | None = None
        self._closing = False

    def add_rows(self, rows: Iterable[Row]) -> int:
        """Adds rows to the next hint, begins to write it, and returns its number for `written`."""
        self._next.add_rows(rows)
        return self._begin()

    def lend(self, rows: Iterable[Row]) -> tuple[int, Document | None]:
        """Adds rows to the next hint. Returns its number for `written`, and the hint itself if nothing is being
        written: the caller inserts it before the rows, and calls `give_back`."""
        self._next.add_rows(rows)
        if self._lent or self._work is not None or self._unwritten is not None or not self._is_joined():
            return self._begin(), None
        self._lent = True
        return self.last + 1, self._cut()

    def give_back(self, *, inserted: bool) -> None:
        """Ends `lend`. A hint of which it is not known whether it is inserted is written here."""
        self._lent = False
        if inserted:
            self._settle()
        if self._unwritten is not None or not self._next.empty():
            self._start()

    def add_accounts(self, changes: Iterable[Change]) -> int:
        """The same for changes of accounts and sessions."""
        self._next.add_accounts(changes)
        return self._begin()

    def add_unlogged(self, change: ReadMoved | OwnSettingsChanged) -> None:
        """Adds a change of a member's own to the next hint, which is written within `TELL_WITHIN_S`."""
        if isinstance(change, ReadMoved):
            self._next.marks.append(change)
        else:
            self._next.settings.add((change.chat_id, change.member.user_id))
        self._soon()

    def tell(self, topic: str, value: Any) -> None:
        """See `storage.node_ports.Nodes.tell`."""
        if not self._next.add_told(topic, value):
            log.warning("what live state tells other nodes is dropped: the database is away for too long")
        self._soon()

    async def written(self, number: int) -> None:
        """Returns when the hint of this number is on disk. Does not suspend if it is. Raises: `Unavailable`; the hint
        is written later then."""
        if number > self._written:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append((number, waiter))
            self._start()
            await waiter

    async def close(self) -> None:
        """Writes what was added, unless the store fails, and removes nothing any more."""
        self._closing = True
        if self._timer is not None:
            self._timer.cancel()
        if self._database.health.failing:
            if self._work is not None:
                self._work.cancel()
        elif self._unwritten is not None or not self._next.empty():
            self._start()
        if self._removal is not None:
            self._removal.cancel()
        tasks = [task for task in (self._work, self._removal) if task is not None]
        if tasks:
            await asyncio.wait(tasks)

    def _begin(self) -> int:
        self._start()
        return self.last + 1

    def _soon(self) -> None:
        if self._timer is None and self._work is None:
            self._timer = asyncio.get_running_loop().call_later(_TELL_AFTER_S, self._start)

    def _start(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._work is None and not self._lent:
            self._work = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        try:
            while self._unwritten is not None or not self._next.empty():
                try:
                    await self._write()
                except Exception as error:
                    # No waiter may be left: whoever closes the store waits for them.
                    self._fail(
                        error if isinstance(error, Unavailable) else Unavailable(str(error), "failing")
                    )
                    if self._closing:
                        return
                    await asyncio.sleep(_RETRY_AFTER_S)
        finally:
            self._work = None

    async def _write(self) -> None:
        if not self._is_joined():
            await self._join()
        await insert_once(self._database, self._unwritten or self._cut())
        self._settle()

    def _cut(self) -> Document:
        """The document of the next hint, which is no longer the next one then."""
        self.last += 1
        self._unwritten = self._next.document(self._incarnation, self.last)
        self._next = HintDraft()
        return self._unwritten

    def _settle(self) -> None:
        self._unwritten = None
        self._written = self.last
        waiters, self._waiters = self._waiters, []
        for number, waiter in waiters:
            if number > self._written:
                self._waiters.append((number, waiter))
            elif not waiter.done():
                waiter.set_result(None)
        self._keep(self._written)

    def _fail(self, error: Unavailable) -> None:
        waiters, self._waiters = self._waiters, []
        for _, waiter in waiters:
            if not waiter.done():
                waiter.set_exception(error.again())

    def _keep(self, number: int) -> None:
        self._kept.append((number, asyncio.get_running_loop().time()))
        if self._removal is None and not self._closing:
            self._removal = asyncio.get_running_loop().create_task(self._remove_old())

    async def _remove_old(self) -> None:
        """Removes hints that are old enough, until none is left."""
        loop = asyncio.get_running_loop()
        try:
            while self._kept:
                await asyncio.sleep(_REMOVE_EVERY_S)
                old = 0
                while self._kept and self._kept[0][1] < loop.time() - HINTS_KEPT_S:
                    old = self._kept.popleft()[0]
                if old:
                    await self._remove(old)
        except Unavailable as error:
            log.warning("removing old hints goes on later", reason=str(error))
        finally:
            self._removal = None

    async def _remove(self, last: int) -> None:
        """Removes the hints up to this number, after a note of it: a reader who misses a hint asks the note."""
        database = self._database
        # Another server may have buried this one while it was suspended, and have removed more.
        noted = await first_kept(database, self._incarnation)
        note = {"incarnation": self._incarnation, "first": max(noted, last + 1)}
        await database.with_retry(
            lambda: database.records.replace_one({"_id": self._incarnation}, note, upsert=True)
        )
        await remove_hints(database, self._incarnation, self._removed + 1, last)
        self._removed = last


async def insert_once(database: Database, document: Document) -> None:
    """Inserts a hint whose `_id` only this incarnation uses, for this hint alone. Raises: `Unavailable`."""
    try:
        await database.with_retry(lambda: database.hints.insert_one(document))
    except DuplicateKeyError:  # an earlier try
        if await database.get(database.hints, document["_id"]) is None:  # a majority read
            raise Unavailable("MongoDB did not confirm a hint", "unconfirmed") from None


async def first_kept(database: Database, incarnation: str) -> int:
    """The number of the first hint of an incarnation that is kept, or would be if there were any. Raises:
    `Unavailable`."""
    note = await database.get(database.records, incarnation)
    return 1 if note is None else int(note["first"])


async def remove_hints(database: Database, incarnation: str, first: int, last: int | None) -> int:
    """Removes hints, in ascending order; with no last one, up to the first that is not there. Returns the number that
    follows the last one removed. Raises: `Unavailable`."""
    start, removed = first, 0
    while last is None or start <= last:
        end = start + _REMOVED_AT_ONCE if last is None else min(start + _REMOVED_AT_ONCE, last + 1)
        deletions = [DeleteOne({"_id": hint_key(incarnation, number)}) for number in range(start, end)]
        done = await database.with_retry(
            lambda deletions=deletions: database.hints.bulk_write(deletions, ordered=True)  # type: ignore[misc]
        )
        if last is None and not done.deleted_count:
            break
        removed += done.deleted_count
        start = end
    return first + removed
