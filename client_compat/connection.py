"""A raw connection posing as an engine.io socket, so that rooms, emit and disconnect serve it."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from client_compat.close_codes import CLOSE_CODES, close_reason
from client_compat.frames import RawDialect
from handlers.endings import Ending


class WebSocket(Protocol):
    """What is needed of the engine's WebSocket."""

    @property
    def transport(self) -> asyncio.WriteTransport: ...

    def close(self, code: int, reason: str = "") -> None: ...


class RawConnection:
    """A link of the engine that speaks the documented protocol. It is written to until it ends, and then no more.

    `last_seen` is the loop time at which something last came in; the gate keeps it. `ending` is why the server ended
    the connection, None if it did not.
    """

    __slots__ = (
        "_flush",
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
    ) -> None:
        self.sid = sid
        self.dialect = dialect
        self.wire: asyncio.WriteTransport | None = socket.transport
        self.session: dict[str, Any] = {}
        self.closed = False
        self.ending: Ending | None = None
        self.last_seen = asyncio.get_running_loop().time()
        self._socket = socket
        self._text_frame = text_frame
        self._ping_frame = ping_frame
        self._flush = flush
        self._reply = reply

    def write(self, frame: bytes) -> None:
        """Sends one JSON frame, after everything that was emitted before it."""
        self._flush(self.sid)
        if self.wire is not None:
            self.wire.write(self._text_frame(frame))

    def answer(self, frame: bytes) -> None:
        """As `write`, at the end of the turn, in one write with what else is sent in it."""
        if self.wire is not None:
            self._reply(self, self._text_frame(frame))

    def end(self, ending: Ending, retry_ms: int | None = None) -> None:
        """Sends the close frame as the last one."""
        if self.closed:
            return
        self._flush(self.sid)
        if self.wire is None:  # what was flushed just now overflowed it
            return
        self.gone()
        self.ending = ending
        self._socket.close(CLOSE_CODES[ending].code, close_reason(ending, retry_ms))

    def gone(self) -> None:
        """The connection is no more; nothing is written to it from now on."""
        self.closed = True
        self.wire = None

    # What the engine asks of a link.

    def enqueue(self, event: str, args: Sequence[Any], namespace: str) -> None:
        """Nothing waits for a raw connection: without a wire it is closed."""

    def overflow(self) -> None:
        self.end(Ending.TOO_SLOW)

    async def send(self, _packet: Any) -> None:
        """Engine.IO packets are not for this client."""

    async def close(self, wait: bool = True, abort: bool = False, reason: str | None = None) -> None:
        self.end(Ending.REVOKED)

    # What the heartbeat asks.

    def ping(self) -> None:
        if self.wire is not None:
            self.wire.write(self._ping_frame)

    def expire(self) -> None:
        self.end(Ending.SILENT)
