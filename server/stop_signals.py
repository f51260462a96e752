"""The signals that stop the server."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Coroutine, Sequence
from typing import Any


class StopSignals:
    """SIGTERM, SIGINT or SIGHUP asks the server to stop; a second SIGTERM or SIGINT asks it to hurry.

    SIGHUP never hurries: a terminal that closes may send it twice. Under `nohup` it is ignored.
    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.hurried = asyncio.Event()
        self._terminals = [stream.fileno() for stream in (sys.stdout, sys.stderr) if stream.isatty()]

    def install(self) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(NotImplementedError):  # Windows has no signal handlers on the loop
            loop.add_signal_handler(signal.SIGTERM, self._stop)
            loop.add_signal_handler(signal.SIGINT, self._stop)
            if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
                loop.add_signal_handler(signal.SIGHUP, self._hang_up)

    async def unless_hurried(self, waiting: Coroutine[Any, Any, None]) -> None:
        """Runs something to its end, or until the server is asked to hurry."""
        task = asyncio.ensure_future(waiting)
        hurried = asyncio.ensure_future(self.hurried.wait())
        await asyncio.wait((task, hurried), return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        if not task.cancel():
            task.result()

    def _stop(self) -> None:
        (self.hurried if self.asked.is_set() else self.asked).set()

    def _hang_up(self) -> None:
        _redirect_closed(self._terminals)
        self.asked.set()


def _redirect_closed(terminals: Sequence[int]) -> None:
    """Redirects output away from closed terminals: each line to one would be an error in the middle of the stop."""
    for terminal in terminals:
        if not os.isatty(terminal):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, terminal)
            os.close(nowhere)
