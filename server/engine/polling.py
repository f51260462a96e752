"""Long-polling, outwards: packets wait in a queue until the client asks for them."""

import asyncio
import sys
from collections.abc import Sequence

from aiohttp import web

from .clock import Clock, timeout
from .packets import NOOP, EnginePacket

PACKETS_PER_POLL = 16
"""python-engineio's client takes no more in one payload: it would drop the connection. Others ask once more."""

SETTLE_S = 0.05
"""How long a poll waits for what the other request of its client is about to settle."""


class Polling:
    """The queue of one session, and the poll that waits for it, if there is one."""

    __slots__ = (
        "_answer_taken",
        "_answered",
        "_clock",
        "_marks",
        "_queue",
        "_waiting",
        "noop_only",
        "queued_bytes",
    )

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._queue: list[EnginePacket] = []
        self._waiting: asyncio.Future[list[EnginePacket] | None] | None = None
        self._answered: asyncio.Transport | None = None
        """The transport by which the answer to the last poll is on its way, until the client has taken it."""
        self._answer_taken: asyncio.Future[None] | None = None
        self._marks: dict[str, str] | None = None
        """By method, the mark of the last request; None before the first that has one."""
        self.noop_only = False
        """Whether polls are answered with nothing but NOOP: the client is about to move to a WebSocket."""
        self.queued_bytes = 0
        """What waits for the client, with the answer that is on its way."""

    @property
    def is_waiting(self) -> bool:
        """Whether a poll waits for packets."""
        return self._waiting is not None

    @property
    def is_answering(self) -> bool:
        """Whether the answer to a poll is on its way."""
        return self._answered is not None

    @property
    def has_packets(self) -> bool:
        """Whether packets are queued."""
        return bool(self._queue)

    def is_repeat(self, method: str, mark: str) -> bool:
        """Whether the last request with this method had the same mark."""
        if self._marks is None:
            self._marks = {}
        before, self._marks[method] = self._marks.get(method), mark
        return before == mark

    def add(self, packets: Sequence[EnginePacket]) -> None:
        """Queues packets and lets a waiting poll return."""
        self._queue += packets
        self.queued_bytes += sum(map(sys.getsizeof, packets))
        if not self.noop_only:
            self.release()

    def take(self, limit: int | None = None) -> list[EnginePacket]:
        """Takes what is queued, the oldest first: all, or at most `limit` packets."""
        packets, self._queue = self._queue[:limit], self._queue[limit:] if limit else []
        self.queued_bytes -= sum(map(sys.getsizeof, packets))
        return packets

    def release(self, packets: list[EnginePacket] | None = None) -> None:
        """Lets a waiting poll return, with these packets or (None) with those that are queued when it resumes."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(packets)

    async def settle(self) -> None:
        """Waits a moment for the answer on its way: a client that has all of it may ask again before the server knows
        that it has."""
        if self._answer_taken is not None:
            await asyncio.wait([self._answer_taken], timeout=SETTLE_S)

    async def poll(self) -> list[EnginePacket]:
        """The packets of an answer. Waits while nothing is queued; the heartbeat sees to it that this ends."""
        if not self._queue:
            self._waiting = asyncio.get_running_loop().create_future()
            try:
                packets = await self._waiting
            finally:
                self._waiting = None
            if packets is not None:
                return packets
        return self.take(PACKETS_PER_POLL) or [NOOP]

    async def send_answer(self, request: web.Request, response: web.Response, timeout_s: float) -> None:
        """Sends the answer to a poll. Until the client has taken it, it counts as queued, and there is no other poll.

        Raises: TimeoutError, ConnectionError.
        """
        size = len(response.body) if isinstance(response.body, bytes) else 0
        self._answered = request.transport
        taken = self._answer_taken = asyncio.get_running_loop().create_future()
        self.queued_bytes += size
        try:
            async with timeout(self._clock, timeout_s):
                await response.prepare(request)
                await response.write_eof()
        except (TimeoutError, ConnectionError):
            if request.transport is not None:
                request.transport.abort()
            raise
        finally:
            taken.set_result(None)
            self.queued_bytes -= size
            if (
                self._answer_taken is taken
            ):  # a session that is closing may have its last packets fetched meanwhile
                self._answered = self._answer_taken = None

    def cut_answer(self) -> None:
        """Cuts off a client that has not taken the answer to its last poll."""
        if self._answered is not None:
            self._answered.abort()
