"""Whether all living nodes receive from the bus: Redis answers each publish with the number of receivers."""

import asyncio
from collections.abc import Callable

import structlog

from server.nodes.bus_counters import BusCounters

log = structlog.get_logger("vestnik")

UNHEARD_S = 3.0
"""For how long fewer nodes may receive than live. A node that starts or ends is in one of the two numbers a moment
longer."""


class Census:
    """Compares, publish by publish. `living` says how many nodes live, this one among them."""

    def __init__(self, place: str, counters: BusCounters, living: Callable[[], int]) -> None:
        self._place = place
        self._counters = counters
        self._living = living
        self._unheard_since: float | None = None
        self._is_told = False

    def begin(self) -> None:
        """A new connection: others may need a moment for theirs."""
        self._unheard_since = None

    def count(self, hearers: int) -> None:
        """A publish was handed to so many connections. Logs it once when they are too few for too long."""
        self._counters.hearers = hearers
        living = self._living()
        if hearers >= living:
            if self._is_told:
                log.info("all living nodes hear the bus", redis=self._place)
            self._unheard_since, self._is_told = None, False
            return
        now = asyncio.get_running_loop().time()
        if self._unheard_since is None:
            self._unheard_since = now
        elif now - self._unheard_since > UNHEARD_S and not self._is_told:
            self._is_told = True
            self._counters.unheard += 1
            log.warning(
                "fewer nodes hear the bus than live: is REDIS_URL the same everywhere?",
                redis=self._place,
                hear=hearers,
                live=living,
            )
