"""What waits unsent, over all connections of one owner.

Each connection may have its own limit unsent; an owner of a hundred connections that read nothing would hold a hundred
times as much. Transports say which connections have a backlog at all, so nothing is counted while all peers read.
"""

from typing import Protocol

from .clock import Clock, LoopClock, Timer
from .pace import Pace

CHECK_EVERY_S = 0.02

HIGH_WATER_BYTES, LOW_WATER_BYTES = 64 * 1024, 16 * 1024
"""A connection has a backlog from the first of these on, until it is down to the second: the marks at which asyncio's
transports report it. They report it once."""


class Debtor(Protocol):
    """A connection that may have a backlog."""

    pace: Pace

    @property
    def unsent_bytes(self) -> int:
        """How many bytes wait for the peer."""

    def overflow(self) -> None:
        """The connection has to end: too much waits unsent."""


class Backlog:
    """Ends connections of owners for whom more than `limit_bytes` waits, those with the most first. 0: no limit.

    Connections have one owner if their budgets share one (`Budget.shared`).
    """

    def __init__(self, limit_bytes: int, clock: Clock | None = None) -> None:
        self._limit_bytes = limit_bytes
        self._clock: Clock = clock or LoopClock()
        self._debtors: set[Debtor] = set()
        self._timer: Timer | None = None

    def __len__(self) -> int:
        return len(self._debtors)

    def add(self, debtor: Debtor) -> None:
        """A connection has a backlog. It is checked until it has none."""
        if not self._limit_bytes:
            return
        self._debtors.add(debtor)
        if self._timer is None:
            self._timer = self._clock.call_later(CHECK_EVERY_S, self._check)

    def discard(self, debtor: Debtor) -> None:
        """A connection has no backlog any more, or is gone."""
        self._debtors.discard(debtor)

    def stop(self) -> None:
        """Forgets all connections and the timer."""
        self._debtors.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        self._timer = None
        by_owner: dict[int, list[tuple[int, Debtor]]] = {}
        for debtor in list(self._debtors):
            size = debtor.unsent_bytes
            if size > LOW_WATER_BYTES:
                by_owner.setdefault(id(debtor.pace.budget.shared), []).append((size, debtor))
            else:
                self._debtors.discard(debtor)
        for debts in by_owner.values():
            self._reduce(debts)
        if self._debtors:
            self._timer = self._clock.call_later(CHECK_EVERY_S, self._check)

    def _reduce(self, debts: list[tuple[int, Debtor]]) -> None:
        total = sum(size for size, _ in debts)
        for size, debtor in sorted(debts, key=lambda debt: debt[0], reverse=True):
            if total <= self._limit_bytes:
                return
            total -= size
            self._debtors.discard(debtor)
            debtor.overflow()
