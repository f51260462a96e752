"""The one task that writes chats: batch after batch, and in a batch the items in their order."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, ClassVar, Generic, TypeVar
from uuid import uuid4

from domain.changes import Change
from domain.models import Actor, Permission
from storage.batching import Batcher, Written
from storage.errors import Unavailable
from storage.mongo.database import PATIENCE_S, Database, Lost
from storage.mongo.ids import Ids
from storage.mongo.rooms import Rooms

ResultT_co = TypeVar("ResultT_co", covariant=True)

_PAUSE_S = 0.05
_CONTEST_S = 30.0


class Item(ABC, Generic[ResultT_co]):
    """A write that waits for its turn. `alone`: it shares nothing with its neighbours."""

    alone: ClassVar[bool] = False

    @property
    def weight(self) -> int:
        return 0

    @classmethod
    @abstractmethod
    async def run_all(cls, writer: "Writer", items: Sequence[Any], outcomes: list[Any]) -> None:
        """Runs items of this class, or of a class it shares its runs with, that stand next to each other. The
        outcome of each, a result or the exception its waiter gets, goes to its place as soon as it is settled.
        Raises, and what has no outcome by then fails with that."""

    @classmethod
    def family(cls) -> "type[Item[Any]]":
        """The class whose `run_all` runs this one's items."""
        return cls


class Refused(Exception):
    """A rule said no. `reason` is what it raised."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(reason)
        self.reason = reason


def judge(rule: Permission, actor: Actor) -> None:
    """Raises, if the rule does, so that its exception reaches the caller of the store."""
    try:
        rule(actor)
    except Exception as reason:
        raise Refused(reason) from reason


class Unsettled:
    """The place of an outcome that is not there yet."""


UNSETTLED = Unsettled()


class Patience:
    """How long one item, or a run of them, may be tried."""

    def __init__(self) -> None:
        self._start = asyncio.get_running_loop().time()

    async def again(self, lost: Lost | None = None) -> None:
        """Returns when it is time for another try: at once, but for a lost connection.

        Raises: `Unavailable` when it is time to give up.
        """
        passed_s = asyncio.get_running_loop().time() - self._start
        if lost is not None:
            if passed_s > PATIENCE_S:
                raise lost.unavailable()
            await asyncio.sleep(_PAUSE_S)
        elif passed_s > _CONTEST_S:
            raise Unavailable("others write to the same chats all the time", "contested")


class Writer:
    """What items work with."""

    def __init__(self, database: Database, ids: Ids, tell: Callable[[Sequence[Change]], None]) -> None:
        self.database = database
        self.ids = ids
        self.rooms = Rooms(database, self.tell)
        self._changes: list[Change] = []
        self._batcher: Batcher[Item[Any]] = Batcher(self._write, tell, health=database.health)
        self.busy = False
        self._mark = uuid4().hex
        self._marks = 0

    def submit(self, item: Item[ResultT_co]) -> "asyncio.Future[ResultT_co]":
        """Queues an item, which takes its place before this returns."""
        return self._batcher.submit(item)

    def tell(self, change: Change) -> None:
        """The observer gets this before any waiter of the batch resumes, even if the rest of the batch fails."""
        self._changes.append(change)

    def mark(self) -> str:
        """A word that no other write of any server has."""
        self._marks += 1
        return f"{self._mark}{self._marks}"

    async def close(self) -> None:
        await self._batcher.close()

    async def _write(self, items: Sequence[Item[Any]]) -> Written:
        outcomes: list[object] = []
        self.busy = True
        try:
            await self.rooms.forget()
            for family, group in groupby(items, lambda item: item.family()):
                run = list(group)
                for some in [[item] for item in run] if family.alone else [run]:
                    outcomes += await self._run(family, some)
        except Unavailable as error:
            # So it would be for all others, each after a wait.
            outcomes += [error.again() for _ in items[len(outcomes) :]]
        finally:
            self.busy = False
        changes, self._changes = self._changes, []
        return Written(outcomes, changes)

    async def _run(self, family: type[Item[Any]], items: Sequence[Item[Any]]) -> Sequence[object]:
        """Raises: `Unavailable`, and then all of these items fail: what is in the log but not projected is no result
        yet. It is told, and repeats are answered, when the server is back."""
        outcomes = await self._attempt(family, items)
        await self.rooms.flush()
        return outcomes

    async def _attempt(self, family: type[Item[Any]], items: Sequence[Item[Any]]) -> Sequence[object]:
        outcomes: list[object] = [UNSETTLED] * len(items)
        try:
            await family.run_all(self, items, outcomes)
        except Unavailable:
            raise
        except Exception as error:
            left = [index for index, outcome in enumerate(outcomes) if outcome is UNSETTLED]
            if len(items) == 1:
                return [error]
            # One of them is rotten, a text that is none perhaps: it must not spoil the others.
            for index in left:
                (outcomes[index],) = await self._attempt(family, [items[index]])
        return outcomes
