"""Group commit, whatever the store: while one batch is being written, the next one gathers."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from domain.changes import Change
from domain.frozen import frozen
from storage.errors import Unavailable
from storage.health import StoreHealth


class Weighed(Protocol):
    @property
    def weight(self) -> int:
        """About how many bytes of content the item writes; 0 for an item without any."""


@frozen
class Written:
    """What became of a batch: for each item, in order, its result or the exception its waiter gets; and what to tell.

    An exception among the outcomes means that its item changed nothing.
    """

    outcomes: Sequence[object]
    changes: Sequence[Change]


GATHER_S = 0.003
"""Where batches have company, the next one waits for the senders of the last: until as many have come again, but no
longer than this. Fewer batches are fewer commits, and fewer writes to everybody who is told: with 4 members sending to
200, a message of a batch of 16 costs half of what one of a batch of 5 does."""

ItemT = TypeVar("ItemT", bound=Weighed)


class Promise(asyncio.Future[Any]):
    """What `Batcher.submit` returns: a future that may also call back in the very turn in which it is settled.

    So an ack is written together with the event it belongs to, and nobody goes through the loop's queue of callbacks.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self._waiting: list[Callable[[Promise], None]] = []

    def then(self, callback: "Callable[[Promise], None]") -> None:
        """Calls back, in the order in which this was called; at once if it is settled already."""
        if self.done():
            callback(self)
        else:
            self._waiting.append(callback)

    def settle(self, outcome: object) -> None:
        """An exception is raised to whoever awaits. Does nothing if it is settled, or was cancelled."""
        if self.done():
            return
        if isinstance(outcome, Exception):
            self.set_exception(outcome)
        else:
            self.set_result(outcome)
        self._call_back()

    def cancel(self, msg: Any | None = None) -> bool:
        cancelled = super().cancel(msg)
        self._call_back()
        return cancelled

    def _call_back(self) -> None:
        waiting, self._waiting = self._waiting, []
        for callback in waiting:
            try:
                callback(self)
            except Exception as error:
                self.get_loop().call_exception_handler(
                    {"message": "who waited for a write raised", "exception": error}
                )


def when_settled(write: "asyncio.Future[Any]", callback: Callable[[Any], None]) -> None:
    """Calls back with the future: at once when it is settled if it is a `Promise`, else from the loop."""
    if isinstance(write, Promise):
        write.then(callback)
    else:
        write.add_done_callback(callback)


class Batcher(Generic[ItemT]):
    """Writes items in the order in which they were submitted, batch after batch, one batch at a time.

    Items submitted in one turn of the event loop share a batch, and with company those of the next `GATHER_S` too, as
    far as `max_items` and `max_weight` allow; an item heavier than `max_weight` goes alone. Once `write` has answered,
    in one turn and with nothing in between, `tell` gets the changes and all waiters get their outcomes. A waiter that
    was cancelled meanwhile is skipped: what it asked for is written and told all the same.

    If `write` raises, all waiters of the batch get `Unavailable`, and `tell` gets no changes. `health` sees what came
    of each batch.
    """

    def __init__(
        self,
        write: Callable[[Sequence[ItemT]], Awaitable[Written]],
        tell: Callable[[Sequence[Change]], None],
        *,
        max_items: int = 512,
        max_weight: int = 256 * 1024,
        health: StoreHealth | None = None,
    ) -> None:
        self._write = write
        self._health = health
        self._tell = tell
        self._max_items = max_items
        self._max_weight = max_weight
        self._queue: deque[tuple[ItemT, Promise]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writing: asyncio.Task[None] | None = None
        self._gathered: asyncio.Future[None] | None = None
        self._closed = False
        self._last_size = 0
        self._expected = 0
        """How many will be in the queue when those of the last batch have come again."""

    def submit(self, item: ItemT) -> Promise:
        """Queues an item, which takes its place before this returns.

        After `close` the promise fails with `Unavailable`.
        """
        if self._loop is None:
            self._loop = asyncio.get_running_loop()  # a system call in Python 3.11
        promise = Promise(self._loop)
        if self._closed:
            promise.settle(Unavailable("the store is closed", "closed"))
            return promise
        self._queue.append((item, promise))
        if self._gathered is not None and len(self._queue) >= self._expected:
            self._stop_gathering()
        if self._writing is None:
            # The task begins in the next turn, so what else this turn submits is in the same batch.
            self._writing = self._loop.create_task(self._write_all())
        return promise

    async def close(self) -> None:
        """Takes no more, and returns when what was queued is written and told. Closing twice is fine."""
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
        """Returns when as many have come as are expected, or it has taken too long. Who sends alone waits a turn."""
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

    def _next_batch(self) -> Sequence[tuple[ItemT, Promise]]:
        batch = [self._queue.popleft()]
        weight = batch[0][0].weight
        while self._queue and len(batch) < self._max_items:
            weight += self._queue[0][0].weight
            if weight > self._max_weight:
                break
            batch.append(self._queue.popleft())
        self._last_size = len(batch)
        return batch

    async def _write_batch(self, batch: Sequence[tuple[ItemT, Promise]]) -> None:
        try:
            written = await self._write([item for item, _ in batch])
        except Exception as error:
            written = Written([_unavailable(error) for _ in batch], ())
        if self._health is not None:
            self._health.saw(written.outcomes, changed=bool(written.changes))
        # Must not suspend from here on: whoever resumes finds the observer told of everything before.
        try:
            self._tell(written.changes)
        except Exception as error:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "the observer of the store raised", "exception": error}
            )
        self._expected = min(len(self._queue) + len(batch), self._max_items)
        for (_, promise), outcome in zip(batch, written.outcomes, strict=True):
            promise.settle(outcome)


def _unavailable(error: Exception) -> Unavailable:
    """One for each waiter."""
    if isinstance(error, Unavailable):
        return error.again()
    unavailable = Unavailable(str(error), "failing")
    unavailable.__cause__ = error
    return unavailable
