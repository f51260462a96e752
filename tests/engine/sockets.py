"""WebSockets of the engine's own, without the engine around them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

from aiohttp import web

from server.engine import HandedOver, WebSocket
from server.engine.backlog import Backlog
from server.engine.budget import Budget
from server.engine.pace import Pace
from server.engine.scheduler import Scheduler
from server.engine.takeover import take_over
from tests.engine.clocks import ManualClock

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
"""The head of a handshake, without the empty line at its end."""


class Receiver:
    """A receiver to which nothing matters but what it is given."""

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self.lost_with: list[int] = []

    def seen(self) -> None: ...

    def flooded(self) -> None: ...

    def overflow(self) -> None: ...

    def lost(self, code: int) -> None:
        self.lost_with.append(code)


R = TypeVar("R", bound=Receiver)


@asynccontextmanager
async def listening(handle: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[int]:
    """The port of a server that has this handler at `/ws`."""
    app = web.Application()
    app.router.add_route("*", "/ws", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


class Served(Generic[R]):
    """Takes connections from aiohttp, without a limit on what their peers may ask, and gives each a receiver.

    The clock stands still: a connection that ends does so because of what its peer does.
    """

    def __init__(self, receiver: Callable[[WebSocket], R], **options: Any) -> None:
        self.clock = ManualClock()
        self.receivers: list[R] = []
        self.sockets: set[WebSocket] = set()
        self.gone: list[WebSocket] = []
        self.serve_at_once = True
        self.port = 0
        self._receiver = receiver
        self._options = options

    async def handle(self, request: web.Request) -> web.StreamResponse:
        options = {
            "max_bytes": 1000,
            "close_timeout_s": 2,
            "buffer_limit_bytes": 1 << 20,
            "pace": Pace(Budget(), Scheduler()),
            "backlog": Backlog(0),
            "clock": self.clock,
            "gone": self._lose,
            **self._options,
        }
        socket = await take_over(request, **options)
        self.sockets.add(socket)
        self.receivers.append(self._receiver(socket))
        if self.serve_at_once:
            socket.serve(self.receivers[-1])
        return HandedOver()

    def _lose(self, socket: WebSocket) -> None:
        self.sockets.discard(socket)
        self.gone.append(socket)
