"""Deletes the bytes of files to which nothing refers any more: at once, and what a crash has left behind."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import structlog

from domain.changes import Change
from domain.file_changes import FilesRemoved
from handlers.files.counts import FileCounts
from handlers.live.clock import Clock, Timer
from storage.errors import Unavailable
from storage.ports import Store

log = structlog.get_logger("vestnik")

STEP_FILES = 200
"""How many files one step deletes, and how many uploads it lets expire."""

AGAIN_AFTER_S = 60.0
"""What other nodes left, what expired, and what failed is looked for this often, or more often if uploads expire
sooner."""

COLLECT_AFTER_S = 3600.0
"""Bytes that nobody knows are looked for this often, and when the server starts."""

NOBODYS_AGE = timedelta(hours=1)
"""Younger bytes may be those of an upload that is about to be named: see `storage.ports.Uploads.known`."""


START_AGE = timedelta(seconds=1)
"""Bytes that were kept so long before the start are looked at then: files have their times by a clock that may be a
little behind."""


class Cleaning:
    """Takes away files: the queue of the store right after each change that put something into it (`published` is a
    subscriber of the store), uploads that no message has after `ttl_s`, and bytes that nobody knows."""

    def __init__(self, store: Store, clock: Clock, counts: FileCounts, *, ttl_s: float) -> None:
        self._store = store
        self._clock = clock
        self._counts = counts
        self._ttl = timedelta(seconds=ttl_s)
        self._again_s = min(AGAIN_AFTER_S, max(1.0, ttl_s / 4))
        self._timer: Timer | None = None
        self._running: asyncio.Task[None] | None = None
        self._wanted = False
        """Whether something came into the queue while it was being emptied."""
        self._collect_at: float | None = None
        self._stopped = False
        self._failing = False
        self._started_at = clock.now()

    def start(self) -> None:
        """Begins with what the last run has left. Called before the first file comes in."""
        self._started_at = self._clock.now()
        self._run()

    async def stop(self) -> None:
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait((self._running,))

    def published(self, changes: Sequence[Change]) -> None:
        """Empties the queue if something came into it."""
        if any(type(change) is FilesRemoved for change in changes):
            self._run()

    def _run(self) -> None:
        if self._stopped:
            return
        if self._running is not None:
            self._wanted = True
            return
        if self._timer is not None:
            self._timer.cancel()
        self._running = asyncio.ensure_future(self._clean())
        self._running.add_done_callback(self._done)

    def _done(self, _task: "asyncio.Task[None]") -> None:
        self._running = None
        if self._stopped:
            return
        if self._wanted:
            self._wanted = False
            self._run()
        else:
            self._timer = self._clock.call_later(self._again_s, self._run)

    async def _clean(self) -> None:
        try:
            await self._empty_queue()
            await self._expire()
            await self._collect()
            self._failing = False
        except Unavailable as error:
            if not self._failing:
                log.warning("files cannot be deleted now", reason=str(error))
            self._failing = True
        except Exception:
            log.exception("deleting files failed")

    async def _empty_queue(self) -> None:
        """What came into the queue before this began is out of it then, or `Unavailable` is raised."""
        self._wanted = False
        while file_ids := await self._store.uploads.removals(STEP_FILES):
            try:
                await self._store.files.delete(file_ids)
            except Unavailable:
                # One that cannot be deleted must not hold up the others.
                file_ids = [one for one in file_ids if await self._store.files.size(one) is None]
                await self._removed(file_ids)
                if file_ids:
                    continue
                raise
            await self._removed(file_ids)

    async def _removed(self, file_ids: Sequence[str]) -> None:
        await self._store.uploads.removed(file_ids)
        self._counts.deleted += len(file_ids)

    async def _expire(self) -> None:
        before = self._clock.now() - self._ttl
        while expired := await self._store.uploads.expire(before, STEP_FILES):
            await self._empty_queue()
            if expired < STEP_FILES:
                return

    async def _collect(self) -> None:
        """Deletes the bytes that nobody knows."""
        now = self._clock.monotonic()
        if self._collect_at is not None and now < self._collect_at:
            return
        is_first, self._collect_at = self._collect_at is None, now + COLLECT_AFTER_S
        after, older_than = "", self._clock.now() - NOBODYS_AGE
        if is_first and not self._store.shared:
            # Nobody else uses the store, and what was kept before the start had its chance to be named.
            older_than = self._started_at - START_AGE
        while file_ids := await self._store.files.ids(after=after, limit=STEP_FILES, older_than=older_than):
            after = file_ids[-1]
            if self._wanted:  # there may be millions of files to look at
                await self._empty_queue()
            known = await self._store.uploads.known(file_ids)
            nobodys = [file_id for file_id in file_ids if file_id not in known]
            if nobodys:
                log.warning("files that nothing refers to are deleted", count=len(nobodys))
                await self._store.files.delete(nobodys)
                self._counts.deleted += len(nobodys)
            if len(file_ids) < STEP_FILES:
                return
