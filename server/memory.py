"""Memory that is given back: the C library keeps what was freed, and after a burst that is most of the process.

glibc raises the size from which it asks the system for memory of its own (and returns it when freed) as soon as such a
piece is freed, up to 32 MiB: after that, pages of 1 MiB are cut from heaps, each of which can only shrink at its end,
and every thread that reads the store has a heap of its own. Elsewhere than on glibc nothing happens here.
"""

import asyncio
import ctypes
import gc
import os
from pathlib import Path

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8

LARGE_BYTES = 128 * 1024
"""What is as large as this is given back when it is freed."""

ARENAS_MAX = 2
LOOK_EVERY_S = 10.0

BURST_BYTES = 8 * 1024 * 1024
"""Growing by this is worth a look for what can be given back, which takes about a millisecond for 10 MiB of heap."""

_STATM = Path("/proc/self/statm")


def _libc() -> ctypes.CDLL | None:
    """glibc, if that is what we run on."""
    try:
        library = ctypes.CDLL(None)
        if hasattr(library, "gnu_get_libc_version") and hasattr(library, "malloc_trim"):
            return library
    except OSError:
        pass
    return None


def tune() -> None:
    """To be called before there are threads."""
    library = _libc()
    if library is not None:
        library.mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
        library.mallopt(_M_TRIM_THRESHOLD, LARGE_BYTES)
        library.mallopt(_M_ARENA_MAX, ARENAS_MAX)


class GivingBack:
    """Looks now and then whether the process has grown, and then gives back what is free, in a thread of the loop."""

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
            await asyncio.sleep(LOOK_EVERY_S)
            now = _resident_bytes()
            if now >= self._least_bytes + BURST_BYTES:
                gc.collect(
                    1
                )  # broken connections leave young circles of errors and frames, with all that is in them
                await asyncio.to_thread(self._library.malloc_trim, 0)
                now = _resident_bytes()
                # What is still there is in use: it counts as the least, little by little, so that a process that has
                # grown for good is not trimmed for ever, and one that is about to shrink is.
                self._least_bytes += (now - self._least_bytes) // 4
            self._least_bytes = min(self._least_bytes, now)


def _resident_bytes() -> int:
    return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
