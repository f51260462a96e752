"""The Engine.IO server under aiohttp."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Iterable
from typing import Any

import engineio
from aiohttp import web
from engineio.packet import Packet as EngineIOPacket
from socketio.packet import Packet as SocketIOPacket

from .backlog import Backlog
from .budget import Budget, BudgetPolicy, Budgets
from .clock import Clock, LoopClock, sleep
from .cors import Cors
from .engineio_session import Session
from .foreign import ForeignSessions
from .heartbeat import Heartbeat
from .invoke import call, fit
from .links import Link
from .pace import Pace
from .packets import CLOSE, EnginePacket, SocketIODialect
from .requests import Requests
from .scheduler import Scheduler
from .takeover import take_over
from .websocket import WebSocket

POST_BYTES = 1_000_000
"""The most that a polling client may send in one POST (the reference's limit), if one packet does not need more."""

POST_TIMES = 4
"""How many times larger than a packet a POST is that carries it as a JSONP form, at the worst: 7 bytes for 2."""

CHECK_EVERY_S = 0.01
"""How often `wait_closed` checks: two seconds of a shutdown are not worth an event."""


def _write_now(link: Link, blob: bytes) -> None:
    """`EngineServer.reply` without a fan-out, which would join the blob with what else is sent in this turn."""
    link.write(blob)


def _remote(request: web.BaseRequest) -> str:
    return request.remote or ""


def _nothing_pending(eio_sid: str) -> None:
    """`EngineServer.before_send` without a fan-out, which would write what is pending first."""


class EngineServer(engineio.AsyncServer):
    """Takes what `engineio.AsyncServer` takes, and:

    - `max_http_buffer_size`: of a packet, with its attachments; a POST may hold several (`max_post_bytes`), but the
      handshake asks clients to split what they send by this.
    - `buffer_limit_bytes`: what may wait unsent for one connection; above, it is ended as too slow.
    - `upgrade_timeout_s`: for a WebSocket to complete an upgrade, or it is closed and polling goes on.
    - `close_timeout_s`: for a peer to answer a close frame or fetch a last poll, or it is cut off.
    - `on_overflow`, `on_silence`: called with the Engine.IO sid of a connection too slow, or silent. Nothing more is
      written to it. The hook may close the session in its own words; if it does not, the session is closed after the
      close timeout. Without a hook it is closed at once, its transport aborted.
    - `budgets`: what clients may ask in frames and bytes a second; without it, as much as they like. `on_flood` is
      called with the Engine.IO sid of a connection that asked for more than its budget for too long; then as with
      `on_violation`. `recognize` says whose a connection is.
    - `stranger_max_bytes`: the size of the largest message of a connection that was not recognized; 0: as of any.
    - `owner_unsent_bytes`: what may wait unsent for all connections of one owner, or of one address as long as they
      were not recognized; above, the connections with the most are ended as too slow. 0: no limit.
    - `address_of`: the address of a request's client, by default its peer's.
    - `on_violation`: called with the Engine.IO sid of a connection that broke the protocol, and 1008, or 1009 if it
      sent too much at once. It may close the session in its own words; else it is closed when the hook returns.
    - `clock`: the clock of all timeouts, heartbeats and budgets, by default the event loop's.

    Messages reach the `message` handler as text or bytes, never as decoded JSON.

    `before_send` is called with the Engine.IO sid of a session before a packet is written to it past the rooms.
    `reply` writes a blob to a link at the end of the turn. A fan-out may put functions of its own in their place.
    """

    def __init__(
        self,
        *,
        buffer_limit_bytes: int = 1024 * 1024,
        upgrade_timeout_s: float = 10.0,
        close_timeout_s: float = 2.0,
        on_overflow: Callable[[str], None] | None = None,
        on_silence: Callable[[str], None] | None = None,
        on_violation: Callable[[str, int], None] | None = None,
        on_flood: Callable[[str], None] | None = None,
        budgets: BudgetPolicy | None = None,
        stranger_max_bytes: int = 0,
        owner_unsent_bytes: int = 0,
        address_of: Callable[[web.BaseRequest], str] = _remote,
        clock: Clock | None = None,
        **options: Any,
    ) -> None:
        options["async_mode"] = options.get("async_mode") or "aiohttp"
        if options["async_mode"] != "aiohttp":
            raise ValueError("this engine runs under aiohttp only")
        super().__init__(**options)
        self.buffer_limit_bytes = buffer_limit_bytes
        self.max_post_bytes = max(POST_BYTES, POST_TIMES * self.max_http_buffer_size)
        self.upgrade_timeout_s = upgrade_timeout_s
        self.close_timeout_s = close_timeout_s
        self.on_overflow = on_overflow
        self.on_silence = on_silence
        self.on_violation = on_violation
        self.on_flood = on_flood
        self.stranger_max_bytes = stranger_max_bytes
        self.address_of = address_of
        self.clock: Clock = clock or LoopClock()
        self.budgets = Budgets(budgets or BudgetPolicy(), self.clock)
        self.scheduler = Scheduler(self.clock)
        self.backlog = Backlog(owner_unsent_bytes, self.clock)
        monitor_clients = options.get("monitor_clients")
        self.monitor_clients: bool = True if monitor_clients is None else bool(monitor_clients)
        self.heartbeat = Heartbeat(self.ping_interval, self.ping_timeout, self.clock)
        self.cors = Cors(self)
        self.dialect = SocketIODialect(SocketIOPacket)
        self.on_answer: Callable[[int], None] | None = None
        """Called with the size of each body that answers a request."""
        self.before_send: Callable[[str], None] = _nothing_pending
        self.reply: Callable[[Link, bytes], None] = _write_now
        self.foreign: ForeignSessions | None = None
        """The sessions of other nodes, if this node is one of several behind a proxy that gives each request to any
        of them. To be set before the first session is opened."""
        self._requests = Requests(self)
        self._lingering: dict[str, Session] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._websockets: set[WebSocket] = set()

    def attach(self, app: web.Application, engineio_path: str = "engine.io") -> None:
        """Serves the path for every method; the wrong ones are answered 400, not 405. At the application's
        shutdown all connections are ended, as aiohttp would wait for them."""
        app.router.add_route("*", f"/{engineio_path.strip('/')}/", self.handle_request)
        app.on_shutdown.append(self._on_shutdown)

    async def _on_shutdown(self, app: web.Application) -> None:
        await self.disconnect()
        await self.wait_closed()
        await self.shutdown()

    async def shutdown(self) -> None:
        """Stops what runs in the background. The server may be used again, in another event loop too."""
        self.heartbeat.stop()
        self.backlog.stop()
        if isinstance(self.clock, LoopClock):
            self.clock.release()

    def _follow_loop(self) -> None:
        """Starts anew if another event loop runs than before: timers of a loop that has ended never come."""
        if isinstance(self.clock, LoopClock) and self.clock.follow():
            self.heartbeat.stop()
            self.backlog.stop()
            self.scheduler.reset()

    # --- what the rest of the engine asks ------------------------------------------------------------------------

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task that is kept until it is done; an error in it is logged."""
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.logger.error("error in the background", exc_info=error)

    def deliver(self, sid: str, data: EnginePacket) -> Any:
        """Hands a message to the application. With `async_handlers` the handler runs in a task of its own, and its
        errors are logged. Without, what the handler returns is returned: it may have to be awaited, and an error
        reaches the caller."""
        handler = self.handlers.get("message")
        if handler is None:
            return None
        if self.async_handlers:
            self.spawn(call(handler, (sid, data)))
            return None
        return handler(sid, data)

    async def connecting(self, sid: str, environ: dict[str, Any]) -> Any:
        """What the connect handler returns: None or True, or why it refuses. One that fails refuses."""
        handler = self.handlers.get("connect")
        if handler is None:
            return None
        try:
            return await call(handler, (sid, environ))
        except Exception:
            self.logger.exception("connect handler error")
            return False

    async def disconnected(self, sid: str, reason: str) -> None:
        """Calls the disconnect handler, which may do without the reason. An error in it is logged."""
        handler = self.handlers.get("disconnect")
        if handler is not None:
            try:
                await call(handler, fit(handler, (sid, reason)))
            except Exception:
                self.logger.exception("disconnect handler error")

    async def accept(
        self, request: web.Request, *, max_bytes: int, pace: Pace, protocols: Iterable[str] = ()
    ) -> WebSocket:
        """Answers a WebSocket handshake and takes the connection from aiohttp. Raises: as `take_over`."""
        self._follow_loop()
        socket = await take_over(
            request,
            protocols=protocols,
            max_bytes=max_bytes,
            buffer_limit_bytes=self.buffer_limit_bytes,
            close_timeout_s=self.close_timeout_s,
            pace=pace,
            backlog=self.backlog,
            clock=self.clock,
            gone=self._websockets.discard,
        )
        self._websockets.add(socket)
        return socket

    def recognize(self, sid: str, owner: Hashable) -> None:
        """A connection counts against the budget of its owner from now on, no more against that of its address."""
        session = self.sockets.get(sid)
        if isinstance(session, Session):
            session.recognize(self.budgets.known(owner))

    def budget_of(self, sid: str) -> Budget | None:
        """The budget that requests for a session count against: the one that its owner shares with others. None if
        there is no such session, or it was not recognized."""
        session = self.sockets.get(sid)
        if session is None and self.foreign is not None:
            return self.foreign.budget_of(sid)
        return session.pace.budget.shared if isinstance(session, Session) and session.is_known else None

    def find_session(self, sid: str) -> Link | None:
        """The session, or other link, with this sid, also if it is closed and has packets left to fetch."""
        return self.sockets.get(sid) or self._lingering.get(sid)

    def unwatch(self, link: Any) -> None:
        """Takes a session that is closing out of the heartbeat and the backlog."""
        self.backlog.discard(link)
        self.heartbeat.remove(link)

    def linger(self, session: Session) -> None:
        """Keeps a polling session that is closing until its last packets are fetched, or the close timeout."""
        self._lingering[session.sid] = session
        self.clock.call_later(self.close_timeout_s, self._lingering.pop, session.sid, None)

    async def wait_closed(self) -> None:
        """Returns when no polling session that is closing has packets left to fetch, and no WebSocket is open any more;
        or after the close timeout."""
        since = self.clock.time()
        while self._is_open() and self.clock.time() < since + self.close_timeout_s:
            await sleep(self.clock, CHECK_EVERY_S)

    def _is_open(self) -> bool:
        return bool(self._websockets) or any(
            session.polling.has_packets for session in self._lingering.values()
        )

    def forget(self, link: Link) -> None:
        """The connection is gone. Does nothing for an unknown one."""
        if self.sockets.get(link.sid) is link:
            del self.sockets[link.sid]

    # --- the API of engineio.AsyncServer -------------------------------------------------------------------------

    async def send_packet(self, sid: str, pkt: EngineIOPacket) -> None:
        """Does nothing if there is no such connection."""
        session = self.sockets.get(sid)
        if isinstance(session, Session):
            await session.send(pkt)

    async def disconnect(self, sid: str | None = None) -> None:
        """Ends one connection, or all; returns when their handlers have run."""
        links = [self.sockets.get(sid)] if sid is not None else list(self.sockets.values())
        ending: list[Session] = []
        for link in links:
            if isinstance(link, Session):
                if not link.is_closing:
                    link.close(self.reason.SERVER_DISCONNECT, CLOSE)
                    ending.append(link)
            elif link is not None:
                link.close(self.reason.SERVER_DISCONNECT)
                self.forget(link)
        await asyncio.gather(*(session.wait_closed() for session in ending))

    def transport(self, sid: str) -> str:
        """`"polling"` or `"websocket"`, as are all links that are not this server's own. Raises: KeyError."""
        link = self.sockets[sid]
        return "polling" if isinstance(link, Session) and not link.upgraded else "websocket"

    async def handle_request(self, request: web.Request) -> web.StreamResponse:
        """The entry point: any request to the Engine.IO path."""
        self._follow_loop()
        return await self._requests.handle(request)
