"""What sessions, and the requests for them, need of the Engine.IO server."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from aiohttp import web

from .backlog import Backlog
from .budget import Budgets
from .clock import Clock
from .cors import Cors
from .foreign import ForeignSessions
from .heartbeat import Heartbeat
from .pace import Pace
from .packets import EnginePacket, SocketIODialect
from .scheduler import Scheduler
from .websocket import WebSocket


class Host(Protocol):
    """`EngineServer` says what the settings and hooks mean."""

    logger: logging.Logger
    reason: Any
    clock: Clock
    scheduler: Scheduler
    heartbeat: Heartbeat
    backlog: Backlog
    dialect: SocketIODialect
    sockets: dict[str, Any]
    budgets: Budgets
    cors: Cors
    transports: list[str]
    allow_upgrades: bool
    cookie: Any
    http_compression: bool
    compression_threshold: int
    ping_interval: float
    ping_interval_grace_period: float
    ping_timeout: float
    max_http_buffer_size: int
    max_post_bytes: int
    stranger_max_bytes: int
    buffer_limit_bytes: int
    upgrade_timeout_s: float
    close_timeout_s: float
    monitor_clients: bool
    on_overflow: Callable[[str], None] | None
    on_silence: Callable[[str], None] | None
    on_violation: Callable[[str, int], None] | None
    on_flood: Callable[[str], None] | None
    on_answer: Callable[[int], None] | None
    address_of: Callable[[web.BaseRequest], str]
    foreign: ForeignSessions | None
    before_send: Callable[[str], None]
    reply: Callable[[Any, bytes], None]

    def generate_id(self) -> str:
        """A new Engine.IO sid."""

    def find_session(self, sid: str) -> Any:
        """The session with this sid, also if it is closed and has packets left to fetch; None if there is none."""

    async def connecting(self, sid: str, environ: dict[str, Any]) -> Any:
        """What the application's connect handler returns: None or True, or why it refuses."""

    def deliver(self, sid: str, data: EnginePacket) -> Any:
        """Hands a message to the application."""

    def disconnected(self, sid: str, reason: str) -> Coroutine[Any, Any, None]:
        """Calls the disconnect handler."""

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs something in the background."""

    def unwatch(self, link: Any) -> None:
        """Takes a session that is closing out of the heartbeat and the backlog."""

    def linger(self, session: Any) -> None:
        """Keeps a polling session that is closing until its last packets are fetched."""

    def forget(self, link: Any) -> None:
        """The session is closed."""

    async def accept(self, request: web.Request, *, max_bytes: int, pace: Pace) -> WebSocket:
        """Answers a WebSocket handshake."""
