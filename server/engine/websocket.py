"""A WebSocket that aiohttp has let go of.

aiohttp answers HTTP. What it keeps of a request while its WebSocket lives (the request itself, two tasks, a parser, a
queue) was 15 of the 21 KiB of a connection, and every message went through its queue and woke its task. So once a
handshake is answered, the transport gets this protocol. An idle connection has no task: one is started when something
comes.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from aiohttp import web

from . import frames, handshake
from .reader import CUT_OFF, BrokenFrame, FrameReader, Message

NORMAL, INTERNAL_ERROR = 1000, 1011

WAITING_MAX = 256
"""With more messages waiting to be handled, nothing more is read from the connection."""

DRAIN_MAX_BYTES = 16 * 1024 * 1024
"""So much of what a peer still sends is read away once the server has hung up."""


class Receiver(Protocol):
    """Whoever a WebSocket is served to."""

    async def receive(self, message: Message) -> None:
        """Takes a text, binary, ping or pong message; the next one comes when this has returned."""

    def lost(self, code: int) -> None:
        """Nothing more will come, and what came has been handled. `code` is that of the first close frame, the peer's
        or ours; 1006 if the connection was cut."""


class HandedOver(web.StreamResponse):
    """What a handler returns to aiohttp once the connection is no more aiohttp's: nothing that could be sent."""

    async def prepare(self, request: web.BaseRequest) -> None:
        raise ConnectionResetError("the connection was handed over")


class WebSocket(asyncio.Protocol):
    """The server's end. Frames are written to `transport` by whoever has it; closing is done here.

    `gone` is called when there is no connection any more. A peer that does not answer a close frame within
    `close_timeout_s` is cut off.
    """

    __slots__ = (
        "_broken",
        "_close_timeout_s",
        "_closing",
        "_finished",
        "_gone",
        "_inbox",
        "_left",
        "_loop",
        "_paused",
        "_reader",
        "_receiver",
        "_task",
        "_waiter",
        "transport",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        *,
        max_bytes: int,
        close_timeout_s: float,
        gone: Callable[["WebSocket"], Any],
    ) -> None:
        self.transport = transport
        self._loop = asyncio.get_running_loop()
        self._reader: FrameReader | None = FrameReader(max_bytes)
        self._close_timeout_s = close_timeout_s
        self._gone = gone
        self._inbox: list[Message] = []
        self._receiver: Receiver | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._broken = 0
        """The code for frames that were broken; what comes after them is not looked at."""
        self._left = False
        """The peer has sent its close frame."""
        self._paused = self._closing = self._finished = False

    @classmethod
    async def take_over(
        cls, request: web.Request, *, protocols: Iterable[str] = (), **options: Any
    ) -> "WebSocket":
        """Answers a handshake; aiohttp then takes the connection for lost. The handler has to return `HandedOver`.

        Raises: as `handshake.check`; `ConnectionResetError` if the client has gone.
        """
        # No extension is taken: permessage-deflate costs 106 KiB a connection.
        handshake.check(request)
        head = await _switching_protocols(request, protocols)
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has gone")
        early = _Early()
        request.protocol.set_parser(early)  # type: ignore[arg-type]
        socket = cls(transport, **options)
        transport.set_protocol(socket)
        request.protocol.transport = None  # or it would close it
        request.protocol.connection_lost(None)
        transport.write(head)
        if not transport.is_reading():
            transport.resume_reading()
        if early.data:
            socket.data_received(early.data)
        return socket

    # --- in ------------------------------------------------------------------------------------------------------

    async def next(self) -> Message:
        """The next message, before anybody is served; a close frame when nothing more will come."""
        while not self._inbox:
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._inbox.pop(0)

    def serve(self, receiver: Receiver) -> None:
        """Hands everything that comes, or has come, to the receiver."""
        self._receiver = receiver
        self._look()

    def data_received(self, data: bytes) -> None:
        if self._reader is None:
            return
        if self._closing:
            self._await_answer(self._reader, data)
            return
        try:
            self._reader.feed(data, self._inbox)
        except BrokenFrame as error:
            self._reader, self._broken = None, error.code
            self._finish(error.code)
        else:
            if self._inbox and self._inbox[-1].opcode == frames.CLOSE:
                self._reader = None
                self._finished = self._left = True
            self._look()

    def _await_answer(self, reader: FrameReader, data: bytes) -> None:
        """After our close frame, only the peer's is looked for."""
        messages: list[Message] = []
        try:
            reader.feed(data, messages)
        except BrokenFrame:
            self._hang_up()  # no answer can come any more
        if messages and messages[-1].opcode == frames.CLOSE:
            self._hang_up()

    def eof_received(self) -> None:
        self._finish(CUT_OFF)  # and the transport closes itself

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish(CUT_OFF)
        self._gone(self)

    def _finish(self, code: int) -> None:
        """Nothing that comes from now on is handed to anybody."""
        if not self._finished:
            self._finished = True
            self._inbox.append(Message(frames.CLOSE, code))
            self._look()

    def _look(self) -> None:
        """Something may have come, or somebody to hand it to."""
        if len(self._inbox) > WAITING_MAX and not self._paused and not self._closing:
            self._paused = True
            self.transport.pause_reading()
        if self._receiver is None:
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(None)
        elif self._task is None and self._inbox:
            self._task = self._loop.create_task(self._hand_over(self._receiver))

    async def _hand_over(self, receiver: Receiver) -> None:
        try:
            while self._inbox:
                messages, self._inbox = self._inbox, []
                for message in messages:
                    if message.opcode == frames.CLOSE:
                        receiver.lost(message.data)
                        self.close(NORMAL)
                        return
                    await receiver.receive(message)
                self._go_on_reading()
        except Exception as error:
            self._loop.call_exception_handler(
                {"message": "a WebSocket's receiver raised", "exception": error}
            )
            self.close(INTERNAL_ERROR)
            receiver.lost(INTERNAL_ERROR)
        finally:
            self._task = None

    def _go_on_reading(self) -> None:
        if self._paused:
            self._paused = False
            if not self.transport.is_closing():
                self.transport.resume_reading()

    # --- the end -------------------------------------------------------------------------------------------------

    def close(self, code: int, reason: str = "", *, last: bytes = b"") -> None:
        """Sends last frames and a close frame; what comes from now on is not handed to anybody. Does nothing if one
        was sent before, or nobody is there.

        The connection ends with the peer's answer, or after the close timeout. It ends at once if the peer has sent its
        close frame already, or frames that cannot be gone on with (RFC 6455, section 7.1.7).
        """
        if self._closing or self.transport.is_closing():
            return
        self._closing = True
        self.transport.write(last + frames.close(self._broken or code, reason))
        if self._left or self._broken:
            self._hang_up()
        else:
            self._go_on_reading()
            self._loop.call_later(self._close_timeout_s, self.transport.abort)
        self._finish(code)

    def drop(self, code: int, *, last: bytes = b"") -> None:
        """As `close`, but without a close frame: the peer sees that the connection is lost, and may come back.
        `code` is what the receiver gets to know."""
        if self._closing or self.transport.is_closing():
            return
        self._closing = True
        if last:
            self.transport.write(last)
        self._hang_up()
        self._finish(code)

    def _hang_up(self) -> None:
        """Ends our side of the connection, after all that was written, and the whole of it as soon as the peer ends its
        side, or after the close timeout.

        To close it at once would throw away what the peer has been told last: when bytes of the peer are unread, the
        system resets the connection.
        """
        self._reader = None
        self.transport.set_protocol(_Drain(self))
        if not self.transport.can_write_eof():  # TLS
            self.transport.close()
            return
        try:
            self.transport.write_eof()
        except OSError:  # the peer is gone already
            self.transport.abort()
            return
        self._go_on_reading()
        self._loop.call_later(self._close_timeout_s, self.transport.abort)


class _Drain(asyncio.Protocol):
    """Reads away what a peer still sends, up to its end or to a limit."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._room_bytes = DRAIN_MAX_BYTES

    def data_received(self, data: bytes) -> None:
        self._room_bytes -= len(data)
        if self._room_bytes < 0:
            self._socket.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._socket.connection_lost(exc)


class _Early:
    """Takes what aiohttp has read beyond the handshake."""

    def __init__(self) -> None:
        self.data = b""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.data += data
        return False, b""

    def feed_eof(self) -> None:
        pass


async def _switching_protocols(request: web.Request, protocols: Iterable[str]) -> bytes:
    """The answer's head, with what the application says in every answer."""
    answer = web.StreamResponse(status=101, headers=handshake.answer_headers(request, protocols))
    await request.app.on_response_prepare.send(request, answer)
    lines = [f"{name}: {value}" for name, value in answer.headers.items()]
    return "\r\n".join(("HTTP/1.1 101 Switching Protocols", *lines, "", "")).encode()
