"""Time as a parameter: whatever waits, times out or measures asks a clock, by default the event loop's.

An event loop is a `Clock` as it is. Tests hand in one of their own, and turn it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol


class Timer(Protocol):
    """A call that is to come."""

    def cancel(self) -> None:
        """Keeps the call from being made. Does nothing if it was made already."""


class Clock(Protocol):
    """The part of `asyncio.AbstractEventLoop` that has to do with time. Times and delays are in seconds."""

    def time(self) -> float:
        """The time since a moment that is the same for all calls. It never goes back."""

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> Timer:
        """Has the callback called once, after the delay."""

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any) -> Timer:
        """Has the callback called once, at a time of this clock."""


_METHODS = ("time", "call_later", "call_at")


class LoopClock:
    """The clock of the event loop in which it is first asked, until `release` or `follow`.

    It can be made before there is a loop. From the first call on each method is the loop's own, so that asking costs
    what asking the loop costs.
    """

    time: Callable[[], float]
    call_later: Callable[..., Timer]
    call_at: Callable[..., Timer]

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def __getattr__(self, name: str) -> Any:
        if name not in _METHODS:
            raise AttributeError(name)
        self._loop = asyncio.get_running_loop()
        method = getattr(self._loop, name)
        setattr(self, name, method)
        return method

    def release(self) -> None:
        """Lets go of the loop: the next call asks the loop that runs then."""
        self._loop = None
        for name in _METHODS:
            self.__dict__.pop(name, None)

    def follow(self) -> bool:
        """Lets go of a loop that is not the running one. Returns whether there was one."""
        if self._loop is None or self._loop is asyncio.get_running_loop():
            return False
        self.release()
        return True


async def sleep(clock: Clock, delay_s: float) -> None:
    """Returns after the delay."""
    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    timer = clock.call_later(delay_s, _set, over)
    try:
        await over
    finally:
        timer.cancel()


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


@asynccontextmanager
async def timeout(clock: Clock, delay_s: float) -> AsyncIterator[asyncio.Timeout]:
    """As `asyncio.timeout`. `expire` ends it before its time. Raises: TimeoutError after the delay."""
    async with asyncio.timeout(None) as limit:
        timer = clock.call_later(delay_s, expire, limit)
        try:
            yield limit
        finally:
            timer.cancel()


def expire(limit: asyncio.Timeout) -> None:
    """Ends a `timeout` now."""
    if not limit.expired():
        limit.reschedule(asyncio.get_running_loop().time())
