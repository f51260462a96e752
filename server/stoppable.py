"""Commands that take long, and tidy up when somebody stops them."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from server.start_error import StartError

T = TypeVar("T")


async def stoppable(work: Coroutine[Any, Any, T]) -> T:
    """The result of the work. SIGINT, SIGTERM and SIGHUP cancel it, and it may tidy up. Raises: `StartError` then."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        with suppress(AttributeError, NotImplementedError):  # a system without them
            loop.add_signal_handler(getattr(signal, name), task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        raise StartError("stopped; nothing is left of what it did") from None
