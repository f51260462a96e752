"""Time as an argument, so that tests can turn it."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol


class Timer(Protocol):
    def cancel(self) -> None: ...


class Clock(Protocol):
    def now(self) -> datetime:
        """The time of day, aware, in UTC. It jumps when somebody sets it, and when a suspended machine wakes."""

    def unix_s(self) -> float:
        """`now` as a Unix time; for comparisons on the way of every command: 0.05 µs where `now` takes 0.3."""

    def monotonic(self) -> float:
        """Seconds from some fixed point; never goes back, and may stand still while the machine is suspended."""

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        """Calls back on the event loop after `delay_s` seconds of `monotonic`, unless the timer is cancelled."""

    async def sleep(self, delay_s: float) -> None: ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def unix_s(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(delay_s, callback)

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
