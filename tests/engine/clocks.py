"""A clock that a test turns."""

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Call:
    def __init__(self, callback: Callable[[], Any]) -> None:
        self.callback: Callable[[], Any] | None = callback

    def cancel(self) -> None:
        self.callback = None


class ManualClock:
    """A `server.engine.Clock` that stands still until it is turned."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now
        self._calls: list[tuple[float, int, Call]] = []
        self._order = itertools.count()

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> Call:
        return self.call_at(self.now + delay, callback, *args)

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any) -> Call:
        call = Call(lambda: callback(*args))
        heapq.heappush(self._calls, (when, next(self._order), call))
        return call

    @property
    def waiting(self) -> int:
        """How many calls are to come."""
        return sum(call.callback is not None for _, _, call in self._calls)

    def turn(self, seconds: float) -> None:
        """Lets time pass: each call that is due is made at its time, those that they ask for too."""
        until = self.now + seconds
        while self._calls and self._calls[0][0] <= until:
            when, _, call = heapq.heappop(self._calls)
            self.now = max(self.now, when)
            if call.callback is not None:
                callback, call.callback = call.callback, None
                callback()
        self.now = until

    def hold_up(self, seconds: float) -> None:
        """Lets time pass while nothing can run: calls that fall due meanwhile are late at the next `turn`."""
        self.now += seconds

    async def run(self, awaitable: Awaitable[T]) -> T:
        """The result of something that asks nothing but this clock: whenever it waits, the clock is turned to the next
        call that is due."""
        task = asyncio.ensure_future(awaitable)
        while not task.done():
            for _ in range(5):
                await asyncio.sleep(0)
            if not task.done():
                assert self._calls, "it waits for something else than this clock"
                self.turn(self._calls[0][0] - self.now)
        return await task

    async def flow(self) -> None:
        """Turns the clock all the time, much faster than time goes: for the end of a test, in which no time matters."""
        while True:
            await asyncio.sleep(0.001)
            self.turn(0.1)
