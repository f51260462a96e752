"""The /ws door: the raw JSON protocol of the documented client."""

import asyncio
import math
from functools import partial

import structlog
from aiohttp import WSMessage, WSMsgType, hdrs, web

from client_compat.close_codes import CLOSE_CODES, close_reason
from client_compat.connection import RawConnection
from client_compat.frames import BadFrame, FrameId, RawDialect, ack_frame, error_frame, read_frame
from handlers import dispatch
from handlers.connections import Connection
from handlers.context import Caller
from handlers.dispatch import Outcome
from handlers.endings import Ending, Refused
from handlers.errors import ChatError
from handlers.house import House
from handlers.identities import Identity
from handlers.registry import Later
from server.doors import bearer
from server.engine import AsyncServer, frames
from server.keys import CONFIG, DOORS, HOUSE
from storage.errors import StorageError

log = structlog.get_logger("vestnik")

BAD_FRAMES_MAX = 32
"""So many malformed frames in a row are no mistake any more."""

CLOSE_TIMEOUT_S = 2.0
"""How long a close handshake is awaited."""

_DIALECT = RawDialect(frames.text)


class RawGate:
    """Serves raw connections over the engine's rooms."""

    def __init__(self, sio: AsyncServer) -> None:
        self._sio = sio

    async def serve(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(
            timeout=CLOSE_TIMEOUT_S,
            autoping=False,
            protocols=("bearer",),
            # Its window costs a hundred KiB for each connection.
            compress=False,
            max_msg_size=request.app[CONFIG].policy.max_frame_bytes + 1,  # aiohttp refuses from here on
        )
        if not socket.can_prepare(request):
            raise web.HTTPUpgradeRequired(headers={hdrs.UPGRADE: "websocket"})
        await socket.prepare(request)
        try:
            identity = await self._identify(request)
            await self._serve(request, socket, identity)
        except Refused as refused:
            # A browser can read a close code, but not the status of a refused handshake.
            log.info("WebSocket refused", reason=refused.message, address=request.app[DOORS].address(request))
            code = CLOSE_CODES[refused.ending].code
            await socket.close(code=code, message=close_reason(refused.ending, None), drain=False)
        return socket

    async def _identify(self, request: web.Request) -> Identity:
        if not request.app[DOORS].admits(request):
            raise Refused("forbidden", Ending.ORIGIN_REFUSED)
        token = request.query.get("token") or bearer(request.headers) or _subprotocol_token(request)
        if token is None:
            raise Refused("unauthenticated", Ending.UNAUTHENTICATED)
        try:
            return await request.app[HOUSE].authenticate(token)
        except StorageError:
            raise Refused("unavailable", Ending.OVERLOADED) from None

    async def _serve(self, request: web.Request, socket: web.WebSocketResponse, identity: Identity) -> None:
        house, transport = request.app[HOUSE], request.transport
        if transport is None:
            return
        link = RawConnection(
            self._sio.eio.generate_id(),
            socket,
            transport,
            _DIALECT,
            text_frame=frames.text,
            ping_frame=frames.ping(b""),
            flush=self._sio.manager.flush,
            close_timeout_s=CLOSE_TIMEOUT_S,
        )
        connection_id = self._sio.attach_link(link)
        try:
            connection = house.connect(identity, connection_id)
        except Refused:
            self._sio.detach_link(link)
            raise
        address = request.app[DOORS].address(request)
        who = {"user_id": identity.user_id, "connection": connection_id}
        log.info("WebSocket connected", **who, address=address)
        caller = Caller(identity.user_id, address, identity.session_id, connection)
        self._sio.eio.heartbeat.add(link)
        try:
            _subscribe(house, connection, link, request.query.get("subscribe"))
            await _Reader(house, caller, link, socket).run()
        finally:
            house.disconnected(connection_id)
            self._sio.eio.heartbeat.remove(link)
            link.gone()
            self._sio.detach_link(link)
            await link.ended()
            reason = link.ending.value if link.ending else f"by the peer, {socket.close_code}"
            log.info("WebSocket closed", **who, reason=reason)


def _subscribe(house: House, connection: Connection, link: RawConnection, wish: str | None) -> None:
    try:
        house.subscribe(connection, wish)
    except ChatError as error:
        link.write(error_frame(None, error))


class _Reader:
    """Reads one connection's frames, one after the other, and answers them."""

    def __init__(
        self, house: House, caller: Caller, link: RawConnection, socket: web.WebSocketResponse
    ) -> None:
        self._house = house
        self._caller = caller
        self._link = link
        self._socket = socket
        self._bad_in_a_row = 0
        self._clock = asyncio.get_running_loop().time

    async def run(self) -> None:
        """Returns when the connection is over."""
        while not self._link.closed:
            message = await self._socket.receive()
            self._link.last_seen = self._clock()
            if message.type is WSMsgType.TEXT:
                await self._text(message.data)
            elif not self._other(message):
                return

    def _other(self, message: WSMessage) -> bool:
        """What is no text; False when it was the end."""
        if message.type is WSMsgType.PING:
            if self._link.wire is not None:
                self._link.wire.write(frames.pong(message.data))
            return True
        if message.type is WSMsgType.BINARY:
            self._bad(BadFrame("a frame has to be text"))
            return True
        return message.type is WSMsgType.PONG

    async def _text(self, text: str) -> None:
        try:
            command = read_frame(text)
        except BadFrame as error:
            self._bad(error)
            return
        self._bad_in_a_row = 0
        # While a command holds up the reading, a sign of life could not be seen: silence is not the peer's.
        self._link.last_seen = math.inf
        try:
            result = await self._house.start(self._caller, command.name, command.payload)
        except ChatError as error:
            self._link.write(error_frame(command.id, error))
            return
        finally:
            self._link.last_seen = self._clock()
        if isinstance(result, Later):
            dispatch.then(result, partial(self._answer, command.id))
        else:
            self._answer(command.id, result)

    def _answer(self, frame_id: FrameId, outcome: Outcome) -> None:
        if isinstance(outcome, ChatError):
            self._link.write(error_frame(frame_id, outcome))
        elif frame_id is not None:
            self._link.write(ack_frame(frame_id, outcome))

    def _bad(self, error: BadFrame) -> None:
        self._link.write(error_frame(error.id, error))
        self._bad_in_a_row += 1
        if self._bad_in_a_row >= BAD_FRAMES_MAX:
            self._link.end(Ending.ABUSE)


def _subprotocol_token(request: web.Request) -> str | None:
    """TOKEN of the subprotocol pair `bearer, TOKEN`, the only way for a browser to keep it out of the URL."""
    offered = [part.strip() for part in request.headers.get(hdrs.SEC_WEBSOCKET_PROTOCOL, "").split(",")]
    return offered[1] if len(offered) == 2 and offered[0] == "bearer" else None
