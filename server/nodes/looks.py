"""Looks at what other nodes have written: every so often, and for callers who cannot wait for that."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from server.engine import cancellation
from server.nodes.elapsed import elapsed_s
from storage.errors import Unavailable

log = structlog.get_logger("vestnik")

LOOK_EVERY_S = 0.25

LOOKS_APART_S = 0.01
"""The least time from the beginning of a look to that of the next: what many callers ask for meanwhile is one look."""

WAIT_S = 5.0
"""How long a caller waits for a look. The look goes on: what it has read and published need not be read again."""


class Looks:
    """Runs one look at a time. `read` reads what is new and publishes it. `done` is called with the time at which a
    complete look began, `failed` after a look that was not completed."""

    def __init__(
        self,
        read: Callable[[], Awaitable[None]],
        *,
        done: Callable[[float], None],
        failed: Callable[[], None],
        now_s: Callable[[], float] = elapsed_s,
    ) -> None:
        self._read = read
        self._done = done
        self._failed = failed
        self._now_s = now_s
        self._began_s = 0.0
        self._running: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None
        self._loop: asyncio.Task[None] | None = None
        self.count = 0
        """How many looks have begun."""

    def start(self) -> None:
        """Begins to look every `LOOK_EVERY_S`."""
        self._loop = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Ends what is under way."""
        tasks = [task for task in (self._loop, self._next, self._running) if task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def look(self) -> None:
        """Returns after a complete look that began after this call. Raises: `Unavailable`, after `WAIT_S` at the
        latest."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_task(self._look_after(self._running))
            self._next.add_done_callback(_take_exception)
        awaited = self._next
        try:
            async with asyncio.timeout(WAIT_S):
                await asyncio.shield(awaited)
        except asyncio.CancelledError:
            if awaited.cancelled() and not cancellation.is_ours():
                raise Unavailable("this node stops", "closed") from None
            raise
        except TimeoutError:
            raise Unavailable("the look at the other nodes takes too long", "slow") from None
        except Unavailable as error:
            raise error.again() from None

    async def _look_after(self, running: "asyncio.Task[None] | None") -> None:
        if running is not None and not running.done():
            await asyncio.wait((running,))
        pause_s = self._began_s + LOOKS_APART_S - self._now_s()
        if 0 < pause_s <= LOOKS_APART_S:
            await asyncio.sleep(pause_s)
        self._running, self._next = self._next, None  # who asks from here on needs another look
        began_s = self._began_s = self._now_s()
        self.count += 1
        try:
            await self._read()
        except Exception:
            self._failed()
            raise
        self._done(began_s)

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except Unavailable:
                pass  # the gate says how old the last look is
            except Exception as error:
                log.error("looking at the other nodes failed", exc_info=error)
            await asyncio.sleep(LOOK_EVERY_S)


def _take_exception(task: "asyncio.Task[None]") -> None:
    """Keeps asyncio from reporting the failure of a look whose callers are gone."""
    if not task.cancelled():
        task.exception()
