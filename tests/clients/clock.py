"""A clock that stands still until it is turned."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class ManualTimer:
    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class ManualClock:
    """Implements `handlers.live.clock.Clock`: starts at the real now, and only `advance` and `jump` move it."""

    def __init__(self) -> None:
        self._start = datetime.now(UTC)
        self._turned_s = 0.0
        self._jumped_s = 0.0
        self._timers: list[tuple[float, int, ManualTimer]] = []
        self._order = itertools.count()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._turned_s + self._jumped_s)

    def unix_s(self) -> float:
        return self.now().timestamp()

    def monotonic(self) -> float:
        return self._turned_s

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> ManualTimer:
        timer = ManualTimer(callback)
        heapq.heappush(self._timers, (self._turned_s + max(0.0, delay_s), next(self._order), timer))
        return timer

    async def sleep(self, delay_s: float) -> None:
        """Waits for the turned clock, not for the real one."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.call_later(delay_s, lambda: None if woken.done() else woken.set_result(None))
        await woken

    def advance(self, seconds: float) -> None:
        """FairSemaphore the clock, and fires what falls due on the way, in order, each at its own time."""
        until = self._turned_s + seconds
        while self._timers and self._timers[0][0] <= until:
            due, _, timer = heapq.heappop(self._timers)
            self._turned_s = max(self._turned_s, due)
            if timer.callback is not None:
                timer.callback()
        self._turned_s = until

    def jump(self, seconds: float) -> None:
        """Moves the wall clock alone, back with a negative number: as when the machine was suspended, or somebody set
        the time. Timers do not notice."""
        self._jumped_s += seconds
