"""Threads that decode pictures: two at once, fairly between users, and within a bound of memory."""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Condition
from typing import BinaryIO

from handlers.live.fair_semaphore import FairSemaphore, Gone, never
from handlers.pictures.processing import DECODING_BYTES_MAX, Picture, process
from handlers.pictures.small import Wanted
from storage.histogram import Histogram

AT_ONCE = 2
WAITING_MAX = 256
"""How many pictures may wait for their turn, each with its file on the disk."""


class Memory:
    """What the pictures that are being decoded take together: at most `bytes_max`."""

    def __init__(self, bytes_max: int) -> None:
        self._free = bytes_max
        self._freed = Condition()

    @contextmanager
    def reserve(self, size: int) -> Iterator[None]:
        """Waits, in a thread, until so much is free, and holds it to the end of the block. `size` is at most
        `bytes_max`."""
        with self._freed:
            self._freed.wait_for(lambda: size <= self._free)
            self._free -= size
        try:
            yield
        finally:
            with self._freed:
                self._free += size
                self._freed.notify_all()


class PictureWorkers:
    """Runs `process` in threads."""

    def __init__(
        self, pixels_max: int, seconds: Histogram, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """`seconds` counts how long pictures take in their threads."""
        self.pixels_max = pixels_max
        self._clock = clock
        self._threads = ThreadPoolExecutor(AT_ONCE, "picture")
        self._turns = FairSemaphore(AT_ONCE, waiting_max=WAITING_MAX)
        self._memory = Memory(DECODING_BYTES_MAX)
        self._seconds = seconds

    async def process(
        self,
        source: BinaryIO,
        content_type: str,
        cleaned: BinaryIO,
        *,
        wanted: Wanted,
        turn_of: str,
        gone: Gone = never,
    ) -> Picture:
        """See `handlers.pictures.processing.process`. `turn_of` is the key under which the call waits: see
        `FairSemaphore`. The files are used until this returns or raises, also if the caller is cancelled.

        Raises: what `process` raises; `ChatError` `unavailable` if too many wait, `bad_request` if the caller has gone.
        """
        async with self._turns.of(turn_of, gone=gone):
            running = asyncio.get_running_loop().run_in_executor(
                self._threads, self._timed, source, content_type, cleaned, wanted
            )
            try:
                return await asyncio.shield(running)
            except asyncio.CancelledError:
                await asyncio.wait((running,))
                raise

    def _timed(self, source: BinaryIO, content_type: str, cleaned: BinaryIO, wanted: Wanted) -> Picture:
        started_at = self._clock()
        try:
            return process(
                source,
                content_type,
                cleaned,
                wanted=wanted,
                pixels_max=self.pixels_max,
                reserve=self._memory.reserve,
            )
        finally:
            self._seconds.observe(self._clock() - started_at)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
