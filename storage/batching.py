"""Group commit, for every store: while one batch is being written, the next one gathers."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter
from typing import Any, Generic, Protocol, TypeVar

from domain.frozen import frozen
from storage.errors import Unavailable
from storage.health import StoreHealth
from storage.promise import Promise


class Weighed(Protocol):
    @property
    def weight(self) -> int:
        """About how many bytes of content the item writes."""

    @property
    def is_write(self) -> bool:
        """Whether a client waits for the item to be stored."""


@frozen
class Written:
    """The outcome of a batch: for each item, in order, its result or the exception its waiter gets; and the changes, as
    the `publish` of the store's batcher takes them.

    An item with an exception for its outcome changed nothing.
    """

    outcomes: Sequence[object]
    changes: Sequence[Any]


GATHER_S = 0.003
"""After a batch of several items, the next batch waits for the senders of the last one: until as many items have come,
but no longer than this. Fewer batches are fewer commits, and fewer writes to each connection: with 4 members sending to
200, a message in a batch of 16 costs half of what a message in a batch of 5 does."""

ItemT = TypeVar("ItemT", bound=Weighed)


class Batcher(Generic[ItemT]):
    """Writes items in the order in which they were submitted, batch after batch, one batch at a time.

    Items submitted in one turn of the event loop share a batch; after a batch of several items, those submitted within
    `GATHER_S` do. `max_items` and `max_weight` bound a batch; an item above `max_weight` goes alone. Once `write`
    has returned, `publish` gets the changes and then all waiters get their outcomes, in one turn with nothing in
    between. A waiter that was cancelled meanwhile is skipped: its item is written and published all the same.

    If `write` raises, all waiters of the batch get `Unavailable`, and `publish` gets no changes; `publish` does not
    raise. `health` gets the outcomes and the time of each batch.
    """

    def __init__(
        self,
        write: Callable[[Sequence[ItemT]], Awaitable[Written]],
        publish: Callable[[Sequence[Any]], None],
        *,
        max_items: int = 512,
        max_weight: int = 256 * 1024,
        health: StoreHealth | None = None,
    ) -> None:
        self._write = write
        self._health = health
        self._publish = publish
        self._max_items = max_items
        self._max_weight = max_weight
        self._queue: deque[tuple[ItemT, Promise[Any]]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writing: asyncio.Task[None] | None = None
        self._gathered: asyncio.Future[None] | None = None
        self._closed = False
        self._last_size = 0
        self._expected = 0
        """The length that the queue will have when the senders of the last batch have all sent again."""

    def submit(self, item: ItemT) -> Promise[Any]:
        """Queues an item. When this returns, its position among the other items is fixed.

        After `close` the promise fails with `Unavailable`.
        """
        if self._loop is None:
            self._loop = asyncio.get_running_loop()  # a system call in Python 3.11
        promise: Promise[Any] = Promise(loop=self._loop)
        if self._closed:
            promise.settle(Unavailable("the store is closed", "closed"))
            return promise
        self._queue.append((item, promise))
        if self._gathered is not None and len(self._queue) >= self._expected:
            self._stop_gathering()
        if self._writing is None:
            # The task begins in the next turn, so whatever else this turn submits is in the same batch.
            self._writing = self._loop.create_task(self._write_all())
        return promise

    async def close(self) -> None:
        """Takes no more items, and returns when those in the queue are written and published. Closing twice is fine."""
        self._closed = True
        self._stop_gathering()
        if self._writing is not None:
            await asyncio.wait([self._writing])

    async def _write_all(self) -> None:
        try:
            while self._queue:
                await self._gather()
                await self._write_batch(self._next_batch())
        finally:
            self._writing = None

    async def _gather(self) -> None:
        """Returns when the expected number of items has come, or after `GATHER_S`. A single sender waits one turn."""
        if self._last_size <= 1:
            await asyncio.sleep(0)
        elif len(self._queue) < self._expected and not self._closed:
            loop = asyncio.get_running_loop()
            self._gathered = loop.create_future()
            timer = loop.call_later(GATHER_S, self._stop_gathering)
            await self._gathered
            timer.cancel()

    def _stop_gathering(self) -> None:
        if self._gathered is not None:
            self._gathered.set_result(None)
            self._gathered = None

    def _next_batch(self) -> Sequence[tuple[ItemT, Promise[Any]]]:
        batch = [self._queue.popleft()]
        weight = batch[0][0].weight
        while self._queue and len(batch) < self._max_items:
            weight += self._queue[0][0].weight
            if weight > self._max_weight:
                break
            batch.append(self._queue.popleft())
        self._last_size = len(batch)
        return batch

    async def _write_batch(self, batch: Sequence[tuple[ItemT, Promise[Any]]]) -> None:
        began_s = perf_counter()
        try:
            written = await self._write([item for item, _ in batch])
        except Exception as error:
            written = Written([_unavailable(error) for _ in batch], ())
        if self._health is not None:
            self._health.timed(len(batch), perf_counter() - began_s)
            writes = [
                outcome for (item, _), outcome in zip(batch, written.outcomes, strict=True) if item.is_write
            ]
            self._health.saw(writes, changed=bool(written.changes))
        # Must not suspend from here on: a waiter that resumes relies on its changes being published.
        self._publish(written.changes)
        self._expected = min(len(self._queue) + len(batch), self._max_items)
        for (_, promise), outcome in zip(batch, written.outcomes, strict=True):
            promise.settle(outcome)


def _unavailable(error: Exception) -> Unavailable:
    """The error for one waiter: an exception that several waiters raise would gather their tracebacks."""
    if isinstance(error, Unavailable):
        return error.again()
    unavailable = Unavailable(str(error), "failing")
    unavailable.__cause__ = error
    return unavailable
