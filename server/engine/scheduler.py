"""Shares the event loop between connections that have sent something.

Without it, a loop that finds four hundred connections readable handles all they have sent before it runs a timer, a
write or the next connection.
"""

import asyncio
import heapq
from itertools import count
from time import perf_counter

from .clock import Clock, LoopClock

CHUNK_FRAMES = 32
"""A connection gives others a turn after this many frames, ..."""

CHUNK_S = 0.0005
"""... or after this much time. One frame may take longer."""

TURN_S = 0.004
"""After this much time in one turn of the loop, connections wait for the next turn."""

WAITING_PER_TURN = 4
"""The number of waiting connections that get a chunk in a turn."""

LIGHT_S = 1.0
"""A connection that has used more of its budget than this waits for its turn like all others that have."""


class Scheduler:
    """Gives turns to connections; among those that wait, the one that has used least of its budget goes first.

    `used_s` is `Budget.ahead_s`. What a chunk costs is processor time, so it is measured by `perf_counter` and not by
    the clock, which says in which order connections have come.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or LoopClock()
        self._spent_s = 0.0
        self._armed = False
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()

    @property
    def waiting(self) -> int:
        """How many connections wait for a turn."""
        return len(self._waiting)

    def has_turn(self, used_s: float) -> bool:
        """Whether a connection may go on at once. If not, it has to wait for `turn`."""
        return used_s < LIGHT_S and self._spent_s < TURN_S and not self._waiting

    async def turn(self, used_s: float) -> None:
        """Returns in a turn of the loop in which the connection may take a chunk."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (self.clock.time() + used_s, next(self._order), future))
        self._arm()
        await future

    def spent(self, since: float) -> None:
        """A chunk that began at `since`, on the clock `perf_counter`, is over, or has lasted until now."""
        # A handler that was suspended gave the loop back meanwhile.
        self._spent_s += min(perf_counter() - since, 4 * CHUNK_S)
        if not self._armed:
            self._arm()

    def reset(self) -> None:
        """Forgets the connections that wait and the turn that was to come, those of an event loop that has ended."""
        self._waiting.clear()
        self._armed = False

    def _arm(self) -> None:
        if not self._armed:
            self._armed = True
            asyncio.get_running_loop().call_soon(self._new_turn)

    def _new_turn(self) -> None:
        self._armed = False
        self._spent_s = 0.0
        for _ in range(min(WAITING_PER_TURN, len(self._waiting))):
            _, _, future = heapq.heappop(self._waiting)
            if not future.done():
                future.set_result(None)
        if self._waiting:
            self._arm()
