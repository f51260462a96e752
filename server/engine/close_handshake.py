"""The end of a WebSocket, from our close frame to the end of the connection (RFC 6455, section 7.1)."""

import asyncio

from . import frames
from .clock import Clock
from .reader import BrokenFrame, FrameReader, Message

ANSWER_FRAMES = 256
"""The peer's close frame is looked for among this many frames of one read."""

DRAIN_MAX_BYTES = 16 * 1024 * 1024
"""At most this much of what a peer still sends is read away. A peer that sends more is cut off."""


class CloseHandshake:
    """Takes what a peer still sends when nothing of it is handed over any more.

    With a `reader`, the peer's close frame is looked for, and our side of the connection ends with it. Without one,
    everything is read away.
    """

    __slots__ = ("_clock", "_drain_max_bytes", "_drained_bytes", "_reader", "_timeout_s", "_transport")

    def __init__(
        self,
        transport: asyncio.Transport,
        reader: FrameReader | None,
        *,
        timeout_s: float,
        clock: Clock,
        drain_max_bytes: int = DRAIN_MAX_BYTES,
    ) -> None:
        self._transport = transport
        self._reader = reader
        self._timeout_s = timeout_s
        self._clock = clock
        self._drain_max_bytes = drain_max_bytes
        self._drained_bytes = 0

    def await_answer(self, untaken: bytes) -> None:
        """Waits for the peer's close frame, up to the timeout. `untaken` is what has come and was not read yet."""
        self._clock.call_later(self._timeout_s, self._transport.abort)
        if self._reader is not None:
            self.came(untaken)

    def came(self, data: bytes) -> None:
        """Takes what has come from the peer."""
        if self._reader is None:
            self._drained_bytes += len(data)
            if self._drained_bytes > self._drain_max_bytes:
                self._transport.abort()
            return
        messages: list[Message] = []
        try:
            taken = self._reader.feed(data, messages, ANSWER_FRAMES)
        except BrokenFrame:
            self.hang_up()  # no answer can come any more
            return
        if taken == ANSWER_FRAMES or (messages and messages[-1].opcode == frames.CLOSE):
            self.hang_up()

    def hang_up(self) -> None:
        """Ends our side of the connection, after all that was written, and the whole of it as soon as the peer ends its
        side, or after the timeout.

        To close it at once would throw away what was written last: when bytes of the peer are unread, the system resets
        the connection.
        """
        self._reader = None
        if not self._transport.can_write_eof():  # TLS has no half of a connection
            self._transport.close()
            return
        try:
            self._transport.write_eof()
        except OSError:  # the peer has gone already
            self._transport.close()
        else:
            self._clock.call_later(self._timeout_s, self._transport.abort)
