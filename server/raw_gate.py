"""The gate `/ws`: the raw JSON protocol of the documented client."""

import asyncio
from collections.abc import Callable
from functools import partial

import structlog
from aiohttp import web

from client_compat.connection import RawConnection
from client_compat.raw_frames import BadFrame, FrameId, ack_frame, error_frame, read_frame
from handlers.chat_app import Caller, ChatApp, Connection, Identity, Later, Outcome
from handlers.wire.endings import CLOSE_CODES, Ending, Refused, close_reason
from handlers.wire.errors import ChatError
from server.engine import (
    INTERNAL_ERROR,
    AsyncServer,
    HandedOver,
    Message,
    Pace,
    WebSocket,
    frames,
)
from server.engine_hub import RAW_DIALECT, EngineHub
from server.keys import CHAT_APP, CLAIMS, CONFIG, ORIGINS
from server.origins import raw_token

log = structlog.get_logger("vestnik")

BAD_FRAMES_MAX = 32
"""This many malformed frames in a row end a connection."""


class RawGate:
    """Serves raw connections over the engine's rooms."""

    def __init__(self, sio: AsyncServer, hub: EngineHub) -> None:
        self._sio = sio
        self._hub = hub

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answers the handshake; what follows it is `_greet`."""
        engine = self._sio.eio
        pace = Pace(engine.budgets.stranger(engine.address_of(request)), engine.scheduler)
        socket = await engine.accept(
            request,
            max_bytes=request.app[CONFIG].policy.max_frame_bytes,
            pace=pace,
            protocols=("bearer",),
        )
        # With `handler_cancellation`, aiohttp cancels the handler of a connection that it has let go of.
        await asyncio.shield(engine.spawn(self._greet(request, socket)))
        return HandedOver()

    async def _greet(self, request: web.Request, socket: WebSocket) -> None:
        """Hands the WebSocket to a `_Reader`, or closes it."""
        try:
            identity = await self._identify(request)
            socket.pace.give(self._sio.eio.budgets.known(identity.user_id))
            socket.serve(self._welcome(request, socket, identity))
        except Refused as refused:
            # A browser can read a close code, but not the status of a refused handshake.
            log.info(
                "WebSocket refused", reason=refused.message, address=request.app[ORIGINS].address(request)
            )
            request.app[CHAT_APP].counts.refusals[refused.ending] += 1
            socket.close(CLOSE_CODES[refused.ending].code, close_reason(refused.ending, None))
        except Exception as error:
            # aiohttp has let go of the connection and would not close it.
            log.error("WebSocket handshake failed unforeseen", exc_info=error)
            socket.close(INTERNAL_ERROR)

    async def _identify(self, request: web.Request) -> Identity:
        if not request.app[ORIGINS].admits(request):
            raise Refused("forbidden", Ending.ORIGIN_REFUSED)
        return await request.app[CHAT_APP].identify(raw_token(request), request.get(CLAIMS))

    def _welcome(self, request: web.Request, socket: WebSocket, identity: Identity) -> "_Reader":
        chat_app = request.app[CHAT_APP]
        link = RawConnection(
            self._sio.eio.generate_id(),
            socket,
            RAW_DIALECT,
            clock=self._sio.eio.clock,
            text_frame=frames.text,
            ping_frame=frames.ping(b""),
            flush=self._sio.fan_out.flush,
            reply=self._sio.fan_out.reply,
            must_end=self._hub.end_link,
        )
        connection_id = self._sio.attach_link(link)
        try:
            return self._connect(request, link, identity, connection_id)
        except BaseException:
            self._sio.eio.heartbeat.remove(link)
            link.gone()
            self._sio.detach_link(link)
            chat_app.disconnected(connection_id)
            raise

    def _connect(
        self, request: web.Request, link: RawConnection, identity: Identity, connection_id: str
    ) -> "_Reader":
        chat_app = request.app[CHAT_APP]
        connection = chat_app.connect(identity, connection_id, "raw")
        address = request.app[ORIGINS].address(request)
        log.info("WebSocket connected", user_id=identity.user_id, connection=connection_id, address=address)
        self._sio.eio.heartbeat.add(link)
        _subscribe(chat_app, connection, link, request.query.get("subscribe"))
        caller = Caller(identity.user_id, address, identity.session_id, connection)
        return _Reader(self._sio, chat_app, caller, connection, link)


def _subscribe(chat_app: ChatApp, connection: Connection, link: RawConnection, option: str | None) -> None:
    try:
        chat_app.subscribe(connection, option)
    except ChatError as error:
        link.send_json(_error_frame(chat_app, None, error))


def _error_frame(chat_app: ChatApp, frame_id: FrameId, error: ChatError) -> bytes:
    chat_app.counts.errors[error.code] += 1
    return error_frame(frame_id, error)


class _Reader:
    """Runs the commands in one connection's frames, one after the other, and answers them."""

    __slots__ = ("_bad_in_a_row", "_caller", "_chat_app", "_connection", "_link", "_sio", "seen")

    def __init__(
        self, sio: AsyncServer, chat_app: ChatApp, caller: Caller, connection: Connection, link: RawConnection
    ) -> None:
        self._sio = sio
        self._chat_app = chat_app
        self._caller = caller
        self._connection = connection
        self._link = link
        self._bad_in_a_row = 0
        self.seen = link.seen

    async def receive(self, message: Message) -> None:
        if self._link.closed:
            return
        opcode, data = message
        if opcode == frames.TEXT:
            await self._text(data)
        elif opcode == frames.BINARY:
            self._bad(BadFrame("a frame has to be text"))

    def overflow(self) -> None:
        self._link.overflow()

    def flooded(self) -> None:
        self._chat_app.end(self._connection, Ending.FLOODED)

    def lost(self, code: int) -> None:
        self._chat_app.disconnected(self._connection.id)
        self._sio.eio.heartbeat.remove(self._link)
        self._link.gone()
        self._sio.detach_link(self._link)
        reason = self._link.ending.value if self._link.ending else f"close code {code}"
        log.info(
            "WebSocket closed", user_id=self._caller.user_id, connection=self._connection.id, reason=reason
        )

    async def _text(self, text: str) -> None:
        try:
            command = read_frame(text)
        except BadFrame as error:
            self._bad(error)
            return
        self._bad_in_a_row = 0
        # The gate reads nothing until the command has started, so it must not take the peer for silent meanwhile.
        self._link.pause_reading()
        try:
            result = await self._chat_app.start(self._caller, command.name, command.payload)
        except ChatError as error:
            self._link.send_json(_error_frame(self._chat_app, command.id, error))
            return
        finally:
            self._link.resume_reading()
        if isinstance(result, Later):
            self._chat_app.then(command.name, result, partial(self._answer, command.id, self._link.answer))
        else:
            self._answer(command.id, self._link.send_json, result)

    def _answer(self, frame_id: FrameId, send: Callable[[bytes], None], outcome: Outcome) -> None:
        if isinstance(outcome, ChatError):
            send(_error_frame(self._chat_app, frame_id, outcome))
        elif frame_id is not None:
            send(ack_frame(frame_id, outcome))

    def _bad(self, error: BadFrame) -> None:
        self._link.send_json(_error_frame(self._chat_app, error.id, error))
        self._bad_in_a_row += 1
        if self._bad_in_a_row >= BAD_FRAMES_MAX:
            self._chat_app.end(self._connection, Ending.ABUSE)
