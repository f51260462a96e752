"""Writes of accounts: in order for one account, side by side for different ones."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from domain.changes import Change
from domain.frozen import frozen
from storage.batching import Batcher, Written
from storage.errors import Unavailable
from storage.health import StoreHealth

ResultT = TypeVar("ResultT")
Tell = Callable[[Change], None]


@frozen
class _Write:
    key: str
    action: Callable[[Tell], Awaitable[Any]]
    weight: int = 0


class AccountWriter:
    """Being queued, a write goes on to its end, and is told, even if whoever asked for it has gone."""

    def __init__(self, tell: Callable[[Sequence[Change]], None], health: StoreHealth) -> None:
        self._batcher: Batcher[_Write] = Batcher(self._write, tell, health=health)

    async def write(self, key: str, action: Callable[[Tell], Awaitable[ResultT]]) -> ResultT:
        """Runs `action(tell)` after what was asked before with the same key; it tells what it has changed."""
        result: ResultT = await self._batcher.submit(_Write(key, action))
        return result

    async def close(self) -> None:
        await self._batcher.close()

    async def _write(self, writes: Sequence[_Write]) -> Written:
        lanes: dict[str, list[int]] = {}
        for index, write in enumerate(writes):
            lanes.setdefault(write.key, []).append(index)
        outcomes: list[object] = [None] * len(writes)
        changes: list[Change] = []

        async def run(lane: Sequence[int]) -> None:
            for index in lane:
                try:
                    outcomes[index] = await writes[index].action(changes.append)
                except Exception as error:
                    # One for each waiter, see `storage.batching`.
                    outcomes[index] = error.again() if isinstance(error, Unavailable) else error

        await asyncio.gather(*map(run, lanes.values()))
        return Written(outcomes, changes)
