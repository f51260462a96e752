"""An Engine.IO session, whatever carries it: what it sends and what it takes. How it ends is in `session_life`.

A WebSocket has neither a writer task nor a queue: what is sent is written to the transport in the turn of the call, and
the transport's own buffer is the queue. Before there is a WebSocket, packets wait in `polling`.
"""

import asyncio
import inspect
import math
from collections.abc import Sequence
from typing import Any

from . import cancellation, frames
from .backlog import HIGH_WATER_BYTES
from .budget import Budget
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
from .reader import Message
from .session_life import SessionLife, State
from .websocket import WebSocket

GREETING_FRAMES = 3
"""The requests and packets that it takes to say whose a session is: a user's count against the user's budget alone."""

READ_TIMES = 4
"""A message up to this many times the limit is read before it is refused; a larger one ends the connection unread."""


class Session(SessionLife):
    """An Engine.IO session; a `links.Link` whose `wire` is set once it is a WebSocket."""

    __slots__ = (
        "dialect",
        "is_known",
        "last_seen",
        "pace",
        "posting",
        "session",
        "upgrade_over",
        "upgraded",
    )

    def __init__(self, host: Host, sid: str, budget: Budget) -> None:
        super().__init__(host, sid)
        self.pace = Pace(budget, host.scheduler)
        self.is_known = False
        """Whether the application knows whose session it is."""
        self.dialect = host.dialect
        self.session: dict[str, Any] = {}
        """What the application keeps here."""
        self.upgraded = False
        """Whether the session is a WebSocket; python-socketio's word."""
        self.upgrade_over: asyncio.Future[None] | None = None
        """Done when the upgrade that is under way is over."""
        self.posting = False
        """Whether a POST is under way."""
        self.last_seen = self._clock.time()

    # --- out ---------------------------------------------------------------------------------------------------

    def enqueue(self, event: str, args: Sequence[Any], namespace: str) -> None:
        """Keeps an event for the next poll."""
        self.push(self.dialect.packets(event, args, namespace))

    def push(self, packets: Sequence[EnginePacket]) -> bool:
        """Keeps packets for the next poll, or for the end of an upgrade. Returns False, and keeps nothing, if the
        session ends."""
        if self.state is not State.OPEN:
            return False
        if self.polling.queued_bytes > self._host.buffer_limit_bytes:
            self.overflow()
            return False
        self.polling.add(packets)
        if self.polling.queued_bytes > HIGH_WATER_BYTES:
            self._host.backlog.add(self)
        return True

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
            # Nothing is read while a handler runs, so no sign of life can be seen: the silence is not the peer's.
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

    def pause_reading(self) -> None:
        """The server stops reading: it cannot see a sign of life until `resume_reading`."""
        self.last_seen = math.inf

    def resume_reading(self) -> None:
        """The server reads the peer again: silence counts from now on."""
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
