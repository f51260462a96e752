"""A WebSocket that aiohttp has let go of (`takeover`). While it is idle it has no task: one is started when something
comes."""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Any

from . import cancellation, frames
from .backlog import Backlog
from .clock import Clock
from .close_handshake import DRAIN_MAX_BYTES, CloseHandshake
from .pace import Pace
from .reader import CUT_OFF, BrokenFrame, FrameReader, Message
from .receiver import Receiver
from .scheduler import CHUNK_S

NORMAL, INTERNAL_ERROR = 1000, 1011
POLICY_VIOLATION = 1008

READ_BYTES = 16 * 1024
"""The most that is read at once, so that what 400 peers have sent and was not handled yet stays small."""

READ_AHEAD_BYTES = 16 * 1024
"""With more than this not handled, nothing more is read from the connection."""

_read_buffer = memoryview(bytearray(READ_BYTES))
"""One for all connections: what is read is copied out of it in the same call of the event loop."""


class WebSocket(asyncio.BufferedProtocol):
    """The server's end. It answers pings by itself, and reads at the connection's `pace`.

    `gone` is called when there is no connection any more. A peer that does not answer a close frame within
    `close_timeout_s` is cut off.
    """

    __slots__ = (
        "_backlog",
        "_broken",
        "_buffer_limit_bytes",
        "_clock",
        "_close_timeout_s",
        "_closing",
        "_drain_max_bytes",
        "_end",
        "_end_code",
        "_gone",
        "_inbox",
        "_left",
        "_paused",
        "_reader",
        "_received",
        "_receiver",
        "_task",
        "_waiter",
        "pace",
        "transport",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        *,
        max_bytes: int,
        buffer_limit_bytes: int,
        close_timeout_s: float,
        pace: Pace,
        backlog: Backlog,
        clock: Clock,
        gone: Callable[["WebSocket"], Any],
        drain_max_bytes: int = DRAIN_MAX_BYTES,
    ) -> None:
        self.transport = transport
        self._reader: FrameReader | None = FrameReader(max_bytes)
        self._buffer_limit_bytes = buffer_limit_bytes
        self._close_timeout_s = close_timeout_s
        self._drain_max_bytes = drain_max_bytes
        self.pace = pace
        self._backlog = backlog
        self._clock = clock
        self._gone = gone
        self._received = b""
        self._inbox: list[Message] = []
        self._receiver: Receiver | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._end: CloseHandshake | None = None
        """Takes what comes when nothing is handed over any more; there is no `_reader` then."""
        self._end_code: int | None = None
        """The code for `Receiver.lost`, which is called when the receiver has been handed what came before the end."""
        self._broken = 0
        """The code for frames that were broken; what comes after them is not read."""
        self._left = False
        """The peer has sent its close frame."""
        self._paused = self._closing = False

    # --- out -----------------------------------------------------------------------------------------------------

    def send(self, blob: bytes) -> None:
        """Writes complete frames; does nothing on a connection that is closing. With more than the limit unsent, the
        receiver is asked to end the connection, and nothing is written."""
        if self._closing or self.transport.is_closing():
            return
        if self.transport.get_write_buffer_size() > self._buffer_limit_bytes:
            self.overflow()
        else:
            self.transport.write(blob)

    @property
    def unsent_bytes(self) -> int:
        """How many bytes the transport has not sent yet."""
        return self.transport.get_write_buffer_size()

    def overflow(self) -> None:
        """Too much waits unsent: the receiver has to end the connection."""
        if self._receiver is not None and not self._closing:
            self._receiver.overflow()

    def pause_writing(self) -> None:
        """The transport's buffer is above its high water."""
        self._backlog.add(self)

    def resume_writing(self) -> None:
        """The transport's buffer is below its low water."""
        self._backlog.discard(self)

    # --- in ------------------------------------------------------------------------------------------------------

    def allow(self, max_bytes: int) -> None:
        """Messages may have up to `max_bytes` from now on."""
        if self._reader is not None:
            self._reader.max_bytes = max_bytes

    async def next(self) -> Message:
        """The next message that is no ping, before there is a receiver; a close frame when nothing more will come."""
        while True:
            while self._inbox:
                message = self._inbox.pop(0)
                if message.opcode != frames.PING:
                    return message
                self.send(frames.pong(message.data))
            if self._has_more():
                await self._take_chunk()
            elif self._end_code is not None:
                return Message(frames.CLOSE, self._end_code)
            else:
                self._resume_reading()
                await self._something()

    async def _something(self) -> None:
        """Returns when bytes have come in, or the connection has ended."""
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def serve(self, receiver: Receiver) -> None:
        """Hands everything that comes, or has come, to the receiver."""
        self._receiver = receiver
        self._wake()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where asyncio reads to."""
        return _read_buffer

    def buffer_updated(self, nbytes: int) -> None:
        """asyncio has read."""
        self.came(bytes(_read_buffer[:nbytes]))

    def came(self, data: bytes) -> None:
        """Takes what has come from the peer."""
        if self._end is not None:
            self._end.came(data)
            return
        if self._receiver is not None:
            self._receiver.seen()
        self._received = self._received + data if self._received else data
        if len(self._received) > READ_AHEAD_BYTES and not self._paused:
            self._paused = True
            self.transport.pause_reading()
        if self._task is None:
            self._wake()

    def eof_received(self) -> None:
        """The peer has ended its side; the transport closes itself."""
        self._finish(CUT_OFF)

    def connection_lost(self, exc: Exception | None) -> None:
        """There is no connection any more."""
        self._finish(CUT_OFF)
        self._backlog.discard(self)
        self._gone(self)

    def _finish(self, code: int) -> None:
        """Nothing that comes from now on is handed over."""
        if self._end_code is None:
            self._end_code = code
            self._wake()

    def _wake(self) -> None:
        """Starts handing over to the receiver, or resumes the caller that waits in `next`."""
        if self._receiver is None:
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(None)
        elif self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._hand_over(self._receiver))

    def _has_more(self) -> bool:
        """Whether messages may be taken out of what has come."""
        return self._reader is not None and (bool(self._received) or self._reader.may_go_on)

    async def _hand_over(self, receiver: Receiver) -> None:
        try:
            while self._inbox or self._has_more():
                if not self._inbox:
                    await self._take_chunk()
                await self._hand_over_chunk(receiver)
            if self._paused:  # there is more to read
                self._resume_reading()
            else:
                self.pace.rest()
            if self._end_code is not None:
                receiver.lost(self._end_code)
                self.close(NORMAL)
                return
        except (Exception, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and cancellation.is_ours():
                raise
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a WebSocket's receiver raised", "exception": error}
            )
            self.close(INTERNAL_ERROR)
            receiver.lost(INTERNAL_ERROR)
            return
        self._task = None

    async def _hand_over_chunk(self, receiver: Receiver) -> None:
        messages, self._inbox = self._inbox, []
        since = perf_counter()
        for message in messages:
            if perf_counter() - since > CHUNK_S:
                since = await self.pace.go_on(since)
            if message.opcode == frames.PING:
                self.send(frames.pong(message.data))
            else:
                await receiver.receive(message)
        self.pace.scheduler.spent(since)

    async def _take_chunk(self) -> None:
        """Takes some of what has come, when the budget allows it and it is this connection's turn."""
        in_budget = await self.pace.turn()
        if self._receiver is not None:
            self._receiver.seen()  # what the peer sent while it was not read may still be unread
        if self._reader is None:
            return
        data, self._received = self._received, b""
        try:
            taken = self._reader.feed(data, self._inbox, self.pace.chunk_frames)
        except BrokenFrame as error:
            self._broken = error.code
            self._stop_reading()
            self._finish(error.code)
            return
        if self._inbox and self._inbox[-1].opcode == frames.CLOSE:
            self._left = True
            self._stop_reading()
            self._finish(self._inbox.pop().data)
        elif not self.pace.charge(taken, len(data)) or not in_budget:
            self._flooded()

    def _flooded(self) -> None:
        self._inbox.clear()
        self._broken = POLICY_VIOLATION
        self._stop_reading()
        if self._receiver is not None:
            self._receiver.flooded()
        self.close(POLICY_VIOLATION)
        if not self.transport.is_closing():
            self.transport.pause_reading()  # what it still sends is not even read away

    def _resume_reading(self) -> None:
        if self._paused:
            self._paused = False
            if not self.transport.is_closing():
                self.transport.resume_reading()

    # --- the end -------------------------------------------------------------------------------------------------

    def _stop_reading(self, reader: FrameReader | None = None) -> CloseHandshake:
        """Nothing that comes is handed over any more; a `reader` looks for the peer's close frame in it."""
        self._reader = None
        self._end = CloseHandshake(
            self.transport,
            reader,
            timeout_s=self._close_timeout_s,
            clock=self._clock,
            drain_max_bytes=self._drain_max_bytes,
        )
        return self._end

    def close(self, code: int, reason: str = "", *, last: bytes = b"") -> None:
        """Sends last frames and a close frame; what comes from now on is not handed over. Does nothing if a close frame
        was sent before, or the connection is gone.

        The connection ends with the peer's answer, or after the close timeout. It ends at once if the peer has sent its
        close frame already, or frames that cannot be gone on with (RFC 6455, section 7.1.7).
        """
        if self._closing or self.transport.is_closing():
            return
        self._closing = True
        self.transport.write(last + frames.close(self._broken or code, reason))
        self._resume_reading()
        if self._left or self._broken:
            self._stop_reading().hang_up()
        else:
            untaken, self._received = self._received, b""
            self._stop_reading(self._reader).await_answer(untaken)
        self._finish(code)

    def drop(self, code: int, *, last: bytes = b"") -> None:
        """As `close`, but without a close frame: the peer sees that the connection is lost, and may come back.
        `code` is for `Receiver.lost`."""
        if self._closing or self.transport.is_closing():
            return
        self._closing = True
        if last:
            self.transport.write(last)
        self._resume_reading()
        self._stop_reading().hang_up()
        self._finish(code)
