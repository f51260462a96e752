"""An Engine.IO session, whatever carries it: what it sends, what it takes, and how it ends.

A WebSocket has neither a writer task nor a queue: what is sent is written to the transport in the turn of the call, and
the transport's own buffer is the queue. Before there is a WebSocket, packets wait in `polling`.
"""

import asyncio
import inspect
import math
from collections.abc import Callable, Sequence
from enum import IntEnum
from functools import partial
from typing import Any

from . import cancellation, frames
from .backlog import HIGH_WATER_BYTES
from .budget import Budget
from .clock import expire
from .host import Host
from .pace import Pace
from .packets import (
    CLOSE,
    MESSAGE,
    NOOP,
    PING,
    PONG,
    EnginePacket,
    ProtocolError,
    TooLarge,
    is_larger,
    split_engine,
    to_frames,
)
from .polling import Polling
from .reader import Message
from .websocket import WebSocket

GREETING_FRAMES = 3
"""The requests and packets that it takes to say whose a session is: a user's count against the user's budget alone."""

READ_TIMES = 4
"""A message up to this many times the limit is read before it is refused; a larger one ends the connection unread."""


class State(IntEnum):
    """Where a session is in its life. It goes only forward."""

    OPEN = 0
    FAILING = 1
    """Too slow or silent: nothing more is written, and the application may close the session in its own words."""
    CLOSING = 2
    """Nothing more is sent or handled. The session is still known, until the disconnect handlers have run."""
    CLOSED = 3


class Session:
    """An Engine.IO session; a `links.Link` whose `wire` is set once it is a WebSocket."""

    __slots__ = (
        "_clock",
        "_ended",
        "_host",
        "_websocket",
        "connected",
        "dialect",
        "is_known",
        "last_seen",
        "pace",
        "polling",
        "posting",
        "session",
        "sid",
        "state",
        "upgrade_over",
        "upgrade_until",
        "upgraded",
        "wire",
    )

    def __init__(self, host: Host, sid: str, budget: Budget) -> None:
        self._host = host
        self._clock = host.clock
        self.sid = sid
        self.state = State.OPEN
        self.pace = Pace(budget, host.scheduler)
        self.is_known = False
        """Whether the application knows whose session it is."""
        self.dialect = host.dialect
        self.session: dict[str, Any] = {}
        """What the application keeps here."""
        self.polling = Polling(self._clock)
        self.wire: asyncio.WriteTransport | None = None
        self._websocket: WebSocket | None = None
        self.connected = False
        """Whether the client may send requests for the session."""
        self.upgraded = False
        """Whether the session is a WebSocket; python-socketio's word."""
        self.upgrade_over: asyncio.Future[None] | None = None
        """Done when the upgrade that is under way is over."""
        self.upgrade_until: asyncio.Timeout | None = None
        self.posting = False
        """Whether a POST is under way."""
        self.last_seen = self._clock.time()
        self._ended: asyncio.Task[None] | None = None

    @property
    def is_closing(self) -> bool:
        """Whether nothing more is sent or handled."""
        return self.state >= State.CLOSING

    @property
    def closed(self) -> bool:
        """Whether the disconnect handlers have run."""
        return self.state is State.CLOSED

    # --- out ---------------------------------------------------------------------------------------------------

    def enqueue(self, event: str, args: Sequence[Any], namespace: str) -> None:
        """Keeps an event for the next poll."""
        self.push(self.dialect.packets(event, args, namespace))

    def push(self, packets: Sequence[EnginePacket]) -> None:
        """Keeps packets for the next poll, or for the end of an upgrade. Does nothing on a session that ends."""
        if self.state is not State.OPEN:
            return
        if self.polling.queued_bytes > self._host.buffer_limit_bytes:
            self.overflow()
            return
        self.polling.add(packets)
        if self.polling.queued_bytes > HIGH_WATER_BYTES:
            self._host.backlog.add(self)

    def transmit(self, *packets: EnginePacket) -> None:
        """Sends packets after everything sent before, to this session or to a room it is in. Does not suspend;
        does nothing on a session that ends."""
        self._host.before_send(self.sid)
        if self.wire is None:
            self.push(packets)
        else:
            self.write(to_frames(packets))

    def answer(self, packets: Sequence[EnginePacket]) -> None:
        """As `transmit`, at the end of the turn, in one write with what else is sent in it."""
        if self.wire is None:
            self.transmit(*packets)
        else:
            self._host.reply(self, to_frames(packets))

    async def send(self, pkt: Any) -> None:
        """As `engineio.AsyncSocket.send`."""
        encoded = pkt.encode()
        self.transmit(encoded if isinstance(encoded, str) else bytes(encoded))

    def ping(self) -> None:
        """Asks the client for a sign of life."""
        self.transmit(PING)

    def write(self, blob: bytes) -> None:
        """Writes complete frames to the WebSocket, within its limit; does nothing on a session without one."""
        if self.wire is not None and self._websocket is not None:
            self._websocket.send(blob)

    @property
    def queued_bytes(self) -> int:
        """How many bytes wait for the next poll."""
        return self.polling.queued_bytes

    @property
    def unsent_bytes(self) -> int:
        """As `queued_bytes`: what waits on a WebSocket is the WebSocket's."""
        return self.queued_bytes

    # --- in ----------------------------------------------------------------------------------------------------

    async def receive(self, message: Message) -> None:
        """Takes a message of the WebSocket."""
        if self.state >= State.CLOSING:
            return
        opcode, data = message
        if opcode == frames.PONG:
            return
        try:
            if is_larger(data, self._host.max_http_buffer_size):
                self.violated(TooLarge.code)
            else:
                await self.handle(data)
        except ProtocolError as error:
            self.violated(error.code)

    async def handle(self, packet: EnginePacket) -> None:
        """Handles one Engine.IO packet of the client. Raises: ProtocolError."""
        kind, data = split_engine(packet)
        if kind == MESSAGE:
            # While a handler holds up the reading, a sign of life could not be seen: silence is not the peer's.
            self.last_seen = math.inf
            try:
                if inspect.isawaitable(delivery := self._host.deliver(self.sid, data)):
                    await delivery
            except ProtocolError:
                raise
            except (Exception, asyncio.CancelledError) as error:
                if isinstance(error, asyncio.CancelledError) and cancellation.is_ours():
                    raise
                self._host.logger.exception("message handler error")
            finally:
                self.last_seen = self._clock.time()
        elif kind == CLOSE:
            last = (NOOP,) if self.polling.is_waiting else ()
            self.close(self._host.reason.CLIENT_DISCONNECT, *last)
        elif kind not in (PONG, NOOP):
            raise ProtocolError("unexpected Engine.IO packet")

    def seen(self) -> None:
        """The peer has given a sign of life."""
        if self.last_seen != math.inf:
            self.last_seen = self._clock.time()

    def hold_up(self) -> None:
        """The server holds up the reading: a sign of life could not be seen until `go_on`."""
        self.last_seen = math.inf

    def go_on(self) -> None:
        """The peer is read again."""
        self.last_seen = self._clock.time()

    def recognize(self, budget: Budget) -> None:
        """The application has found out whose session this is: it has this budget from now on."""
        if not self.is_known and self.pace.budget.shared is not None:
            self.pace.budget.shared.refund(GREETING_FRAMES)
        self.pace.give(budget)
        self.is_known = True
        if self._websocket is not None:
            self._websocket.allow(self.max_message_bytes)

    @property
    def max_message_bytes(self) -> int:
        """The size of the largest message that is read.

        A message that is not much too large is read, so that the client can be told why its connection ends; of a
        stranger nothing larger than a stranger's message is kept.
        """
        if self.is_known or not self._host.stranger_max_bytes:
            return READ_TIMES * self._host.max_http_buffer_size
        return self._host.stranger_max_bytes

    def move_to(self, socket: WebSocket) -> None:
        """Makes the WebSocket the session's transport: what is queued is written in the same step, so that nothing can
        come in between."""
        self._host.before_send(self.sid)
        self.upgraded = True
        self._websocket = socket
        if self.state is not State.OPEN:
            socket.transport.abort()
            return
        socket.allow(self.max_message_bytes)
        self.wire = socket.transport
        self.write(to_frames(self.polling.take()))
        self.polling.release([NOOP])

    # --- the end -----------------------------------------------------------------------------------------------

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
        self._host.backlog.discard(self)
        self._host.heartbeat.remove(self)
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
        self.polling.held = False
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
