"""The Engine.IO server under aiohttp: which request may do what, and what it is answered."""

import asyncio
import json
import re
import sys
import urllib.parse
from collections.abc import Callable, Coroutine, Hashable, Iterable, Sequence
from time import monotonic
from typing import Any

import engineio
from aiohttp import web
from engineio.packet import Packet as EngineIOPacket
from socketio.packet import Packet as SocketIOPacket

from . import handshake
from .backlog import Backlog
from .budget import Budget, BudgetPolicy, Budgets
from .heartbeat import Heartbeat
from .pace import Pace
from .packets import OPEN, EnginePacket, SocketIODialect, join_payload
from .scheduler import Scheduler
from .sockets import BAD_REQUEST, Refused, Socket
from .takeover import take_over
from .websocket import WebSocket

Response = dict[str, Any]

POST_BYTES = 1_000_000
"""So much may a polling client say in one POST (the reference's limit), if not more is needed for one packet."""

POST_TIMES = 4
"""So many times larger than a packet is a POST that carries it as a JSONP form, at the worst: 7 bytes for 2."""

_JSONP_INDEX = re.compile(r"[0-9]{1,16}")


def _write_now(socket: Socket, blob: bytes) -> None:
    """Stands where a fan-out would join it with what else is sent in this turn."""
    socket.write(blob)


def _remote(request: web.BaseRequest) -> str:
    return request.remote or ""


def _nothing_pending(eio_sid: str) -> None:
    """Stands where a fan-out would have to write first."""


class EngineServer(engineio.AsyncServer):
    """Takes what `engineio.AsyncServer` takes, and:

    - `max_http_buffer_size`: of a packet, with its attachments; a POST may hold several (`max_post_bytes`), but clients
      are told to split what they send by this.
    - `buffer_limit_bytes`: what may wait unsent for one connection; above, it is ended as too slow.
    - `upgrade_timeout_s`: for a WebSocket to complete an upgrade, or it is closed and polling goes on.
    - `close_timeout_s`: for a peer to answer a close frame or fetch a last poll, or it is cut off.
    - `on_overflow`, `on_silence`: called with the Engine.IO sid of a connection too slow, or silent. Nothing more is
      written to it. It may end the session in its own words; if it does not, the session is ended after the close
      timeout. Without a hook it is ended at once, its transport aborted.
    - `budgets`: what clients may ask in frames and bytes a second; without it, as much as they like. `on_flood` is
      called with the Engine.IO sid of a connection that asked for more than its budget for too long; then as with
      `on_violation`. `recognize` says whose a connection is.
    - `stranger_max_bytes`: how large a message of a connection may be that nobody has recognized; 0: as of any.
    - `owner_unsent_bytes`: what may wait unsent for all connections of one owner, or of one address that nobody has
      recognized; above, those with the most end as too slow. 0: no limit.
    - `address_of`: the address of a request's client, by default its peer's.
    - `on_violation`: called with the Engine.IO sid of a connection that broke the protocol, and 1008, or 1009 if it
      sent too much at once. It may end the session in its own words; else it is ended when the hook returns.

    Messages reach the `message` handler as text or bytes, never as decoded JSON.
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
        self.budgets = Budgets(budgets or BudgetPolicy(), monotonic)
        self.stranger_max_bytes = stranger_max_bytes
        self.address_of = address_of
        self.scheduler = Scheduler()
        self.backlog = Backlog(owner_unsent_bytes)
        self.monitor_clients = self.start_service_task
        self.heartbeat = Heartbeat(self.ping_interval, self.ping_timeout)
        self.dialect = SocketIODialect(SocketIOPacket)
        self.before_send: Callable[[str], None] = _nothing_pending
        self.reply: Callable[[Socket, bytes], None] = _write_now
        self._lingering: dict[str, Socket] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._websockets: set[WebSocket] = set()

    def attach(self, app: web.Application, engineio_path: str = "engine.io") -> None:
        """Serves the path for every method; the wrong ones are answered 400, not 405. At the application's
        shutdown all connections are ended, as aiohttp would wait for them."""
        app.router.add_route("*", f"/{engineio_path.strip('/')}/", self.handle_request)
        app.on_shutdown.append(self._on_shutdown)

    async def _on_shutdown(self, app: web.Application) -> None:
        await self.disconnect()
        await self.heard()
        await self.shutdown()

    async def shutdown(self) -> None:
        """Stops what runs in the background."""
        self.heartbeat.stop()
        self.backlog.stop()

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
        """Hands a message to the application. What is returned may have to be awaited. Raises, also when awaited: what
        the application raises."""
        handler = self.handlers.get("message")
        if handler is None:
            return None
        if self.async_handlers:
            return self._trigger_event("message", sid, data, run_async=True)
        return handler(sid, data)

    async def accept(
        self, request: web.Request, *, max_bytes: int, pace: Pace, protocols: Iterable[str] = ()
    ) -> WebSocket:
        """Answers a WebSocket handshake and takes the connection from aiohttp. Raises: as `take_over`."""
        socket = await take_over(
            request,
            protocols=protocols,
            max_bytes=max_bytes,
            buffer_limit_bytes=self.buffer_limit_bytes,
            close_timeout_s=self.close_timeout_s,
            pace=pace,
            backlog=self.backlog,
            gone=self._websockets.discard,
        )
        self._websockets.add(socket)
        return socket

    def recognize(self, sid: str, owner: Hashable) -> None:
        """A connection counts against the budget of its owner from now on, no more against that of its address."""
        socket = self.sockets.get(sid)
        if isinstance(socket, Socket):
            socket.recognize(self.budgets.known(owner))

    def budget_of(self, sid: str) -> Budget | None:
        """What the owner of a session shares with others; None if there is no such session, or nobody has recognized
        it."""
        socket = self.sockets.get(sid)
        return socket.pace.budget.shared if isinstance(socket, Socket) and socket.known else None

    def linger(self, socket: Socket) -> None:
        """Keeps an ended polling session until its last packets are fetched, or the close timeout."""
        self._lingering[socket.sid] = socket
        asyncio.get_running_loop().call_later(self.close_timeout_s, self._lingering.pop, socket.sid, None)

    async def heard(self) -> None:
        """Returns when everybody has heard the end: no ended polling session has packets left to fetch, and no
        WebSocket is open any more; or after the close timeout."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.close_timeout_s
        # Two seconds of a shutdown are not worth an event.
        while self._somebody_listens() and loop.time() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    def _somebody_listens(self) -> bool:
        return bool(self._websockets) or any(socket.unfetched for socket in self._lingering.values())

    def forget(self, socket: Socket) -> None:
        if self.sockets.get(socket.sid) is socket:
            del self.sockets[socket.sid]

    # --- the API of engineio.AsyncServer -------------------------------------------------------------------------

    async def send_packet(self, sid: str, pkt: EngineIOPacket) -> None:
        """Does nothing if there is no such connection."""
        socket = self.sockets.get(sid)
        if isinstance(socket, Socket):
            await socket.send(pkt)

    async def disconnect(self, sid: str | None = None) -> None:
        """Ends one connection, or all; returns when their handlers have run."""
        ending = [self.sockets.get(sid)] if sid is not None else list(self.sockets.values())
        ending = [socket for socket in ending if socket is not None]
        await asyncio.gather(*(socket.close(reason=self.reason.SERVER_DISCONNECT) for socket in ending))
        for socket in ending:
            self.forget(socket)

    def transport(self, sid: str) -> str:
        """`"polling"` or `"websocket"`, as are all links that are not this server's own. Raises: KeyError."""
        socket = self._get_socket(sid)
        return "polling" if isinstance(socket, Socket) and not socket.upgraded else "websocket"

    # --- requests ------------------------------------------------------------------------------------------------

    async def handle_request(self, request: web.Request) -> web.StreamResponse:
        """The entry point: any request to the Engine.IO path."""
        environ = self._async["translate_request"](request)
        environ["REMOTE_ADDR"] = request.remote or ""
        query = urllib.parse.parse_qs(environ["QUERY_STRING"])
        problem = self._problem(environ, query)
        if problem is not None:
            answer: Response | web.StreamResponse = self._refuse(BAD_REQUEST, problem)
        else:
            answer = await self._answer(environ, query)
        if isinstance(answer, web.StreamResponse):  # a WebSocket that has run its course
            return answer
        self._compress(answer, environ)
        answer["headers"].append(("Cache-Control", "no-store"))
        polled: Socket | None = answer.pop("polled", None)
        response: web.Response = await self._make_response(answer, environ)
        if polled is not None:
            await polled.send_answer(request, response)
        return response

    def _problem(self, environ: dict[str, Any], query: dict[str, list[str]]) -> str | None:
        """Why the request is refused whatever it wants."""
        origin = environ.get("HTTP_ORIGIN")
        if origin and self.cors_allowed_origins != []:
            allowed = self._cors_allowed_origins(environ)
            if allowed is not None and origin not in allowed:
                self._log_error_once(f"{origin} is not an accepted origin.", "bad-origin")
                return f"{origin} is not an accepted origin."
        if query.get("transport", [""])[0] not in self.transports:
            return "Invalid transport"
        if "sid" not in query and query.get("EIO") != ["4"]:
            self._log_error_once("A client uses an unsupported version of the protocol", "bad-version")
            return "The client is using an unsupported version of the Socket.IO or Engine.IO protocols"
        if "j" in query and not _JSONP_INDEX.fullmatch(query["j"][0]):
            return "Invalid JSONP index number"
        return None

    async def _answer(
        self, environ: dict[str, Any], query: dict[str, list[str]]
    ) -> Response | web.StreamResponse:
        method = environ["REQUEST_METHOD"]
        if method == "OPTIONS":
            return self._ok()
        jsonp_index = int(query["j"][0]) if "j" in query else None
        websocket = query["transport"][0] == "websocket"
        if websocket and not handshake.wants_websocket(environ["aiohttp.request"]):
            return self._refuse(BAD_REQUEST, "Invalid websocket upgrade")
        try:
            if method == "GET" and "sid" not in query:
                return await self._handle_connect(environ, query["transport"][0], jsonp_index)
            socket = self._session(query.get("sid", [""])[0])
            if method == "GET" and websocket:
                if not self.allow_upgrades:
                    raise Refused(BAD_REQUEST)
                return await socket.handle_websocket(environ["aiohttp.request"])
            if method == "GET":
                packets = await socket.handle_get_request(environ)
                return {**self._ok(packets, jsonp_index=jsonp_index), "polled": socket}
            if method != "POST" or websocket or socket.closing:
                raise Refused(BAD_REQUEST)
            await socket.handle_post_request(environ)
            return self._ok(jsonp_index=jsonp_index)
        except Refused as refusal:
            return self._refuse(str(refusal))

    def _session(self, sid: str) -> Socket:
        socket = self.sockets.get(sid) or self._lingering.get(sid)
        if not isinstance(socket, Socket) or not socket.connected:
            raise Refused(BAD_REQUEST)
        return socket

    async def _handle_connect(
        self, environ: dict[str, Any], transport: str, jsonp_index: int | None = None
    ) -> Response | web.StreamResponse:
        """Opens a session, if the connect handler does not refuse it."""
        sid = self.generate_id()
        # The names of headers are the same for all clients; the environ of each is kept as long as it stays.
        environ = {sys.intern(key): value for key, value in environ.items()}
        budget = self.budgets.stranger(self.address_of(environ["aiohttp.request"]))
        socket = self.sockets[sid] = Socket(self, sid, budget)
        socket.push(
            [OPEN + EngineIOPacket.json.dumps(self._handshake(sid, transport), separators=(",", ":"))]
        )
        refusal = await self._trigger_event("connect", sid, environ, run_async=False)
        if refusal is not None and refusal is not True:
            self.forget(socket)
            return self._unauthorized(refusal or None)  # type: ignore[no-any-return]
        self.heartbeat.add(socket)
        if transport == "websocket":
            return await socket.handle_websocket(environ["aiohttp.request"])
        socket.connected = True
        return self._ok(await socket.poll(), headers=self._cookie_headers(sid), jsonp_index=jsonp_index)

    def _handshake(self, sid: str, transport: str) -> dict[str, Any]:
        return {
            "sid": sid,
            "upgrades": self._upgrades(sid, transport),
            "pingTimeout": round(self.ping_timeout * 1000),
            "pingInterval": round((self.ping_interval + self.ping_interval_grace_period) * 1000),
            "maxPayload": self.max_http_buffer_size,
        }

    def _cookie_headers(self, sid: str) -> list[tuple[str, str]]:
        if not self.cookie:
            return []
        attributes = self.cookie
        if not isinstance(attributes, dict):
            attributes = {"name": attributes, "path": "/", "SameSite": "Lax"}
        return [("Set-Cookie", self._generate_sid_cookie(sid, attributes))]

    # --- answers -------------------------------------------------------------------------------------------------

    def _ok(
        self,
        packets: Sequence[EnginePacket] | None = None,
        headers: list[tuple[str, str]] | None = None,
        jsonp_index: int | None = None,
    ) -> Response:
        """200 with packets, or with the word the protocol has for none."""
        content_type, body = "text/plain; charset=UTF-8", "ok"
        if packets is not None:
            body = join_payload(packets)
            if jsonp_index is not None:
                content_type, body = (
                    "text/javascript; charset=UTF-8",
                    f"___eio[{jsonp_index}]({json.dumps(body)});",
                )
        return {
            "status": "200 OK",
            "headers": [*(headers or ()), ("Content-Type", content_type)],
            "response": body.encode(),
        }

    def _cors_headers(self, environ: dict[str, Any]) -> list[tuple[str, str]]:
        """An answer that names an origin is no answer for another one."""
        headers: list[tuple[str, str]] = super()._cors_headers(environ)
        return headers if self.cors_allowed_origins == [] else [*headers, ("Vary", "Origin")]

    def _refuse(self, status: str, message: str | None = None) -> Response:
        return {**self._bad_request(message), "status": status}

    def _compress(self, response: Response, environ: dict[str, Any]) -> None:
        if not self.http_compression or len(response["response"]) < self.compression_threshold:
            return
        accepted = [part.split(";")[0].strip() for part in environ.get("HTTP_ACCEPT_ENCODING", "").split(",")]
        for encoding in accepted:
            if encoding in self.compression_methods:
                response["response"] = getattr(self, "_" + encoding)(response["response"])
                response["headers"].append(("Content-Encoding", encoding))
                return
