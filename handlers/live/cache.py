"""What is kept in memory of the store, loaded when first asked for."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

SPARED = 64
"""So many of the values used last are kept whatever their size: who has loaded one comes back for it a turn later."""


class Cache(Generic[Key, Value]):
    """Values by key; `load` brings one from the store, None if there is none (that is not kept).

    What is kept is bounded in number by `capacity`, and in bytes by `bytes_max` if `size_of` says how many a value
    takes: the least recently used value goes first. Pinned values stay, count for neither bound, and cost nothing when
    others go. A change told while its value is being loaded makes the load start over, so what is kept is never older
    than what was told. `added` and `dropped` are called with each value that comes into memory and that goes.
    """

    def __init__(
        self,
        load: Callable[[Key], Awaitable[Value | None]],
        *,
        capacity: int,
        size_of: Callable[[Value], int] = lambda _value: 0,
        bytes_max: int = 0,
        added: Callable[[Value], None] = lambda _value: None,
        dropped: Callable[[Value], None] = lambda _value: None,
    ) -> None:
        self._load = load
        self._capacity = capacity
        self._size_of = size_of
        self._bytes_max = bytes_max
        self._added = added
        self._dropped = dropped
        self._values: dict[Key, Value] = {}
        self._idle: OrderedDict[Key, int] = OrderedDict()
        """The values that are not pinned, the least recently used first, and how many bytes each takes."""
        self._idle_bytes = 0
        self._loading: dict[Key, asyncio.Task[Value | None]] = {}
        self._stale: set[Key] = set()

    def __len__(self) -> int:
        return len(self._values)

    def peek(self, key: Key) -> Value | None:
        """The value if it is in memory; this is not a use of it."""
        return self._values.get(key)

    def use(self, key: Key) -> Value | None:
        """The value if it is in memory: now the most recently used one."""
        value = self._values.get(key)
        if value is not None and key in self._idle:
            self._idle.move_to_end(key)
        return value

    async def get(self, key: Key) -> Value | None:
        """The value, from memory or from the store; who asks at the same time shares one load."""
        value = self.use(key)
        if value is not None:
            return value
        task = self._loading.get(key)
        if task is None:
            task = self._loading[key] = asyncio.create_task(self._fetch(key))
        return await asyncio.shield(task)

    def put(self, key: Key, value: Value) -> None:
        """Keeps a value that a change has told, in place of the one there is. It is pinned if that one is."""
        self.stale(key)
        old = self._values.get(key)
        if old is not None:
            self._dropped(old)
            self._values[key] = value
            self._added(value)
            self.resized(key)
            self.use(key)
        else:
            self._keep(key, value)

    def resized(self, key: Key) -> None:
        """The value of this key takes more or fewer bytes than before; nothing happens if it is not there."""
        if key in self._idle:
            before = self._idle[key]
            now = self._idle[key] = self._size_of(self._values[key])
            self._idle_bytes += now - before
            self._shrink()

    def pin(self, key: Key) -> None:
        """The value of this key stays until it is unpinned; nothing happens if it is not there, or pinned."""
        size = self._idle.pop(key, None)
        if size is not None:
            self._idle_bytes -= size

    def unpin(self, key: Key) -> None:
        """Ends `pin`; nothing happens if the value is not there, or not pinned."""
        if key in self._values and key not in self._idle:
            self._rest(key)

    def stale(self, key: Key) -> None:
        """A change of this key was told: a load under way has to be made again."""
        if key in self._loading:
            self._stale.add(key)

    def forget(self, key: Key) -> None:
        """Drops a value; the next `get` loads it anew."""
        self.stale(key)
        self._drop(key)

    def forget_but(self, keys: Collection[Key]) -> None:
        """`forget` of all other keys. What is being loaded goes on: it is new enough."""
        for key in [key for key in self._values if key not in keys]:
            self._drop(key)

    async def _fetch(self, key: Key) -> Value | None:
        try:
            while True:
                self._stale.discard(key)
                value = await self._load(key)
                if key not in self._stale:
                    break
            kept = self._values.get(key)
            if kept is None and value is not None:
                self._keep(key, value)
            return kept if kept is not None else value
        finally:
            self._stale.discard(key)
            del self._loading[key]

    def _keep(self, key: Key, value: Value) -> None:
        self._values[key] = value
        self._added(value)
        self._rest(key)

    def _rest(self, key: Key) -> None:
        size = self._idle[key] = self._size_of(self._values[key])
        self._idle_bytes += size
        self._shrink()

    def _shrink(self) -> None:
        while len(self._idle) > self._capacity or (
            self._idle_bytes > self._bytes_max > 0 and len(self._idle) > SPARED
        ):
            self._drop(next(iter(self._idle)))

    def _drop(self, key: Key) -> None:
        value = self._values.pop(key, None)
        if value is not None:
            self._idle_bytes -= self._idle.pop(key, 0)
            self._dropped(value)
