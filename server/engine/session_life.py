"""The life of an Engine.IO session: the states it goes through, and all ways in which it ends."""

import asyncio
from collections.abc import Callable, Sequence
from enum import IntEnum
from functools import partial

from .clock import expire
from .host import Host
from .packets import CLOSE, EnginePacket, to_frames
from .polling import Polling
from .websocket import WebSocket


class State(IntEnum):
    """Where a session is in its life. It goes only forward."""

    OPEN = 0
    FAILING = 1
    """Too slow or silent: nothing more is written, and the application may close the session in its own words."""
    CLOSING = 2
    """Nothing more is sent or handled. The session is still known, until the disconnect handlers have run."""
    CLOSED = 3


class SessionLife:
    """What every session has that can end. `engineio_session.Session` adds what it sends and what it takes."""

    __slots__ = (
        "_clock",
        "_ended",
        "_host",
        "_websocket",
        "connected",
        "polling",
        "sid",
        "state",
        "upgrade_until",
        "wire",
    )

    def __init__(self, host: Host, sid: str) -> None:
        self._host = host
        self._clock = host.clock
        self.sid = sid
        self.state = State.OPEN
        self.polling = Polling(self._clock)
        self.wire: asyncio.WriteTransport | None = None
        self._websocket: WebSocket | None = None
        self.connected = False
        """Whether the client may send requests for the session."""
        self.upgrade_until: asyncio.Timeout | None = None
        """The time limit of the upgrade that is under way."""
        self._ended: asyncio.Task[None] | None = None

    @property
    def is_closing(self) -> bool:
        """Whether nothing more is sent or handled."""
        return self.state >= State.CLOSING

    @property
    def closed(self) -> bool:
        """Whether the disconnect handlers have run."""
        return self.state is State.CLOSED

    def overflow(self) -> None:
        """More than the limit waits unsent."""
        self._fail(self._host.on_overflow, self._host.reason.TRANSPORT_ERROR)

    def expire(self) -> None:
        """The heartbeat has not been answered."""
        if self._host.monitor_clients:
            self._fail(self._host.on_silence, self._host.reason.PING_TIMEOUT)

    def lost(self, code: int) -> None:
        """The WebSocket is gone."""
        self.close(self._host.reason.TRANSPORT_CLOSE)

    def violated(self, code: int) -> None:
        """The client broke the protocol (1008), or sent more at once than it may (1009). Unless the hook closes the
        session in its own words, a polling client gets no more of what waits for it: its requests are refused."""
        hook = self._host.on_violation
        self._refuse(code, None if hook is None else partial(hook, self.sid, code))

    def flooded(self) -> None:
        """The client asked for more than its budget for too long; as `violated`."""
        hook = self._host.on_flood
        self._refuse(1008, None if hook is None else partial(hook, self.sid))

    def _refuse(self, code: int, hook: Callable[[], None] | None) -> None:
        if self.is_closing:
            return
        if hook is not None:
            self._call(hook)
        if self._websocket is not None:
            self.close(self._host.reason.TRANSPORT_ERROR, code=code)
        elif not self.is_closing:
            self.polling.take()
            self.close(self._host.reason.TRANSPORT_ERROR, *((CLOSE,) if self.polling.is_waiting else ()))

    def _fail(self, hook: Callable[[str], None] | None, reason: str) -> None:
        """Writes nothing more; the hook may close the session in its own words, within the close timeout. It is called
        in the next turn of the loop: a room may be being written to, and what the hook does may write to it too."""
        if self.state is not State.OPEN:
            return
        self.state = State.FAILING
        self.wire = None
        if hook is None:
            self.abort(reason)
            return
        asyncio.get_running_loop().call_soon(self._call, partial(hook, self.sid))
        self._clock.call_later(self._host.close_timeout_s, self.abort, reason)

    def _call(self, hook: Callable[[], None]) -> None:
        try:
            hook()
        except Exception:
            self._host.logger.exception("hook error")

    def abort(self, reason: str) -> None:
        """Closes the session without regard for what is unsent. Does nothing on a session that is closing."""
        if not self.is_closing:
            self.polling.take()
            self.close(reason, CLOSE, abort=True)

    def close(
        self, reason: str, *last: EnginePacket, code: int = 1000, abort: bool = False, drop: bool = False
    ) -> None:
        """Closes the session, now, with last packets; the disconnect handlers run once, in a task of their own. Does
        nothing on a session that is closing.

        A WebSocket gets a close frame with the code, and its transport is aborted after the close timeout, or at
        once if `abort`. With `drop` it gets no close frame: the connection is lost after the last packets, and clients
        come back at once (the Java client takes a close frame for nothing, and waits for its heartbeat to fail). A
        waiting poll is answered; if there is none, the next one within the close timeout is.
        """
        self._host.before_send(self.sid)  # which may itself find that there is too much unsent
        if self.is_closing:
            return
        self.state = State.CLOSING
        self.wire = None
        self._host.unwatch(self)
        if self.upgrade_until is not None:
            expire(self.upgrade_until)
        if self._websocket is None:
            self._close_polling(last, abort)
        elif abort:
            self._websocket.transport.abort()
        elif drop:
            self._websocket.drop(code, last=to_frames(last))
        else:
            self._websocket.close(code, last=to_frames(last))
        self._ended = self._host.spawn(self._end(reason))

    def _close_polling(self, last: Sequence[EnginePacket], abort: bool) -> None:
        if self.polling.has_packets:
            # The JavaScript client acts on CLOSE before it reads the messages of the same payload. Without the packet,
            # the next poll, refused, says the same.
            last = [packet for packet in last if packet != CLOSE]
        if self.polling.is_answering:
            # A client that has not taken the answer to its last poll does not get the rest of it.
            self._clock.call_later(0 if abort else self._host.close_timeout_s, self.polling.cut_answer)
        self.polling.noop_only = False
        self.polling.add(last)
        if self.polling.has_packets and not abort:  # a waiting poll may not take it all
            self._host.linger(self)

    async def _end(self, reason: str) -> None:
        try:
            if self.connected:
                await self._host.disconnected(self.sid, reason)
        finally:
            self.state = State.CLOSED
            self._host.forget(self)

    async def wait_closed(self) -> None:
        """Returns when the session that is closing is closed."""
        if self._ended is not None:
            await asyncio.shield(self._ended)
