"""How fast one connection is read: within its budget, in slices, and in its turn."""

import asyncio
import math
from time import perf_counter

from .budget import Budget
from .scheduler import SLICE_FRAMES, SLICE_S, Scheduler

HASTY_SLICE_FRAMES = 4

SERVED_COST = 2
"""A byte that is made and sent to a peer at its request counts as so many that it sends."""

FLOOD_S = 20.0
"""A peer that asks for more than its budget for so long, without a pause, has to be ended."""

SHARED_FLOOD_S = 120.0
"""So it is if only what it shares with others is used up: they may be the ones who ask for much."""


class Pace:
    """Of one connection, whatever carries it. `turn` comes before a slice, `charge` and `spent` after it."""

    __slots__ = ("_not_before", "_throttled_since", "budget", "scheduler")

    def __init__(self, budget: Budget, scheduler: Scheduler) -> None:
        self.budget = budget
        self.scheduler = scheduler
        self._not_before = 0.0
        self._throttled_since = 0.0
        """The loop time since which the peer has asked for more than its budget; 0: it does not."""

    @property
    def slice_frames(self) -> int:
        """So many frames may be taken in a slice. Of a peer that is ended when it asks for much, only a few: the first
        may tell who it is, and then those behind it count against another budget."""
        return SLICE_FRAMES if self.budget.patience_s == math.inf else HASTY_SLICE_FRAMES

    def give(self, budget: Budget) -> None:
        """The connection has another budget from now on."""
        self.budget = budget
        self._not_before = 0.0

    async def turn(self) -> bool:
        """Returns when the connection may take a slice. False: it has asked for more than its budget for too long."""
        now = asyncio.get_running_loop().time()
        if self._not_before > now:
            self._throttled_since = self._throttled_since or now
            flood_s = FLOOD_S if self.budget.own_wait_s(now) else SHARED_FLOOD_S
            if self._not_before == math.inf or now - self._throttled_since > flood_s:
                return False
            await asyncio.sleep(self._not_before - now)
        used_s = self.budget.ahead_s(now)
        if not self.scheduler.has_turn(used_s):
            await self.scheduler.turn(used_s)
        return True

    def charge(self, frames: int, size: int) -> bool:
        """Counts a slice. False: it was far more than the budget."""
        now = asyncio.get_running_loop().time()
        self._not_before = now + self.budget.charge(frames, size, now)
        return self._not_before != math.inf

    async def go_on(self, since: float) -> float:
        """Gives the others a turn if a slice that began at `since`, on the clock `perf_counter`, has lasted long.
        When it began, or begins anew."""
        if perf_counter() - since <= SLICE_S:
            return since
        self.scheduler.spent(since)
        await self.scheduler.turn(self.budget.ahead_s(asyncio.get_running_loop().time()))
        return perf_counter()

    async def serve(self, size: int) -> None:
        """Returns when so many bytes may be made and sent to the peer, which asked for them: they count as if it sent
        them, and more."""
        now = asyncio.get_running_loop().time()
        wait_s = self.budget.charge(0, size * SERVED_COST, now)
        if wait_s:
            await asyncio.sleep(wait_s)
        used_s = self.budget.ahead_s(now)
        if not self.scheduler.has_turn(used_s):
            await self.scheduler.turn(used_s)

    def rest(self) -> None:
        """Everything the peer has sent is handled; it does not ask for too much any more."""
        self._throttled_since = 0.0
