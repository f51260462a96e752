"""An Engine.IO session as its client sees it: long-polling, a WebSocket, or the way from one to the other."""

import asyncio
import inspect
import math
from contextlib import AbstractAsyncContextManager, nullcontext
from time import perf_counter
from typing import Any, NoReturn

from aiohttp import web

from . import frames
from .packets import (
    CLOSE,
    MESSAGE,
    NOOP,
    PING,
    PONG,
    UPGRADE,
    EnginePacket,
    ProtocolError,
    TooLarge,
    is_larger,
    split_engine,
    split_payload,
    to_frames,
)
from .reader import Message
from .session import Session
from .takeover import HandedOver
from .websocket import WebSocket

# How long an HTTP request waits for an upgrade under way: the word that ends it may be on the other connection.
SETTLE_S = 0.05

# So much later than the last poll is a POST answered that ends its session. The JavaScript client takes the refusal of
# a POST for a broken transport and would come back; what its poll tells has to reach it first.
POLL_FIRST_S = 0.2

# python-engineio's client takes no more in one payload: it would drop the connection. Others ask once more.
PACKETS_PER_POLL = 16


class Refused(Exception):
    """An HTTP request that cannot be served; the message is its status line."""


BAD_REQUEST = "400 BAD REQUEST"
TOO_LARGE = "413 PAYLOAD TOO LARGE"


class Socket(Session):
    """An Engine.IO session over HTTP."""

    async def handle(self, pkt: EnginePacket) -> None:
        """Handles one Engine.IO packet of the client. Raises: ProtocolError."""
        kind, data = split_engine(pkt)
        if kind == MESSAGE:
            # While a handler holds up the reading, a sign of life could not be seen: silence is not the peer's.
            self.last_seen = math.inf
            try:
                if inspect.isawaitable(delivery := self.server.deliver(self.sid, data)):
                    await delivery
            except ProtocolError:
                raise
            except Exception:
                self.server.logger.exception("message handler error")
            finally:
                self.last_seen = self._loop.time()
        elif kind == CLOSE:
            self.stop(self.server.reason.CLIENT_DISCONNECT, *((NOOP,) if self._poll is not None else ()))
        elif kind not in (PONG, NOOP):
            raise ProtocolError("unexpected Engine.IO packet")

    # --- long-polling ------------------------------------------------------------------------------------------

    async def handle_get_request(self, environ: dict[str, Any]) -> list[EnginePacket]:
        """The answer to a poll. Raises: Refused."""
        if self.closing and self._poll is None and self._queue:
            return self.take(PACKETS_PER_POLL)
        if self._upgrade_over is not None:
            await asyncio.wait([self._upgrade_over], timeout=SETTLE_S)
        if self.upgraded or self.closing:
            raise Refused(BAD_REQUEST)
        if self._probed:
            return [NOOP]
        if self._answered is not None:
            # A client that has all of an answer may ask again before the server knows it.
            await asyncio.wait([self._answer_taken], timeout=SETTLE_S)
        if self._poll is not None or self._answered is not None:
            # Two polls would share the packets and lose their order.
            self.stop(self.server.reason.TRANSPORT_ERROR, CLOSE)
            raise Refused(BAD_REQUEST)
        if self.server.heartbeat.overdue(self):
            self.expire()
            raise Refused(BAD_REQUEST)
        try:
            packets = await self.poll()
        except asyncio.CancelledError:
            # So aiohttp tells, with `handler_cancellation`, that the client has gone.
            self.fail(self.server.reason.TRANSPORT_ERROR)
            raise
        if environ["aiohttp.request"].transport is None:
            self.fail(self.server.reason.TRANSPORT_ERROR)
        return packets

    async def send_answer(self, request: web.Request, response: web.Response) -> None:
        """Sends the answer to a poll. Until the peer has taken it, it counts as unsent, and there is no other poll."""
        size = len(response.body) if isinstance(response.body, bytes) else 0
        self._answered, self._answer_taken = request.transport, self._loop.create_future()
        self.queued_bytes += size
        try:
            async with asyncio.timeout(self.server.ping_interval + self.server.ping_timeout):
                await response.prepare(request)
                await response.write_eof()
        except (TimeoutError, ConnectionError):
            if request.transport is not None:
                request.transport.abort()
            self.fail(self.server.reason.TRANSPORT_ERROR)
        finally:
            self._answered = None
            self._answer_taken.set_result(None)
            self.queued_bytes -= size

    async def poll(self) -> list[EnginePacket]:
        """What is queued; while there is nothing, waits for it. The heartbeat sees to it that this ends."""
        if not self._queue:
            self._poll = self._loop.create_future()
            try:
                packets = await self._poll
            finally:
                self._poll = None
            if packets is not None:
                return packets
        return self.take(PACKETS_PER_POLL) or [NOOP]

    async def handle_post_request(self, environ: dict[str, Any]) -> None:
        """Takes the packets in a POST. Raises: Refused; what cannot be served ends the session."""
        if self.upgraded or self._posting:
            if self._posting:
                self.stop(self.server.reason.TRANSPORT_ERROR, CLOSE)
            raise Refused(BAD_REQUEST)
        self._posting = True
        request: web.Request = environ["aiohttp.request"]
        try:
            self.last_seen = (
                math.inf
            )  # while others of its owner hold it up, a sign of life could not be seen
            async with self._room_for(request):
                self.last_seen = self._loop.time()
                body = await self._body(request)
                self.last_seen = self._loop.time()
                if not await self.pace.turn():
                    self.flooded()
                packets = split_payload(body, self.server.max_http_buffer_size)
                await self._handle_all(packets, len(body))
        except TooLarge as error:
            await self._refuse_post(error.code, TOO_LARGE)
        except (ProtocolError, ConnectionError, TimeoutError, web.RequestPayloadError):
            await self._refuse_post(1008, BAD_REQUEST)
        finally:
            self._posting = False

    def _room_for(self, request: web.Request) -> AbstractAsyncContextManager[None]:
        """To be held while the request's body is in memory. A large one may have to wait for others of its owner."""
        shared, length = self.pace.budget.shared, request.content_length
        if (
            shared is None
            or not self.known
            or (length is not None and length <= self.server.max_http_buffer_size)
        ):
            return nullcontext()
        return shared.large_bodies

    async def _handle_all(self, packets: list[EnginePacket], size: int) -> None:
        """Handles the packets of a POST, at this session's pace. Raises: ProtocolError."""
        at = 0
        while at < len(packets):
            in_budget = await self.pace.turn()
            taken = packets[at : at + self.pace.slice_frames]
            if not self.pace.charge(len(taken), 0 if at else size) or not in_budget:
                self.flooded()
            at += len(taken)
            since = perf_counter()
            for packet in taken:
                if self.closing:
                    return
                since = await self.pace.go_on(since)
                await self.handle(packet)
            self.pace.scheduler.spent(since)
        self.pace.rest()

    async def _body(self, request: web.Request) -> bytes:
        """The whole body: a single read returns what happens to have arrived. Refuses one above the limit."""
        limit = self.server.max_post_bytes
        if not self.known and self.server.stranger_max_bytes:
            limit = min(limit, 4 * self.server.stranger_max_bytes)
        body = bytearray()
        if (request.content_length or 0) <= limit:
            async with asyncio.timeout(self.server.ping_interval + self.server.ping_timeout):
                async for chunk in request.content.iter_any():
                    body += chunk
                    self.last_seen = (
                        self._loop.time()
                    )  # a client on a slow line cannot send its PONG meanwhile
                    if self.closing:
                        raise Refused(BAD_REQUEST)
                    if len(body) > limit:
                        break
                else:
                    return bytes(body)
        return await self._refuse_post(1009, TOO_LARGE)

    async def _refuse_post(self, code: int, status: str) -> NoReturn:
        self.violate(code)
        await asyncio.sleep(POLL_FIRST_S)
        raise Refused(status)

    # --- WebSocket ---------------------------------------------------------------------------------------------

    async def handle_websocket(self, request: web.Request) -> web.StreamResponse:
        """Takes a WebSocket: this session's only transport, or one it wants to move to."""
        fresh = not self.connected
        self.connected = True
        try:
            socket = await self.server.accept(request, max_bytes=self.max_message_bytes, pace=self.pace)
        except BaseException:
            if fresh:
                self.fail(self.server.reason.TRANSPORT_ERROR)
            raise
        if fresh or await self._upgrade(socket):
            self._go_direct(socket)
            socket.serve(self)
        else:
            socket.close(1008)
        return HandedOver()

    async def _upgrade(self, socket: WebSocket) -> bool:
        """Whether the client has gone through the steps of an upgrade; if not, polling goes on as it was."""
        if self.upgraded or self.upgrading or self.closing:
            return False
        self.upgrading = True
        self._upgrade_over = self._loop.create_future()
        moved = False
        try:
            async with asyncio.timeout(self.server.upgrade_timeout_s) as self._upgrade_until:
                if await _next_text(socket) == PING + "probe":
                    socket.send(frames.text(b"3probe"))
                    self._probed = True
                    self._answer_poll([NOOP])
                    moved = await _next_text(socket) == UPGRADE and not self.closing
        except TimeoutError:
            moved = False
        finally:
            self.upgraded = moved
            self.upgrading = self._probed = False
            self._upgrade_until = None
            self._upgrade_over.set_result(None)
            self._upgrade_over = None
        return moved

    def _go_direct(self, socket: WebSocket) -> None:
        """From the queue to the transport in one step, so that nothing can come in between."""
        self.server.before_send(self.sid)
        self.upgraded = True
        self._socket = socket
        if self.closing or self.doomed:
            socket.transport.abort()
            return
        socket.allow(self.max_message_bytes)
        self.wire = socket.transport
        self.write(to_frames(self.take()))
        self._answer_poll([NOOP])

    async def receive(self, message: Message) -> None:
        if self.closing:
            return
        opcode, data = message
        if opcode != frames.PONG:
            try:
                if is_larger(data, self.server.max_http_buffer_size):
                    self.violate(TooLarge.code)
                else:
                    await self.handle(data)
            except ProtocolError as error:
                self.violate(error.code)

    def lost(self, code: int) -> None:
        self.stop(self.server.reason.TRANSPORT_CLOSE)


async def _next_text(socket: WebSocket) -> str | None:
    """The next message; None if it is no text."""
    while (message := await socket.next()).opcode == frames.PONG:
        pass
    return str(message.data) if message.opcode == frames.TEXT else None
