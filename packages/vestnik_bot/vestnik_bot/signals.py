"""The signals that end a program."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_NUMBERS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Calls `stop` in place of ending the process, as long as the block runs."""
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError):  # Windows
        for number in _NUMBERS:
            loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        with suppress(NotImplementedError):
            for number in _NUMBERS:
                loop.remove_signal_handler(number)
