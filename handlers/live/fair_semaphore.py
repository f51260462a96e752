"""Whose turn it is, where many want what few can have at once."""

import asyncio
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from handlers.wire.errors import ChatError

Gone = Callable[[], bool]
"""Whether the one who asked has gone and will hear no answer."""

RETRY_AFTER_MS = 10_000
"""When to ask again if too many wait."""


def never() -> bool:
    return False


class FairSemaphore:
    """Lets so many in at once. The others wait, and the keys among them come in turn, whoever has asked how often: who
    asks a hundred times holds up nobody else for more than one of them.

    At most `waiting_max` wait. When one more comes, those who have gone make room, then the last of
    the key with the most; else the newcomer is refused. Who has gone when the turn comes does not get it.
    """

    def __init__(self, at_once: int, *, waiting_max: int = sys.maxsize) -> None:
        self._free = at_once
        self._waiting_max = waiting_max
        self._waiting: dict[str, deque[tuple[asyncio.Future[None], Gone]]] = {}
        """By key; the key whose turn is next comes first."""
        self._count = 0

    @asynccontextmanager
    async def of(self, key: str, *, gone: Gone = never) -> AsyncIterator[None]:
        """Waits for a turn of this key, and has it until the end of the block.

        Raises: `ChatError` `unavailable` if too many wait, `bad_request` if the asker has gone.
        """
        if gone():
            raise _gone()
        await self._come(key, gone)
        try:
            yield
        finally:
            self._pass_on()

    async def _come(self, key: str, gone: Gone) -> None:
        if self._free:
            self._free -= 1
            return
        if self._count == self._waiting_max:
            self._make_room(key)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, deque()).append((turn, gone))
        self._count += 1
        try:
            await turn
        except asyncio.CancelledError:
            if (
                turn.done() and not turn.cancelled() and turn.exception() is None
            ):  # it came in the very moment
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        while self._waiting:
            key = next(iter(self._waiting))
            queue = self._waiting.pop(key)
            turn, gone = queue.popleft()
            self._count -= 1
            if queue:
                self._waiting[key] = queue  # behind all others
            if turn.done():
                continue
            if gone():
                turn.set_exception(_gone())
                continue
            turn.set_result(None)
            return
        self._free += 1

    def _make_room(self, key: str) -> None:
        self._let_the_gone_go()
        if self._count < self._waiting_max:
            return
        longest = max(self._waiting, key=lambda one: len(self._waiting[one]), default=key)
        if len(self._waiting.get(key, ())) + 1 >= len(self._waiting.get(longest, ())):
            raise _full()
        turn, _ = self._waiting[longest].pop()
        self._count -= 1
        if not turn.done():
            turn.set_exception(_full())

    def _let_the_gone_go(self) -> None:
        for key, queue in list(self._waiting.items()):
            staying = deque(entry for entry in queue if not (entry[0].done() or entry[1]()))
            for turn, gone in queue:
                if not turn.done() and gone():
                    turn.set_exception(_gone())
            self._count -= len(queue) - len(staying)
            if staying:
                self._waiting[key] = staying
            else:
                del self._waiting[key]


def _gone() -> ChatError:
    return ChatError("bad_request", "the request broke off")


def _full() -> ChatError:
    return ChatError("unavailable", "too many are waiting for this", retry_after_ms=RETRY_AFTER_MS)
