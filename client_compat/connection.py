"""A raw connection posing as an engine.io socket, so that rooms, emit and disconnect serve it."""

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from client_compat.frames import RawDialect
from handlers.wire.close_codes import CLOSE_CODES, close_reason
from handlers.wire.endings import Ending


class WebSocket(Protocol):
    """What is needed of the engine's WebSocket."""

    @property
    def transport(self) -> asyncio.WriteTransport: ...

    @property
    def pace(self) -> Any: ...

    def send(self, blob: bytes) -> None: ...

    def close(self, code: int, reason: str = "") -> None: ...


class RawConnection:
    """A link of the engine that speaks the documented protocol. It is written to until it ends, and then no more.

    `last_seen` is the loop time at which something last came in; infinity while a command holds up the reading: a sign
    of life could not be seen then. `must_end` is called with the sid and the reason when more than the limit waits
    unsent, or nothing has been heard for too long. `ending` is why the server ended the connection, None if it did not.
    """

    __slots__ = (
        "_flush",
        "_loop",
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
        self._loop = asyncio.get_running_loop()
        self.last_seen = self._loop.time()
        self._socket = socket
        self._text_frame = text_frame
        self._ping_frame = ping_frame
        self._flush = flush
        self._reply = reply
        self._must_end = must_end

    @property
    def pace(self) -> Any:
        """How fast the connection is read and served; the engine's."""
        return self._socket.pace

    def send_json(self, frame: bytes) -> None:
        """Sends one JSON frame, after everything that was emitted before it."""
        self._flush(self.sid)
        self.write(self._text_frame(frame))

    def answer(self, frame: bytes) -> None:
        """As `send_json`, at the end of the turn, in one write with what else is sent in it."""
        if self.wire is not None:
            self._reply(self, self._text_frame(frame))

    def end(self, ending: Ending, retry_ms: int | None = None) -> None:
        """Sends the close frame as the last one."""
        if self.closed:
            return
        self._flush(self.sid)
        self.gone()
        self.ending = ending
        self._socket.close(CLOSE_CODES[ending].code, close_reason(ending, retry_ms))

    def gone(self) -> None:
        """The connection is no more; nothing is written to it from now on."""
        self.closed = True
        self.wire = None

    def seen(self) -> None:
        """The peer has given a sign of life."""
        if self.last_seen != math.inf:
            self.last_seen = self._loop.time()

    def hold_up(self) -> None:
        """A command holds up the reading from now on, until `go_on`."""
        self.last_seen = math.inf

    def go_on(self) -> None:
        self.last_seen = self._loop.time()

    # What the engine asks of a link.

    def write(self, blob: bytes) -> None:
        """Writes complete WebSocket frames, within the limit."""
        if self.wire is not None:
            self._socket.send(blob)

    def enqueue(self, event: str, args: Sequence[Any], namespace: str) -> None:
        """Nothing waits for a raw connection: without a wire it is closed."""

    def overflow(self) -> None:
        if self.wire is not None:
            self.wire = None
            self._loop.call_soon(self._must_end, self.sid, Ending.TOO_SLOW)

    async def send(self, _packet: Any) -> None:
        """Engine.IO packets are not for this client."""

    async def close(self, wait: bool = True, abort: bool = False, reason: str | None = None) -> None:
        self.end(Ending.REVOKED)

    # What the heartbeat asks.

    def ping(self) -> None:
        self.write(self._ping_frame)

    def expire(self) -> None:
        self._must_end(self.sid, Ending.SILENT)
