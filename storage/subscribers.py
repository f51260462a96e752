"""The subscribers of a store: who is handed the changes that it commits, and when."""

import asyncio
from collections import deque
from collections.abc import Sequence

import structlog

from domain.changes import Change, LaggingSubscriber, Subscriber

log = structlog.get_logger("vestnik")

WAITING_CHANGES_MAX = 10_000
"""How many changes wait for one lagging subscriber at most, unless one batch alone has more; over 10 s of a busy
server's."""

CLOSE_TIMEOUT_S = 2.0
"""How long a store that closes waits for its lagging subscribers."""


class Subscribers:
    """Publishes batches of committed changes to an ordered list of subscribers.

    A subscriber is called in the turn of `publish`, after those added before it. A lagging subscriber gets the same
    batches in the same order, one after the other, from a task of its own, which starts in a later turn. A subscriber
    that raises is logged and costs nobody else anything: all others, and later batches, go on.
    """

    def __init__(self) -> None:
        self._subscribers: list[Subscriber] = []
        self._lagging: list[_Lagging] = []

    def add(self, subscriber: Subscriber) -> None:
        """See `storage.ports.Store.subscribe`."""
        self._subscribers.append(subscriber)

    def add_lagging(self, name: str, subscriber: LaggingSubscriber) -> None:
        """See `storage.ports.Store.subscribe_lagging`."""
        self._lagging.append(_Lagging(name, subscriber))

    def publish(self, changes: Sequence[Change]) -> None:
        """Does not suspend and does not raise. Does nothing without changes."""
        if not changes:
            return
        for subscriber in self._subscribers:
            try:
                subscriber(changes)
            except Exception as error:
                log.error("a subscriber raised", subscriber=_name_of(subscriber), exc_info=error)
        for lagging in self._lagging:
            lagging.put(changes)

    async def close(self) -> None:
        """Lets lagging subscribers take what waits for them, for `CLOSE_TIMEOUT_S` at most."""
        tasks = [lagging.task for lagging in self._lagging if lagging.task is not None]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=CLOSE_TIMEOUT_S)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)


class _Lagging:
    """One lagging subscriber and the batches that wait for it. `task` runs while there are any."""

    def __init__(self, name: str, subscriber: LaggingSubscriber) -> None:
        self._name = name
        self._subscriber = subscriber
        self._waiting: deque[Sequence[Change]] = deque()
        self._waiting_changes = 0
        self.task: asyncio.Task[None] | None = None

    def put(self, changes: Sequence[Change]) -> None:
        if self._waiting and self._waiting_changes + len(changes) > WAITING_CHANGES_MAX:
            log.warning("a subscriber lags too far", subscriber=self._name, dropped=self._waiting_changes)
            self._waiting.clear()
            self._waiting.append(())
            self._waiting_changes = 0
        self._waiting.append(changes)
        self._waiting_changes += len(changes)
        if self.task is None:
            self.task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        try:
            while self._waiting:
                changes = self._waiting.popleft()
                self._waiting_changes -= len(changes)
                await self._call(changes)
        finally:
            self.task = None

    async def _call(self, changes: Sequence[Change]) -> None:
        """Raises: `CancelledError` if this very task is cancelled. If something that the subscriber awaits was
        cancelled, the subscriber has failed like any other that raises."""
        try:
            await self._subscriber(changes)
        except (Exception, asyncio.CancelledError) as error:
            cancelled = isinstance(error, asyncio.CancelledError)
            if cancelled and self.task is not None and self.task.cancelling():
                raise
            log.error("a subscriber raised", subscriber=self._name, exc_info=error)


def _name_of(subscriber: Subscriber) -> str:
    return getattr(subscriber, "__qualname__", type(subscriber).__qualname__)
