"""Time that passes while a process is stopped, and while its machine sleeps."""

import time

_BOOT_TIME: int | None = getattr(time, "CLOCK_BOOTTIME", None)


def elapsed_s() -> float:
    """Seconds since some fixed point. Linux counts those in which the machine was suspended in one clock and leaves
    them out in the other, and never counts fewer in the first one."""
    return time.monotonic() if _BOOT_TIME is None else time.clock_gettime(_BOOT_TIME)
