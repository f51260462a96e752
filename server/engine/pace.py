"""How fast one connection is read: within its budget, in chunks, and in its turn."""

import math
from time import perf_counter

from .budget import Budget
from .clock import sleep
from .scheduler import CHUNK_FRAMES, CHUNK_S, Scheduler

HASTY_CHUNK_FRAMES = 4

SERVED_COST = 2
"""A byte that is made and sent to a peer at its request counts as this many bytes that the peer sends."""

FLOOD_S = 20.0
"""A peer that asks for more than its budget for this long, without a pause, has to be ended."""

SHARED_FLOOD_S = 120.0
"""The same, if only the budget that the peer shares with others is used up: the others may be asking for much."""


class Pace:
    """The pace of one connection, whatever carries it. `turn` comes before a chunk, `charge` and `spent` after it.

    Times are those of the scheduler's clock.
    """

    __slots__ = ("_not_before", "_throttled_since", "budget", "chunk_frames", "scheduler")

    def __init__(self, budget: Budget, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self._throttled_since = 0.0
        """The time since which the peer has asked for more than its budget; 0 if it does not."""
        self.give(budget)

    def give(self, budget: Budget) -> None:
        """The connection has another budget from now on."""
        self.budget = budget
        self._not_before = 0.0
        self.chunk_frames = CHUNK_FRAMES if budget.max_wait_s == math.inf else HASTY_CHUNK_FRAMES
        """The number of frames in a chunk. It is small for a peer that is ended when it asks for much: the first frame
        may authenticate the peer, and then the frames behind it count against another budget."""

    async def turn(self) -> bool:
        """Returns when the connection may take a chunk. False: it has asked for more than its budget for too long."""
        now = self.scheduler.clock.time()
        if self._not_before > now:
            self._throttled_since = self._throttled_since or now
            flood_s = FLOOD_S if self.budget.own_wait_s(now) else SHARED_FLOOD_S
            if self._not_before == math.inf or now - self._throttled_since > flood_s:
                return False
            await sleep(self.scheduler.clock, self._not_before - now)
        used_s = self.budget.ahead_s(now)
        if not self.scheduler.has_turn(used_s):
            await self.scheduler.turn(used_s)
        return True

    def charge(self, frames: int, size: int) -> bool:
        """Counts a chunk. False: it was far more than the budget."""
        now = self.scheduler.clock.time()
        self._not_before = now + self.budget.charge(frames, size, now)
        return self._not_before != math.inf

    async def go_on(self, since: float) -> float:
        """Gives the others a turn if a chunk that began at `since`, on the clock `perf_counter`, has lasted long.
        Returns when the chunk began, or begins anew."""
        if perf_counter() - since <= CHUNK_S:
            return since
        self.scheduler.spent(since)
        await self.scheduler.turn(self.budget.ahead_s(self.scheduler.clock.time()))
        return perf_counter()

    async def serve(self, size: int) -> None:
        """Returns when this many bytes may be made and sent to the peer, which asked for them: they count as if it
        sent them, and more."""
        now = self.scheduler.clock.time()
        wait_s = self.budget.charge(0, size * SERVED_COST, now)
        if wait_s:
            await sleep(self.scheduler.clock, wait_s)
        used_s = self.budget.ahead_s(now)
        if not self.scheduler.has_turn(used_s):
            await self.scheduler.turn(used_s)

    def rest(self) -> None:
        """Everything the peer has sent is handled; it does not ask for too much any more."""
        self._throttled_since = 0.0
