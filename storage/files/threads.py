"""Threads that read and write files: a slow disk must not delay what else uses those of the event loop."""

import asyncio
import errno
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from storage.errors import Trouble, Unavailable

_TOLD_EVERY_S = 60.0
"""How often an error of the disk is logged at most."""

_log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    """A few threads. An action that was handed to them runs to its end, also if its caller is cancelled."""

    def __init__(self, name: str, count: int, where: str = "the folder of files") -> None:
        self._threads = ThreadPoolExecutor(count, name)
        self._where = where
        self._closed = False
        self._told_at = -_TOLD_EVERY_S

    async def run(self, action: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs an action in a thread. Raises: `Unavailable` for an error of the disk, which is logged: clients are told
        less."""
        try:
            return await self.run_quietly(action, *args, **kwargs)
        except Unavailable as error:
            if error.trouble != "closed":
                self._tell(error)
            raise

    async def run_quietly(self, action: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same for a caller who tells the operator. Raises: `Unavailable`."""
        if self._closed:
            raise Unavailable("the store is closed", "closed")
        work = self._threads.submit(action, *args, **kwargs)
        try:
            return await asyncio.shield(asyncio.wrap_future(work))
        except OSError as error:
            reason = error.strerror or error
            raise Unavailable(f"{self._where} cannot be used: {reason}", _trouble_of(error)) from error

    def begin(self, action: Callable[[], None]) -> None:
        """Runs an action in a thread; nobody waits for it."""
        try:
            self._threads.submit(action)
        except RuntimeError:  # closed
            action()

    def _tell(self, error: Unavailable) -> None:
        now = time.monotonic()
        if now - self._told_at >= _TOLD_EVERY_S:
            self._told_at = now
            _log.warning("files cannot be kept or read: %s", error)

    async def close(self) -> None:
        """Waits for all actions. Closing twice is fine."""
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown)


def _trouble_of(error: OSError) -> Trouble:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "full"
    return "read_only" if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM) else "failing"
