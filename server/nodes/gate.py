"""Whether memory is behind other nodes, and for how long: `handlers.live.freshness.Freshness` over looks."""

import asyncio
from collections.abc import Awaitable, Callable

from handlers.live.freshness import CAUGHT_UP_WITHIN_S
from server.nodes.elapsed import elapsed_s
from server.nodes.looks import WAIT_S, Looks
from storage.errors import Unavailable

STALE_AFTER_S = 2.0
"""With a last complete look older than this, a node that has others runs no command and publishes nothing."""

UNREADY_AFTER_S = 5.0

ENDED_AFTER_S = 30.0
"""With a last complete look older than this, a node that has others ends its connections."""

TICK_S = 0.25

RETRY_S = 0.1


class Gate:
    """Implements `Freshness`.

    A node that knows no living others counts as looked while its clock ticks: nobody writes what it does not know,
    and a database that is away is no reason to hold anything. But if the process was stopped, others may have come.
    `fresh` is called in the turn in which the node is no longer stale; `behind` once the last look is older than
    `ENDED_AFTER_S`.
    """

    shared = True

    def __init__(
        self,
        read: Callable[[], Awaitable[None]],
        *,
        published: Callable[[], Awaitable[None]],
        now_s: Callable[[], float] = elapsed_s,
    ) -> None:
        """`read` is one look. `published` returns when the rows are published that looks have left to the writes of
        this server: no look waits for that, so that a chat to which many write does not hold up all others. Nothing of
        such a chat is published meanwhile that comes after these rows."""
        self._published = published
        self._now_s = now_s
        self.looks = Looks(read, done=self._looked, failed=self._failed, now_s=now_s)
        self.alone = True
        """Whether the last complete look knew no living others."""
        self.fresh: Callable[[], None] = lambda: None
        self.behind: Callable[[], None] = lambda: None
        self._looked_s = now_s()
        self._ticked_s = now_s()
        self._suspended = False
        self._woke_s = self._looked_s
        """When it was noticed last that the process had been stopped."""
        self._said_behind = False
        self._ticks: asyncio.Task[None] | None = None
        self._catching_up: asyncio.Task[None] | None = None

    @property
    def stale(self) -> bool:
        return self._now_s() - self._looked_s > STALE_AFTER_S

    @property
    def age_s(self) -> float:
        """How old the last complete look is."""
        return self._now_s() - self._looked_s

    async def look(self) -> None:
        await self.looks.look()
        try:
            async with asyncio.timeout(WAIT_S):
                await self._published()
        except TimeoutError:
            raise Unavailable("a chat to which several servers write takes too long", "contested") from None

    async def look_at_accounts(self) -> None:
        if self.alone:
            await self.caught_up()
        else:
            await self.looks.look()

    async def caught_up(self) -> None:
        if not self.stale:
            return
        if self._catching_up is None or self._catching_up.done():
            self._catching_up = asyncio.get_running_loop().create_task(self._catch_up())
        # `wait` does not cancel the task, which all who wait share.
        await asyncio.wait((self._catching_up,), timeout=CAUGHT_UP_WITHIN_S)
        if self.stale:
            raise Unavailable("the other nodes cannot be looked at", "unreachable")

    async def _catch_up(self) -> None:
        """Looks until this node is not stale. One task does so for all who wait: thousands that each look again after
        each failure would take the whole loop."""
        while self.stale:
            try:
                await self.looks.look()
            except Exception:  # those that nobody foresaw are logged where it is looked all the time
                await asyncio.sleep(RETRY_S)

    @property
    def ready(self) -> bool:
        """Whether the last complete look is new enough to send clients here."""
        return self.age_s <= UNREADY_AFTER_S

    def start(self) -> None:
        """Begins to look and to tick. The first look must have been made."""
        self._looked_s = self._ticked_s = self._now_s()
        self.looks.start()
        self._ticks = asyncio.get_running_loop().create_task(self._tick_on())

    async def stop(self) -> None:
        tasks = [task for task in (self._ticks, self._catching_up) if task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self.looks.stop()

    def tick(self) -> None:
        """Called every `TICK_S`, later if the process was stopped."""
        now_s = self._now_s()
        if now_s - self._ticked_s > STALE_AFTER_S:
            self._suspended, self._woke_s = True, now_s
        self._ticked_s = now_s
        if self.alone and not self._suspended:
            self._looked_s = max(self._looked_s, now_s)
        if now_s - self._looked_s > ENDED_AFTER_S and not self._suspended and not self._said_behind:
            self._said_behind = True
            self.behind()

    def _looked(self, began_s: float) -> None:
        """Called after a complete look. However long it took, this node knows what others did before it; but if the
        process was stopped in the middle, only what they did before it began."""
        now_s = self._now_s()
        stopped = now_s - self._ticked_s > STALE_AFTER_S or began_s < self._woke_s
        self._looked_s = max(self._looked_s, began_s if stopped else now_s)
        if not self.stale:
            self._suspended = self._said_behind = False
            self.fresh()

    def _failed(self) -> None:
        self._suspended = False
        if self.alone:
            self._looked_s = self._now_s()
            self.fresh()

    async def _tick_on(self) -> None:
        while True:
            self.tick()
            await asyncio.sleep(TICK_S)
