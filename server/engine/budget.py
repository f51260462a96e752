"""What a peer may ask of the event loop, in frames and bytes a second.

Every frame costs the loop a few microseconds before any rule of the application looks at it, so a peer that sends the
smallest frames as fast as it can takes the loop from everybody else. A budget says how long such a peer has to wait.
"""

import asyncio
from dataclasses import dataclass
from weakref import WeakValueDictionary

from .clock import Clock, LoopClock

LARGE_BODIES_AT_ONCE = 4

BURST_S = 10.0
"""A peer may ask at once for as much as its rate allows in this many seconds."""

DEBT_MAX_S = 10.0
"""The most that a peer can owe beyond the burst. A user whose budget others have used up waits no longer."""

SWEEP_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class Rate:
    """What a peer may ask in a second; 0 is no limit."""

    frames_per_s: float = 0
    bytes_per_s: float = 0

    def cost_s(self, frames: int, size: int) -> float:
        """The seconds in which this rate earns this many frames of `size` bytes together."""
        cost = frames / self.frames_per_s if self.frames_per_s else 0.0
        return cost + size / self.bytes_per_s if self.bytes_per_s else cost


UNLIMITED = Rate()


class Budget:
    """What one peer may ask; what the peer asks counts against the budget that it shares with others as well.

    The meter is the generic cell rate algorithm (ITU-T I.371, annex A): one time, `_paid_until`, that each request
    moves on by its cost, and that may be at most `BURST_S` ahead of the clock. All times are those of one clock.
    """

    __slots__ = ("__weakref__", "_large_bodies", "_paid_until", "_rate", "max_wait_s", "shared")

    def __init__(
        self, rate: Rate = UNLIMITED, shared: "Budget | None" = None, *, max_wait_s: float = float("inf")
    ) -> None:
        self._rate = rate
        self._paid_until = 0.0
        self._large_bodies: asyncio.Semaphore | None = None
        self.shared = shared
        self.max_wait_s = max_wait_s
        """A peer that would have to wait longer than this, because of what it asked itself, is ended instead."""

    @property
    def large_bodies(self) -> asyncio.Semaphore:
        """Held for each large body in memory, so that the connections that share this budget have few at once."""
        if self._large_bodies is None:
            self._large_bodies = asyncio.Semaphore(LARGE_BODIES_AT_ONCE)
        return self._large_bodies

    def charge(self, frames: int, size: int, now: float) -> float:
        """Counts what was asked. Returns the seconds until more may be asked: 0 is at once, infinity is never."""
        wait_s = self._charge(frames, size, now)
        if wait_s > self.max_wait_s:
            return float("inf")
        return wait_s if self.shared is None else max(wait_s, self.shared._charge(frames, size, now))

    def _charge(self, frames: int, size: int, now: float) -> float:
        wait_s = max(now, self._paid_until) + self._rate.cost_s(frames, size) - now - BURST_S
        self._paid_until = now + BURST_S + min(wait_s, DEBT_MAX_S)
        return max(0.0, wait_s)

    def own_wait_s(self, now: float) -> float:
        """The seconds until more may be asked, by this budget alone, without the shared one."""
        return max(0.0, self._paid_until - now - BURST_S)

    def refund(self, frames: int) -> None:
        """Takes back frames that turned out not to count."""
        self._paid_until -= self._rate.cost_s(frames, 0)

    def ahead_s(self, now: float) -> float:
        """The seconds of the burst that are used: peers that have used little are served first."""
        own = max(0.0, self._paid_until - now)
        return own if self.shared is None else max(own, self.shared.ahead_s(now))


@dataclass(frozen=True, slots=True)
class BudgetPolicy:
    """The rates of the engine's budgets.

    `stranger`: a connection that is in no namespace. `address`: all strangers of one address together.
    `connection`: a connection that the application knows. `owner`: all connections of one owner together.
    """

    stranger: Rate = UNLIMITED
    address: Rate = UNLIMITED
    connection: Rate = UNLIMITED
    owner: Rate = UNLIMITED


STRANGER_MAX_WAIT_S = 1.0


class Budgets:
    """Makes the budgets of connections, and keeps the shared ones after the connections have gone: a debt outlives a
    reconnect."""

    def __init__(self, policy: BudgetPolicy, clock: Clock | None = None) -> None:
        self._policy = policy
        self._clock: Clock = clock or LoopClock()
        self._shared: dict[object, Budget] = {}
        """The budgets in which something is used, or was a short while ago."""
        self._live: WeakValueDictionary[object, Budget] = WeakValueDictionary()
        """All budgets that connections hold, so that the connections of one owner always share the same."""
        self._swept_at = 0.0

    def __len__(self) -> int:
        return len(self._shared)

    def stranger(self, address: str) -> Budget:
        """The budget of a new connection from this address."""
        max_wait_s = STRANGER_MAX_WAIT_S if self._policy.stranger != UNLIMITED else float("inf")
        return Budget(self._policy.stranger, self.of_address(address), max_wait_s=max_wait_s)

    def known(self, owner: object) -> Budget:
        """The budget of a connection whose owner the application has found out."""
        return Budget(self._policy.connection, self.of_owner(owner))

    def of_owner(self, owner: object) -> Budget:
        """The budget that all connections of an owner share."""
        return self._of(("owner", owner), self._policy.owner)

    def of_address(self, address: str) -> Budget:
        """The budget that all strangers of an address share."""
        return self._of(("address", address), self._policy.address)

    def _of(self, key: object, rate: Rate) -> Budget:
        budget = self._shared.get(key)
        if budget is None:
            self._sweep()
            budget = self._live.get(key)
            if budget is None:
                budget = self._live[key] = Budget(rate)
            self._shared[key] = budget
        return budget

    def _sweep(self) -> None:
        """Drops budgets in which nothing is used, once in a while: a new one is the same."""
        now = self._clock.time()
        if now - self._swept_at < SWEEP_EVERY_S:
            return
        self._swept_at = now
        self._shared = {key: budget for key, budget in self._shared.items() if budget.ahead_s(now)}
