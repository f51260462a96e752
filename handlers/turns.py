"""Whose turn it is, where many want what few can have at once."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Lets so many in at once. The others wait, and the keys among them come in turn, whoever has asked how often: who
    asks a hundred times holds up nobody else for more than one of them."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        """By key; the key whose turn is next comes first."""

    @asynccontextmanager
    async def of(self, key: str) -> AsyncIterator[None]:
        """Waits for a turn of this key, and has it until the end of the block."""
        await self._come(key)
        try:
            yield
        finally:
            self._pass_on()

    async def _come(self, key: str) -> None:
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it came in the very moment
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        while self._waiting:
            key = next(iter(self._waiting))
            queue = self._waiting.pop(key)
            turn = queue.popleft()
            if queue:
                self._waiting[key] = queue  # behind all others
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
