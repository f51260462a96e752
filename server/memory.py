"""Returns freed memory to the system. The C library keeps it otherwise, and after a burst it is most of the process.

glibc maps large blocks separately and returns them when they are freed. But each time such a block is freed, glibc
raises the size from which it does so, up to 32 MiB. From then on, pages of 1 MiB are cut from heaps, which can only
shrink at their ends, and every thread that reads the store has a heap of its own. On other C libraries this module does
nothing.
"""

import asyncio
import ctypes
import gc
import os
from pathlib import Path

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8

LARGE_BYTES = 128 * 1024
"""Blocks of this size and above are returned when they are freed."""

ARENAS_MAX = 2
CHECK_EVERY_S = 10.0

BURST_BYTES = 8 * 1024 * 1024
"""When the process has grown by this, free memory is returned, which takes about a millisecond for 10 MiB of heap."""

_STATM = Path("/proc/self/statm")


def _libc() -> ctypes.CDLL | None:
    """glibc, if the process runs on it."""
    try:
        library = ctypes.CDLL(None)
        if hasattr(library, "gnu_get_libc_version") and hasattr(library, "malloc_trim"):
            return library
    except OSError:
        pass
    return None


def tune() -> None:
    """Sets the limits of glibc; to be called before there are threads."""
    library = _libc()
    if library is not None:
        library.mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
        library.mallopt(_M_TRIM_THRESHOLD, LARGE_BYTES)
        library.mallopt(_M_ARENA_MAX, ARENAS_MAX)


class GivingBack:
    """Checks every 10 s whether the process has grown, and then returns free memory, in a worker thread."""

    def __init__(self) -> None:
        self._library = _libc() if _STATM.exists() else None
        self._task: asyncio.Task[None] | None = None
        self._least_bytes = 0

    def start(self) -> None:
        if self._library is not None:
            self._least_bytes = _resident_bytes()
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        assert self._library is not None
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            now = _resident_bytes()
            if now >= self._least_bytes + BURST_BYTES:
                gc.collect(
                    1
                )  # broken connections leave reference cycles of exceptions and frames, with all that they hold
                await asyncio.to_thread(self._library.malloc_trim, 0)
                now = _resident_bytes()
                # What is left is in use. The baseline follows it by a quarter each time, so that a process that has
                # grown for good is not trimmed for ever, and one that is about to shrink is.
                self._least_bytes += (now - self._least_bytes) // 4
            self._least_bytes = min(self._least_bytes, now)


def _resident_bytes() -> int:
    return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
