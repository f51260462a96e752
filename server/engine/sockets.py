"""An Engine.IO session as its client sees it: long-polling, a WebSocket, or the way from one to the other."""

import asyncio
import math
from typing import Any, NoReturn

from aiohttp import WSMessage, WSMsgType, web

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
    split_engine,
    split_payload,
    to_frames,
)
from .session import Session

# How long an HTTP request waits for an upgrade under way: the word that ends it may be on the other connection.
SETTLE_S = 0.05

# So much later than the last poll is a POST answered that ends its session. The JavaScript client takes the refusal of
# a POST for a broken transport and would come back; what its poll tells has to reach it first.
POLL_FIRST_S = 0.2

# python-engineio's client takes no more in one payload: it would drop the connection. Others ask once more.
PACKETS_PER_POLL = 16


# A message up to this many times the limit is read before it is refused; a larger one ends the connection unread.
READ_TIMES = 4


class Refused(Exception):
    """An HTTP request that cannot be served; the message is its status line."""


BAD_REQUEST = "400 BAD REQUEST"
TOO_LARGE = "413 PAYLOAD TOO LARGE"


class Socket(Session):
    """An Engine.IO session over HTTP."""

    async def receive(self, pkt: EnginePacket) -> None:
        """Handles one Engine.IO packet of the client. Raises: ProtocolError."""
        kind, data = split_engine(pkt)
        if kind == MESSAGE:
            # While a handler holds up the reading, a sign of life could not be seen: silence is not the peer's.
            self.last_seen = math.inf
            try:
                await self.server.deliver(self.sid, data)
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
        if self._poll is not None:
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
        try:
            body = await self._body(environ["aiohttp.request"])
            self.last_seen = self._loop.time()
            for packet in split_payload(body):
                if self.closing:
                    break
                await self.receive(packet)
        except (ProtocolError, ConnectionError, TimeoutError, web.RequestPayloadError):
            await self._refuse_post(1008, BAD_REQUEST)
        finally:
            self._posting = False

    async def _body(self, request: web.Request) -> bytes:
        """The whole body: a single read returns what happens to have arrived."""
        limit = self.server.max_http_buffer_size
        body = bytearray()
        if (request.content_length or 0) <= limit:
            async with asyncio.timeout(self.server.ping_interval + self.server.ping_timeout):
                async for chunk in request.content.iter_any():
                    body += chunk
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

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Serves a WebSocket of this session until it ends: its only transport, or one it wants to move to."""
        ws = web.WebSocketResponse(
            # permessage-deflate costs 106 KiB a connection.
            compress=False,
            autoping=False,
            autoclose=False,
            timeout=self.server.close_timeout_s,
            # What is not much too large is read, so that the client can be told why its connection ends.
            max_msg_size=READ_TIMES * self.server.max_http_buffer_size,
        )
        fresh = not self.connected
        self.connected = True
        try:
            await ws.prepare(request)
        except BaseException:
            if fresh:
                self.fail(self.server.reason.TRANSPORT_ERROR)
            raise
        transport = request.transport
        if transport is None or not (fresh or await self._upgrade(ws, transport)):
            if fresh:
                self.fail(self.server.reason.TRANSPORT_CLOSE)
            await ws.close(code=1008)
            return ws
        self._go_direct(transport)
        try:
            await self._read(ws)
        finally:
            self.stop(self.server.reason.TRANSPORT_CLOSE)
            transport.close()
        if self._farewell is not None:
            await asyncio.shield(self._farewell)
        return ws

    async def _upgrade(self, ws: web.WebSocketResponse, transport: asyncio.WriteTransport) -> bool:
        """Whether the client has gone through the steps of an upgrade; if not, polling goes on as it was."""
        if self.upgraded or self.upgrading or self.closing:
            return False
        self.upgrading = True
        self._upgrade_over = self._loop.create_future()
        moved = False
        try:
            async with asyncio.timeout(self.server.upgrade_timeout_s) as self._upgrade_until:
                if await self._next_text(ws, transport) == PING + "probe":
                    transport.write(frames.text(b"3probe"))
                    self._probed = True
                    self._answer_poll([NOOP])
                    moved = await self._next_text(ws, transport) == UPGRADE and not self.closing
        except TimeoutError:
            moved = False
        finally:
            self.upgraded = moved
            self.upgrading = self._probed = False
            self._upgrade_until = None
            self._upgrade_over.set_result(None)
            self._upgrade_over = None
        return moved

    async def _next_text(self, ws: web.WebSocketResponse, transport: asyncio.WriteTransport) -> str | None:
        while (message := await ws.receive()).type in (WSMsgType.PING, WSMsgType.PONG):
            if message.type is WSMsgType.PING and not transport.get_write_buffer_size():
                transport.write(frames.pong(bytes(message.data)))
        return message.data if message.type is WSMsgType.TEXT else None

    def _go_direct(self, transport: asyncio.WriteTransport) -> None:
        """From the queue to the transport in one step, so that nothing can come in between."""
        self.server.before_send(self.sid)
        self.upgraded = True
        self._transport = transport
        if self.closing or self.doomed:
            transport.abort()
            return
        self.wire = transport
        transport.write(to_frames(self.take()))
        self._answer_poll([NOOP])

    async def _read(self, ws: web.WebSocketResponse) -> None:
        """Handles what comes until the connection is over. A session that ends reads on, for the peer's close."""
        while await self._handle_message(await ws.receive()):
            pass

    async def _handle_message(self, message: WSMessage) -> bool:
        kind = message.type
        if kind is WSMsgType.TEXT or kind is WSMsgType.BINARY:
            if not self.closing:
                self.last_seen = self._loop.time()
                try:
                    if _is_larger(message.data, self.server.max_http_buffer_size):
                        self.violate(1009)
                    else:
                        await self.receive(message.data)
                except ProtocolError:
                    self.violate(1008)
            return True
        if kind is WSMsgType.PING:
            self.last_seen = self._loop.time()
            self._write(frames.pong(bytes(message.data)))
            return True
        if kind is WSMsgType.PONG:
            self.last_seen = self._loop.time()
            return True
        return False


def _is_larger(data: str | bytes, limit: int) -> bool:
    """Whether a message has more bytes than the limit."""
    if isinstance(data, bytes) or data.isascii() or len(data) > limit:
        return len(data) > limit
    return len(data) * 4 > limit and len(data.encode()) > limit
