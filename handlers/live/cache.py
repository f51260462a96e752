"""A cache of what the store keeps: a value is loaded when it is first asked for."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

SPARED = 64
"""How many of the values used last are kept whatever their size: a caller who has loaded one looks it up a turn
later."""


class Cache(Generic[Key, Value]):
    """Values by key. `load` brings a value from the store, or None if there is none, which is not kept.

    The cache holds at most `capacity` values and, if `size_of` says how many bytes a value takes, at most `bytes_max`
    bytes. Beyond that the least recently used value goes first. Pinned values stay, count for neither bound, and cost
    nothing when others go. A change that is published while its value is being loaded makes the load start over, so
    that no value is older than what has been published. `added` and `dropped` are called with each value that comes
    into memory and that goes.
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
        """The keys of values that are not pinned, least recently used first, with the bytes each value takes."""
        self._idle_bytes = 0
        self._loading: dict[Key, asyncio.Task[Value | None]] = {}
        self._stale: set[Key] = set()

    def __len__(self) -> int:
        return len(self._values)

    def peek(self, key: Key) -> Value | None:
        """The value if it is in memory; this does not count as a use."""
        return self._values.get(key)

    def use(self, key: Key) -> Value | None:
        """The value if it is in memory: now the most recently used one."""
        value = self._values.get(key)
        if value is not None and key in self._idle:
            self._idle.move_to_end(key)
        return value

    async def get(self, key: Key) -> Value | None:
        """The value, from memory or from the store; callers who ask at the same time share one load."""
        value = self.use(key)
        if value is not None:
            return value
        task = self._loading.get(key)
        if task is None:
            task = self._loading[key] = asyncio.create_task(self._fetch(key))
        return await asyncio.shield(task)

    def put(self, key: Key, value: Value) -> None:
        """Keeps the value that a change has brought, in place of an older one. It is pinned if the older one is."""
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
        """Called when the value of this key takes more or fewer bytes than before; nothing happens if it is not
        there."""
        if key in self._idle:
            before = self._idle[key]
            now = self._idle[key] = self._size_of(self._values[key])
            self._idle_bytes += now - before
            self._shrink()

    def pin(self, key: Key) -> None:
        """Keeps the value of this key until `unpin`; nothing happens if it is not there, or pinned."""
        size = self._idle.pop(key, None)
        if size is not None:
            self._idle_bytes -= size

    def unpin(self, key: Key) -> None:
        """Ends `pin`; nothing happens if the value is not there, or not pinned."""
        if key in self._values and key not in self._idle:
            self._rest(key)

    def stale(self, key: Key) -> None:
        """Called when a change of this key is published: a load under way starts over."""
        if key in self._loading:
            self._stale.add(key)

    def reads_now(self, key: Key) -> None:
        """Called by `load` where it begins to read: what was published before does not make it start over."""
        self._stale.discard(key)

    def forget(self, key: Key) -> None:
        """Drops a value; the next `get` loads it anew."""
        self.stale(key)
        self._drop(key)

    def forget_all(self) -> None:
        """Drops all values; loads under way start over."""
        self._stale |= self._loading.keys()
        for key in list(self._values):
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
