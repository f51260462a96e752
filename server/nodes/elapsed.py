"""Time that passes while a process is stopped, and while its machine sleeps."""

import time
from collections.abc import Callable
from functools import partial

_BOOT_TIME: int | None = getattr(time, "CLOCK_BOOTTIME", None)

elapsed_s: Callable[[], float] = (
    time.monotonic if _BOOT_TIME is None else partial(time.clock_gettime, _BOOT_TIME)
)
"""Seconds since some fixed point. Linux counts those in which the machine was suspended in one clock and leaves them
out in the other, and never counts fewer in the first one."""
