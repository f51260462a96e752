"""How many requests to receivers go on at once, and whose."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from handlers.live.fair_semaphore import FairSemaphore

HEALTHY_MAX, FAILING_MAX = 200, 50
"""How many requests go on at once: of hooks whose last delivery was taken, and of the others. So receivers that hang
hold up those that answer for no longer than it takes to find them out."""

OF_MAKER_MAX = 10
"""How many of either are of hooks of one maker."""


class Slots:
    """The places for requests. Makers of hooks take turns for them."""

    def __init__(self) -> None:
        self._healthy = FairSemaphore(HEALTHY_MAX)
        self._failing = FairSemaphore(FAILING_MAX)
        self._of_maker: dict[tuple[int, bool], tuple[asyncio.Semaphore, set[object]]] = {}
        """By maker and whether the hooks fail, the places, and who has one or waits for one."""

    @asynccontextmanager
    async def of(self, maker_id: int, *, failing: bool) -> AsyncIterator[None]:
        """Waits for a place and holds it until the end of the block."""
        key = maker_id, failing
        own, users = self._of_maker.setdefault(key, (asyncio.Semaphore(OF_MAKER_MAX), set()))
        user = object()
        users.add(user)
        try:
            async with own, (self._failing if failing else self._healthy).of(str(maker_id)):
                yield
        finally:
            users.discard(user)
            if not users:
                del self._of_maker[key]
