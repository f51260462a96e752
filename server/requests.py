"""How many requests are served at once: so many for a user, and so many for an address that has shown no token."""

import asyncio
from collections import deque
from collections.abc import Hashable

from handlers.wire.errors import ChatError

WAIT_S = 10.0
"""So long a request waits for its turn; then it is refused."""

WAITING_MAX = 1000
"""So many requests of one user or address may wait."""

RETRY_AFTER_MS = 1000


class _Queue:
    """Of one key: how many are served, and who waits, the longest first."""

    __slots__ = ("served", "waiting")

    def __init__(self) -> None:
        self.served = 0
        self.waiting: deque[asyncio.Future[None]] = deque()


class Turn:
    """A request that is served. It is over once, however often it is said."""

    __slots__ = ("_key", "_requests")

    def __init__(self, requests: "Requests", key: Hashable) -> None:
        self._requests: Requests | None = requests
        self._key = key

    def over(self) -> None:
        requests, self._requests = self._requests, None
        if requests is not None:
            requests._leave(self._key)


class Requests:
    """Requests that are being served, by key."""

    def __init__(self) -> None:
        self._queues: dict[Hashable, _Queue] = {}

    def __len__(self) -> int:
        """How many are served or wait."""
        return sum(queue.served + len(queue.waiting) for queue in self._queues.values())

    async def turn(self, key: Hashable, at_once: int) -> Turn:
        """Waits until fewer than `at_once` (0: any number) of this key are served; then it is this one's turn, until it
        says that it is over. Raises: `ChatError` `rate_limited` after `WAIT_S`, or at once if too many wait."""
        queue = self._queues.setdefault(key, _Queue())
        if at_once and queue.served >= at_once:
            if len(queue.waiting) >= WAITING_MAX:
                raise _refusal()
            await self._wait(queue, key)
        else:
            queue.served += 1
        return Turn(self, key)

    async def _wait(self, queue: _Queue, key: Hashable) -> None:
        """Returns with the turn of somebody who has left."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.waiting.append(turn)
        try:
            await asyncio.wait((turn,), timeout=WAIT_S)
        except asyncio.CancelledError:
            if turn.done():
                self._leave(key)
            else:
                queue.waiting.remove(turn)
            raise
        if not turn.done():
            queue.waiting.remove(turn)
            raise _refusal()

    def _leave(self, key: Hashable) -> None:
        queue = self._queues[key]
        self._pass_on(queue)
        if not queue.served and not queue.waiting:
            del self._queues[key]

    @staticmethod
    def _pass_on(queue: _Queue) -> None:
        """The turn goes to who has waited longest, if anybody waits."""
        if queue.waiting:
            queue.waiting.popleft().set_result(None)
        else:
            queue.served -= 1


def _refusal() -> ChatError:
    return ChatError("rate_limited", "too many requests at once", retry_after_ms=RETRY_AFTER_MS)
