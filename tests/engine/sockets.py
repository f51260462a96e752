"""A WebSocket of the engine's own, without the engine around it."""

from typing import Any

from aiohttp import web

from server.engine import WebSocket
from server.engine.backlog import Backlog
from server.engine.budget import Budget
from server.engine.clock import LoopClock
from server.engine.pace import Pace
from server.engine.scheduler import Scheduler
from server.engine.takeover import take_over


class Receiver:
    """A receiver to which nothing matters but what it is given."""

    def seen(self) -> None: ...

    def flooded(self) -> None: ...

    def overflow(self) -> None: ...


async def taken_over(request: web.Request, **options: Any) -> WebSocket:
    """Takes a connection from aiohttp, without a limit on what its peer may ask."""
    options = {
        "buffer_limit_bytes": 1 << 20,
        "pace": Pace(Budget(), Scheduler()),
        "backlog": Backlog(0),
        "clock": LoopClock(),
        **options,
    }
    return await take_over(request, **options)
