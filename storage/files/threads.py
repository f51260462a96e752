"""Threads that read and write files: a slow disk must not delay what else uses those of the event loop."""

import asyncio
import errno
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from storage.errors import Trouble, Unavailable

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    """A few threads. An action that was handed to them runs to its end, also if its caller is cancelled."""

    def __init__(self, name: str, count: int) -> None:
        self._threads = ThreadPoolExecutor(count, name)
        self._closed = False

    async def run(self, action: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs an action in a thread. Raises: `Unavailable` for an error of the disk."""
        if self._closed:
            raise Unavailable("the store is closed", "closed")
        work = self._threads.submit(action, *args, **kwargs)
        try:
            return await asyncio.shield(asyncio.wrap_future(work))
        except OSError as error:
            raise _unavailable(error) from error

    def begin(self, action: Callable[[], None]) -> None:
        """Runs an action in a thread; nobody waits for it."""
        try:
            self._threads.submit(action)
        except RuntimeError:  # closed
            action()

    async def close(self) -> None:
        """Waits for all actions. Closing twice is fine."""
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown)


def _unavailable(error: OSError) -> Unavailable:
    return Unavailable(f"the folder of files cannot be used: {error.strerror or error}", _trouble_of(error))


def _trouble_of(error: OSError) -> Trouble:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "full"
    return "read_only" if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM) else "failing"
