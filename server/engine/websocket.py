"""A WebSocket that aiohttp has let go of (`takeover`). While it is idle it has no task: one is started when something
comes."""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Any, Protocol

from . import frames
from .backlog import Backlog
from .pace import Pace
from .reader import CUT_OFF, BrokenFrame, FrameReader, Message
from .scheduler import SLICE_S

NORMAL, INTERNAL_ERROR = 1000, 1011
POLICY_VIOLATION = 1008

READ_BYTES = 16 * 1024
"""At most so much is read at once: what 400 peers have sent and nobody has looked at stays small."""

READ_AHEAD_BYTES = 16 * 1024
"""With more than this not looked at, nothing more is read from the connection."""

_read_buffer = memoryview(bytearray(READ_BYTES))
"""Of all connections: what is read is taken out of it in the same call of the event loop."""

ANSWER_FRAMES = 256
"""The answer to a close frame is looked for among so many frames of one read."""

DRAIN_MAX_BYTES = 16 * 1024 * 1024
"""So much of what a peer still sends is read away once the server has hung up."""


class Receiver(Protocol):
    """What a WebSocket is served to."""

    async def receive(self, message: Message) -> None:
        """Takes a text or binary message, or a pong; the next one comes when this has returned."""

    def seen(self) -> None:
        """Something has come from the peer."""

    def flooded(self) -> None:
        """The peer has asked for more than its budget for too long. It is ended after this, if this does not end it."""

    def overflow(self) -> None:
        """More than `buffer_limit_bytes` waits unsent. The receiver has to end the connection."""

    def lost(self, code: int) -> None:
        """Nothing more will come, and what came has been handled. `code` is that of the first close frame, the peer's
        or ours; 1006 if the connection was cut."""


class WebSocket(asyncio.BufferedProtocol):
    """The server's end. Pings are answered here. What the peer sends is read at the connection's `pace`.

    `gone` is called when there is no connection any more. A peer that does not answer a close frame within
    `close_timeout_s` is cut off.
    """

    __slots__ = (
        "_backlog",
        "_broken",
        "_buffer_limit_bytes",
        "_close_timeout_s",
        "_closing",
        "_drained_bytes",
        "_end_code",
        "_gone",
        "_inbox",
        "_left",
        "_loop",
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
        gone: Callable[["WebSocket"], Any],
    ) -> None:
        self.transport = transport
        self._loop = asyncio.get_running_loop()
        self._reader: FrameReader | None = FrameReader(max_bytes)
        self._buffer_limit_bytes = buffer_limit_bytes
        self._close_timeout_s = close_timeout_s
        self.pace = pace
        self._backlog = backlog
        self._gone = gone
        self._received = b""
        self._inbox: list[Message] = []
        self._receiver: Receiver | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._end_code: int | None = None
        """What the receiver is to be told when it has been handed what came before the end."""
        self._drained_bytes = 0
        """So much has come that nobody looks at any more."""
        self._broken = 0
        """The code for frames that were broken; what comes after them is not looked at."""
        self._left = False
        """The peer has sent its close frame."""
        self._paused = self._closing = False

    # --- out -----------------------------------------------------------------------------------------------------

    def send(self, blob: bytes) -> None:
        """Writes complete frames; does nothing on a connection that is closing. With more than the limit unsent, the
        receiver is told to end the connection, and nothing is written."""
        if self._closing or self.transport.is_closing():
            return
        if self.transport.get_write_buffer_size() > self._buffer_limit_bytes:
            self.overflow()
        else:
            self.transport.write(blob)

    @property
    def unsent_bytes(self) -> int:
        return self.transport.get_write_buffer_size()

    def overflow(self) -> None:
        """Too much waits unsent: the receiver has to end the connection."""
        if self._receiver is not None and not self._closing:
            self._receiver.overflow()

    def pause_writing(self) -> None:
        self._backlog.add(self)

    def resume_writing(self) -> None:
        self._backlog.discard(self)

    # --- in ------------------------------------------------------------------------------------------------------

    def allow(self, max_bytes: int) -> None:
        """A message may have so many bytes from now on."""
        if self._reader is not None:
            self._reader.max_bytes = max_bytes

    async def next(self) -> Message:
        """The next message that is no ping, before anybody is served; a close frame when nothing more will come."""
        while True:
            while self._inbox:
                message = self._inbox.pop(0)
                if message.opcode != frames.PING:
                    return message
                self.send(frames.pong(message.data))
            if self._has_more():
                await self._take_slice()
            elif self._end_code is not None:
                return Message(frames.CLOSE, self._end_code)
            else:
                self._go_on_reading()
                await self._something()

    async def _something(self) -> None:
        """Returns when something has come."""
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def serve(self, receiver: Receiver) -> None:
        """Hands everything that comes, or has come, to the receiver."""
        self._receiver = receiver
        self._look()

    def get_buffer(self, sizehint: int) -> memoryview:
        return _read_buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.came(bytes(_read_buffer[:nbytes]))

    def came(self, data: bytes) -> None:
        """Takes what has come from the peer."""
        if self._reader is None:
            self._drained_bytes += len(data)
            if self._drained_bytes > DRAIN_MAX_BYTES:
                self.transport.abort()
            return
        if self._closing:
            self._await_answer(self._reader, data)
            return
        if self._receiver is not None:
            self._receiver.seen()
        self._received = self._received + data if self._received else data
        if len(self._received) > READ_AHEAD_BYTES and not self._paused:
            self._paused = True
            self.transport.pause_reading()
        self._look()

    def _await_answer(self, reader: FrameReader, data: bytes) -> None:
        """After our close frame, only the peer's is looked for, and not behind very much else."""
        messages: list[Message] = []
        try:
            taken = reader.feed(data, messages, ANSWER_FRAMES)
        except BrokenFrame:
            self._hang_up()  # no answer can come any more
            return
        if taken == ANSWER_FRAMES or (messages and messages[-1].opcode == frames.CLOSE):
            self._hang_up()

    def eof_received(self) -> None:
        self._finish(CUT_OFF)  # and the transport closes itself

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish(CUT_OFF)
        self._backlog.discard(self)
        self._gone(self)

    def _finish(self, code: int) -> None:
        """Nothing that comes from now on is handed to anybody."""
        if self._end_code is None:
            self._end_code = code
            self._look()

    def _look(self) -> None:
        """Something may have come, or somebody to hand it to."""
        if self._receiver is None:
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(None)
        elif self._task is None:
            self._task = self._loop.create_task(self._hand_over(self._receiver))

    def _has_more(self) -> bool:
        """Whether there is something to take out of what has come."""
        return (
            self._reader is not None
            and not self._closing
            and (bool(self._received) or self._reader.may_go_on)
        )

    async def _hand_over(self, receiver: Receiver) -> None:
        try:
            while self._inbox or self._has_more():
                if not self._inbox:
                    await self._take_slice()
                await self._hand_over_slice(receiver)
            if not self._paused:  # else there is more to read
                self.pace.rest()
            self._go_on_reading()
            if self._end_code is not None:
                receiver.lost(self._end_code)
                self.close(NORMAL)
                return
        except Exception as error:
            self._loop.call_exception_handler(
                {"message": "a WebSocket's receiver raised", "exception": error}
            )
            self.close(INTERNAL_ERROR)
            receiver.lost(INTERNAL_ERROR)
            return
        self._task = None

    async def _hand_over_slice(self, receiver: Receiver) -> None:
        messages, self._inbox = self._inbox, []
        since = perf_counter()
        for message in messages:
            if perf_counter() - since > SLICE_S:
                since = await self.pace.go_on(since)
            if message.opcode == frames.PING:
                self.send(frames.pong(message.data))
            else:
                await receiver.receive(message)
        self.pace.scheduler.spent(since)

    async def _take_slice(self) -> None:
        """Takes some of what has come, when the budget allows it and it is this connection's turn."""
        in_budget = await self.pace.turn()
        if self._receiver is not None:
            self._receiver.seen()  # what the peer sent while it was held up may still be unread
        if self._reader is None or self._closing:
            return
        data, self._received = self._received, b""
        try:
            taken = self._reader.feed(data, self._inbox, self.pace.slice_frames)
        except BrokenFrame as error:
            self._reader, self._broken = None, error.code
            self._finish(error.code)
            return
        if self._inbox and self._inbox[-1].opcode == frames.CLOSE:
            self._reader, self._left = None, True
            self._finish(self._inbox.pop().data)
        elif not self.pace.charge(taken, len(data)) or not in_budget:
            self._flooded()

    def _flooded(self) -> None:
        self._inbox.clear()
        self._reader, self._broken = None, POLICY_VIOLATION
        if self._receiver is not None:
            self._receiver.flooded()
        self.close(POLICY_VIOLATION)
        if not self.transport.is_closing():
            self.transport.pause_reading()  # what it still sends is not even read away

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
            if self._reader is not None:
                untaken, self._received = self._received, b""
                self._await_answer(self._reader, untaken)
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
        if not self.transport.can_write_eof():  # TLS has no half of a connection
            self.transport.close()
            return
        try:
            self.transport.write_eof()
        except OSError:  # the peer has gone already
            self.transport.close()
        else:
            self._go_on_reading()
            self._loop.call_later(self._close_timeout_s, self.transport.abort)
