"""An Engine.IO session, whatever carries it: how it sends, and how it ends.

A WebSocket has neither a writer task nor a queue: what is sent is written to the transport in the turn of the call,
and the transport's own buffer is the queue. `closing` is the end of all sending; `closed` follows when the disconnect
handlers have run, so that they still find the session.
"""

import asyncio
import math
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from engineio.async_socket import AsyncSocket

from .backlog import HIGH_WATER_BYTES
from .budget import Budget
from .pace import Pace
from .packets import CLOSE, PING, EnginePacket, to_frames
from .websocket import WebSocket

GREETING_FRAMES = 3
"""The requests and packets that it takes to say whose a session is; a stranger's turned out to be none."""

READ_TIMES = 4
"""A message up to this many times the limit is read before it is refused; a larger one ends the connection unread."""


class Session(AsyncSocket):
    """An Engine.IO session; a `links.Link` whose `wire` is set once it is a WebSocket."""

    def __init__(self, server: Any, sid: str, budget: Budget) -> None:
        # Not the parent's: its asyncio.Queue alone is larger than all of this.
        self.server = server
        self.sid = sid
        self.pace = Pace(budget, server.scheduler)
        self.known = False
        """Whether the application knows whose session it is."""
        self.dialect = server.dialect
        self.session: dict[str, Any] = {}
        self.wire: asyncio.WriteTransport | None = None
        self.connected = self.upgrading = self.upgraded = False
        self.closing = self.closed = False
        self.doomed = False
        self.queued_bytes = 0
        self._loop = asyncio.get_running_loop()
        self.last_seen = self._loop.time()
        self._socket: WebSocket | None = None
        self._queue: list[EnginePacket] = []
        self._poll: asyncio.Future[list[EnginePacket] | None] | None = None
        self._answered: asyncio.Transport | None = None
        """Where the answer to the last poll is on its way, until it is taken."""
        self._answer_taken: asyncio.Future[None]
        self._posting = False
        self._upgrade_over: asyncio.Future[None] | None = None
        self._upgrade_until: asyncio.Timeout | None = None
        self._probed = False
        self._farewell: asyncio.Task[None] | None = None

    # --- out ---------------------------------------------------------------------------------------------------

    def enqueue(self, event: str, args: Sequence[Any], namespace: str) -> None:
        self.push(self.dialect.packets(event, args, namespace))

    def push(self, packets: Sequence[EnginePacket]) -> None:
        """Keeps packets for the next poll, or for the end of an upgrade. Does nothing on a session that ends."""
        if self.closing or self.doomed:
            return
        if self.queued_bytes > self.server.buffer_limit_bytes:
            self.overflow()
            return
        self._queue += packets
        self.queued_bytes += sum(map(sys.getsizeof, packets))
        if self.queued_bytes > HIGH_WATER_BYTES:
            self.server.backlog.add(self)
        if not self._probed:
            self._answer_poll(None)

    def transmit(self, *packets: EnginePacket) -> None:
        """Sends packets after everything sent before, to this session or to a room it is in. Does not suspend;
        does nothing on a session that ends."""
        self.server.before_send(self.sid)
        if self.wire is None:
            self.push(packets)
        else:
            self.write(to_frames(packets))

    def answer(self, *packets: EnginePacket) -> None:
        """As `transmit`, at the end of the turn, in one write with what else is sent in it."""
        if self.wire is None:
            self.transmit(*packets)
        else:
            self.server.reply(self, to_frames(packets))

    async def send(self, pkt: Any) -> None:
        encoded = pkt.encode()
        self.transmit(encoded if isinstance(encoded, str) else bytes(encoded))

    def ping(self) -> None:
        self.transmit(PING)

    def write(self, blob: bytes) -> None:
        """Writes complete frames to the WebSocket, within its limit; does nothing on a session without one."""
        if self.wire is not None and self._socket is not None:
            self._socket.send(blob)

    def take(self, limit: int | None = None) -> list[EnginePacket]:
        """What is queued, the oldest first: all, or as many packets as the limit says."""
        packets, self._queue = self._queue[:limit], self._queue[limit:] if limit else []
        self.queued_bytes -= sum(map(sys.getsizeof, packets))
        return packets

    @property
    def unsent_bytes(self) -> int:
        """What waits for the next poll; what waits on a WebSocket is the WebSocket's."""
        return self.queued_bytes

    @property
    def unfetched(self) -> bool:
        """Whether something is queued."""
        return bool(self._queue)

    def _answer_poll(self, packets: list[EnginePacket] | None) -> None:
        """Lets a waiting poll return, with these packets or (None) with all that is queued when it resumes."""
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(packets)

    # --- in ----------------------------------------------------------------------------------------------------

    def recognize(self, budget: Budget) -> None:
        """The application has found out whose session this is: it has this budget from now on."""
        if not self.known and self.pace.budget.shared is not None:
            self.pace.budget.shared.refund(GREETING_FRAMES)
        self.pace.give(budget)
        self.known = True
        if self._socket is not None:
            self._socket.allow(self.max_message_bytes)

    @property
    def max_message_bytes(self) -> int:
        """So many bytes of a message are read. What is not much too large is read, so that the client can be told why
        its connection ends; of a stranger nothing larger is kept."""
        if self.known or not self.server.stranger_max_bytes:
            return READ_TIMES * int(self.server.max_http_buffer_size)
        return int(self.server.stranger_max_bytes)

    def seen(self) -> None:
        """The peer has given a sign of life."""
        if self.last_seen != math.inf:
            self.last_seen = self._loop.time()

    # --- the end -----------------------------------------------------------------------------------------------

    def overflow(self) -> None:
        """More than the limit waits unsent."""
        self._give_up(self.server.on_overflow, self.server.reason.TRANSPORT_ERROR)

    def expire(self) -> None:
        """The heartbeat has not been answered."""
        if self.server.monitor_clients:
            self._give_up(self.server.on_silence, self.server.reason.PING_TIMEOUT)

    def violate(self, code: int) -> None:
        """The client broke the protocol (1008), or sent more at once than it may (1009). Unless the hook ends the
        session in its own words, a polling client gets no more of what waits for it: its requests are refused."""
        hook = self.server.on_violation
        self._break_off(code, None if hook is None else partial(hook, self.sid, code))

    def flooded(self) -> None:
        """The client asked for more than its budget for too long; as `violate`."""
        hook = self.server.on_flood
        self._break_off(1008, None if hook is None else partial(hook, self.sid))

    def _break_off(self, code: int, hook: Callable[[], None] | None) -> None:
        if self.closing:
            return
        if hook is not None:
            self._call(hook)
        if self._socket is not None:
            self.stop(self.server.reason.TRANSPORT_ERROR, code=code)
        elif not self.closing:
            self.take()
            self.stop(self.server.reason.TRANSPORT_ERROR, *((CLOSE,) if self._poll is not None else ()))

    def _give_up(self, hook: Callable[[str], None] | None, reason: str) -> None:
        """Nothing more is written; the hook may end the session in its own words, within the close timeout. It is
        called in the next turn of the loop: a room may be being written to, and what it does may write to it too."""
        if self.closing or self.doomed:
            return
        self.doomed = True
        self.wire = None
        if hook is None:
            self.fail(reason)
            return
        self._loop.call_soon(self._call, partial(hook, self.sid))
        self._loop.call_later(self.server.close_timeout_s, self.fail, reason)

    def _call(self, hook: Callable[[], None]) -> None:
        try:
            hook()
        except Exception:
            self.server.logger.exception("hook error")

    def fail(self, reason: str) -> None:
        """Ends the session without regard for what is unsent. Does nothing on a session that ends."""
        if not self.closing:
            self.take()
            self.stop(reason, CLOSE, abort=True)

    def stop(
        self, reason: str, *last: EnginePacket, code: int = 1000, abort: bool = False, drop: bool = False
    ) -> None:
        """Ends the session, now, with last packets; the disconnect handlers run once, in a task of their own.

        A WebSocket gets a close frame with the code, and its transport is aborted after the close timeout, or at
        once if `abort`. With `drop` it gets no close frame: the connection is lost after the last packets, and clients
        come back at once (the Java client takes a close frame for nothing, and waits for its heartbeat to fail). A
        waiting poll is answered; if there is none, the next one within the close timeout is.
        """
        self.server.before_send(self.sid)  # which may itself find that there is too much unsent
        if self.closing:
            return
        self.closing = True
        self.wire = None
        self.server.backlog.discard(self)
        self.server.heartbeat.remove(self)
        if self._upgrade_until is not None and not self._upgrade_until.expired():
            self._upgrade_until.reschedule(self._loop.time())
        if self._socket is None:
            self._stop_polling(last, abort)
        elif abort:
            self._socket.transport.abort()
        elif drop:
            self._socket.drop(code, last=to_frames(last))
        else:
            self._socket.close(code, last=to_frames(last))
        self._farewell = self.server.spawn(self._say_goodbye(reason))

    def _stop_polling(self, last: Sequence[EnginePacket], abort: bool) -> None:
        if self._queue:
            # The JavaScript client acts on CLOSE before it looks at messages of the same payload. Without the word,
            # the next poll, refused, tells the same.
            last = [packet for packet in last if packet != CLOSE]
        if self._answered is not None:
            self._loop.call_later(0 if abort else self.server.close_timeout_s, self._cut_answer)
        self._queue += last
        self._answer_poll(None)
        if self._queue and not abort:  # a waiting poll may not take it all
            self.server.linger(self)

    def _cut_answer(self) -> None:
        """Who has not taken the answer to the last poll does not get the rest of it."""
        if self._answered is not None:
            self._answered.abort()

    async def _say_goodbye(self, reason: str) -> None:
        try:
            if self.connected:
                await self.server._trigger_event("disconnect", self.sid, reason, run_async=False)
        finally:
            self.closed = True
            self.server.forget(self)

    async def close(self, wait: bool = True, abort: bool = False, reason: str | None = None) -> None:
        """Ends the session and returns when the disconnect handlers have run; at once if it is ending already.

        `abort`: without telling the client."""
        if self.closing:
            return
        last = () if abort else (CLOSE,)
        self.stop(reason or self.server.reason.SERVER_DISCONNECT, *last)
        if self._farewell is not None:
            await asyncio.shield(self._farewell)
