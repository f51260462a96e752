"""Shares the event loop between connections that have sent something.

Without it, a loop that finds four hundred connections readable handles all they have sent before it looks at a timer,
a write or the next connection.
"""

import asyncio
import heapq
from itertools import count
from time import perf_counter

SLICE_FRAMES = 32
"""A connection gives others a turn after so many frames, ..."""

SLICE_S = 0.0005
"""... or after this much time. One frame may take longer."""

TURN_S = 0.004
"""After this much time in one turn of the loop, connections wait for the next turn."""

WAITING_PER_TURN = 4
"""So many of those that wait get a slice in a turn."""

LIGHT_S = 1.0
"""A connection that has used more of its budget than this waits for its turn like all others that have."""


class Scheduler:
    """Gives turns to connections; among those that wait, the one that has used least of its budget goes first.

    `used_s` is `Budget.ahead_s`.
    """

    def __init__(self) -> None:
        self._spent_s = 0.0
        self._armed = False
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()

    def has_turn(self, used_s: float) -> bool:
        """Whether a connection may go on at once. If not, it has to wait for `turn`."""
        return used_s < LIGHT_S and self._spent_s < TURN_S and not self._waiting

    async def turn(self, used_s: float) -> None:
        """Returns in a turn of the loop in which the connection may take a slice."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        heapq.heappush(self._waiting, (loop.time() + used_s, next(self._order), future))
        self._arm()
        await future

    def spent(self, since: float) -> None:
        """A slice that began at `since`, on the clock `perf_counter`, is over, or has lasted until now."""
        # A handler that was suspended gave the loop back meanwhile.
        self._spent_s += min(perf_counter() - since, 4 * SLICE_S)
        self._arm()

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
