"""A raw connection as a link of the engine, so that rooms, events and endings work as for Socket.IO."""

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from client_compat.raw_frames import RawDialect
from handlers.wire.endings import CLOSE_CODES, Ending, close_reason


class WebSocket(Protocol):
    """What a raw connection uses of the engine's WebSocket."""

    @property
    def transport(self) -> asyncio.WriteTransport: ...

    @property
    def pace(self) -> Any: ...

    def send(self, blob: bytes) -> None: ...

    def close(self, code: int, reason: str = "") -> None: ...


class Clock(Protocol):
    """What a raw connection uses of the engine's clock."""

    def time(self) -> float: ...


class RawConnection:
    """A link of the engine that speaks the documented protocol. Nothing is written to it once it has ended.

    `last_seen` is the time, on the engine's clock, at which the last bytes came in. It is infinity while the gate
    does not read: nothing could be seen then. `must_end` is called with the sid and the reason when more bytes than
    the limit are unsent, or when the peer has been silent for too long. `ending` is why the server ended the
    connection, None if the peer did.
    """

    __slots__ = (
        "_clock",
        "_flush",
        "_must_end",
        "_ping_frame",
        "_reply",
        "_socket",
        "_text_frame",
        "closed",
        "dialect",
        "ending",
        "last_seen",
        "session",
        "sid",
        "wire",
    )

    upgraded = True  # engine.io's word for "on a WebSocket"

    def __init__(
        self,
        sid: str,
        socket: WebSocket,
        dialect: RawDialect,
        *,
        clock: Clock,
        text_frame: Callable[[bytes], bytes],
        ping_frame: bytes,
        flush: Callable[[str], None],
        reply: Callable[["RawConnection", bytes], None],
        must_end: Callable[[str, Ending], None],
    ) -> None:
        self.sid = sid
        self.dialect = dialect
        self.wire: asyncio.WriteTransport | None = socket.transport
        self.session: dict[str, Any] = {}
        self.closed = False
        self.ending: Ending | None = None
        self._clock = clock
        self.last_seen = clock.time()
        self._socket = socket
        self._text_frame = text_frame
        self._ping_frame = ping_frame
        self._flush = flush
        self._reply = reply
        self._must_end = must_end

    @property
    def pace(self) -> Any:
        """The engine's `Pace` of the connection: how fast it is read and served."""
        return self._socket.pace

    def send_json(self, frame: bytes) -> None:
        """Sends a JSON frame, after everything that was emitted before it."""
        self._flush(self.sid)
        self.write(self._text_frame(frame))

    def answer(self, frame: bytes) -> None:
        """Sends a JSON frame at the end of the turn, in one write with everything else that the turn sends."""
        if self.wire is not None:
            self._reply(self, self._text_frame(frame))

    def end(self, ending: Ending, retry_ms: int | None = None) -> None:
        """Sends the close frame, after which nothing is sent; nothing happens the second time."""
        if self.closed:
            return
        self._flush(self.sid)
        self.gone()
        self.ending = ending
        self._socket.close(CLOSE_CODES[ending].code, close_reason(ending, retry_ms))

    def gone(self) -> None:
        """Called when the connection is lost: nothing is written to it from now on."""
        self.closed = True
        self.wire = None

    def seen(self) -> None:
        """Called when bytes have come in."""
        if self.last_seen != math.inf:
            self.last_seen = self._clock.time()

    def pause_reading(self) -> None:
        """Called when the gate stops reading until a command has started; until `resume_reading` the peer is not taken
        for silent."""
        self.last_seen = math.inf

    def resume_reading(self) -> None:
        """Called when the gate reads again: the peer's silence counts from now on."""
        self.last_seen = self._clock.time()

    # What the engine asks of a link.

    def write(self, blob: bytes) -> None:
        """Writes complete WebSocket frames; a connection with more unsent than the limit ends."""
        if self.wire is not None:
            self._socket.send(blob)

    def enqueue(self, event: str, args: Sequence[Any], namespace: str) -> None:
        """Called for a link that cannot be written to now, as between two polls. A raw one is closed then."""

    def overflow(self) -> None:
        """Ends the connection, in the next turn: the room it is in may be being written to in this one."""
        if self.wire is not None:
            self.wire = None
            asyncio.get_running_loop().call_soon(self._must_end, self.sid, Ending.TOO_SLOW)

    def close(self, reason: str) -> None:
        self.end(Ending.REVOKED)

    # What the heartbeat asks.

    def ping(self) -> None:
        self.write(self._ping_frame)

    def expire(self) -> None:
        self._must_end(self.sid, Ending.SILENT)
