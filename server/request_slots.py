"""Limits how many REST requests of one user, or of one address without a token, are served at once."""

import asyncio
from collections import deque
from collections.abc import Hashable

from handlers.wire.errors import ChatError

WAIT_S = 10.0
"""How long a request waits for a free slot; then it is refused."""

WAITING_MAX = 1000
"""How many requests of one user or address may wait."""

RETRY_AFTER_MS = 1000


class _Queue:
    """The requests of one key: how many are being served, and those that wait, the longest first."""

    __slots__ = ("served", "waiting")

    def __init__(self) -> None:
        self.served = 0
        self.waiting: deque[asyncio.Future[None]] = deque()


class Slot:
    """The right of one request to be served, until `release`, which may be called more than once."""

    __slots__ = ("_key", "_slots")

    def __init__(self, slots: "RequestSlots", key: Hashable) -> None:
        self._slots: RequestSlots | None = slots
        self._key = key

    def release(self) -> None:
        slots, self._slots = self._slots, None
        if slots is not None:
            slots._leave(self._key)


class RequestSlots:
    """The requests that are being served or wait, by key."""

    def __init__(self) -> None:
        self._queues: dict[Hashable, _Queue] = {}

    def __len__(self) -> int:
        """How many requests are being served or wait."""
        return sum(queue.served + len(queue.waiting) for queue in self._queues.values())

    async def take(self, key: Hashable, at_once: int, *, wait_s: float | None = None) -> Slot:
        """Waits until fewer than `at_once` requests of this key are being served (0: does not wait). The returned
        slot counts as one of them until its release. Raises: `ChatError` `rate_limited` after `wait_s` (None:
        `WAIT_S`), or at once if too many wait."""
        queue = self._queues.setdefault(key, _Queue())
        if at_once and queue.served >= at_once:
            if len(queue.waiting) >= WAITING_MAX:
                raise _refusal()
            await self._wait(queue, key, WAIT_S if wait_s is None else wait_s)
        else:
            queue.served += 1
        return Slot(self, key)

    async def _wait(self, queue: _Queue, key: Hashable, wait_s: float) -> None:
        """Returns when another request of the key has passed on its slot."""
        slot: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.waiting.append(slot)
        try:
            await asyncio.wait((slot,), timeout=wait_s)
        except asyncio.CancelledError:
            if slot.done():
                self._leave(key)
            else:
                queue.waiting.remove(slot)
            raise
        if not slot.done():
            queue.waiting.remove(slot)
            raise _refusal()

    def _leave(self, key: Hashable) -> None:
        queue = self._queues[key]
        self._pass_on(queue)
        if not queue.served and not queue.waiting:
            del self._queues[key]

    @staticmethod
    def _pass_on(queue: _Queue) -> None:
        """Passes the slot on to the request that has waited longest, if one waits."""
        if queue.waiting:
            queue.waiting.popleft().set_result(None)
        else:
            queue.served -= 1


def _refusal() -> ChatError:
    return ChatError("rate_limited", "too many requests at once", retry_after_ms=RETRY_AFTER_MS)
