"""What is kept in memory of the store, loaded when first asked for."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Cache(Generic[Key, Value]):
    """Values by key; `load` brings one from the store, None if there is none (that is not kept).

    `capacity` bounds what is kept: the least recently used value for which `keep` is false goes first. A change
    told while its value is being loaded makes the load start over, so what is kept is never older than what was told.
    """

    def __init__(
        self,
        load: Callable[[Key], Awaitable[Value | None]],
        *,
        capacity: int,
        keep: Callable[[Value], bool] = lambda _value: False,
        dropped: Callable[[Value], None] = lambda _value: None,
    ) -> None:
        self._load = load
        self._capacity = capacity
        self._keep = keep
        self._dropped = dropped
        self._values: dict[Key, Value] = {}
        self._loading: dict[Key, asyncio.Task[Value | None]] = {}
        self._stale: set[Key] = set()

    def peek(self, key: Key) -> Value | None:
        """The value if it is in memory."""
        return self._values.get(key)

    async def get(self, key: Key) -> Value | None:
        """The value, from memory or from the store; who asks at the same time shares one load."""
        value = self._values.pop(key, None)
        if value is not None:
            self._values[key] = value  # to the end: the most recently used
            return value
        task = self._loading.get(key)
        if task is None:
            task = self._loading[key] = asyncio.create_task(self._fetch(key))
        return await asyncio.shield(task)

    def put(self, key: Key, value: Value) -> None:
        """Keeps a value that a change has told."""
        self.stale(key)
        self._values[key] = value
        self._shrink()

    def stale(self, key: Key) -> None:
        """A change of this key was told: a load under way has to be made again."""
        if key in self._loading:
            self._stale.add(key)

    def forget(self, key: Key) -> None:
        """Drops a value; the next `get` loads it anew."""
        self.stale(key)
        value = self._values.pop(key, None)
        if value is not None:
            self._dropped(value)

    def forget_but(self, keys: Collection[Key]) -> None:
        """`forget` of all other keys. What is being loaded goes on: it is new enough."""
        for key in [key for key in self._values if key not in keys]:
            self._dropped(self._values.pop(key))

    async def _fetch(self, key: Key) -> Value | None:
        try:
            while True:
                self._stale.discard(key)
                value = await self._load(key)
                if key not in self._stale:
                    break
            kept = self._values.get(key)
            if kept is None and value is not None:
                self._values[key] = value
                self._shrink()
            return kept if kept is not None else value
        finally:
            self._stale.discard(key)
            del self._loading[key]

    def _shrink(self) -> None:
        if len(self._values) <= self._capacity:
            return
        newest = next(reversed(self._values))
        for key, value in self._values.items():
            if key != newest and not self._keep(value):
                del self._values[key]
                self._dropped(value)
                return
