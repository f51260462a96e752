"""The one task that writes chats: batch after batch, and in a batch the items in their order."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import structlog

from domain.changes import (
    Change,
    ReadMoved,
)
from domain.own_settings import OwnSettingsChanged
from storage.batching import Batcher, Written
from storage.errors import Unavailable
from storage.mongo import versions
from storage.mongo.chat_replicas import Applied, ChatReplicas
from storage.mongo.database import Database
from storage.mongo.hint_writer import HintWriter
from storage.mongo.ids import Ids
from storage.mongo.log import Row
from storage.mongo.publication import Publication
from storage.mongo.row_codecs import UnknownKind
from storage.mongo.usernames import Usernames
from storage.promise import Promise
from storage.runs import Item, ResultT_co, runs

log = structlog.get_logger("vestnik")


class WriterItem(Item[ResultT_co]):
    """What the writer runs."""

    __slots__ = ()

    @classmethod
    @abstractmethod
    async def run_all(cls, writer: "Writer", items: Sequence[Any], outcomes: list[Any]) -> None:
        """Runs items of this class that stand next to each other. The outcome of each, a result or the exception that
        its waiter gets, goes to its place as soon as it is settled. If this raises, the items without an outcome fail
        with that."""


class Unsettled:
    """The place of an outcome that is not there yet."""


UNSETTLED = Unsettled()


class Writer:
    """What items work with."""

    def __init__(self, database: Database, ids: Ids, hints: HintWriter, publication: Publication) -> None:
        self.database = database
        self.ids = ids
        self.usernames = Usernames(database)
        self._mark = uuid4().hex
        self._marks = 0
        self._hints = hints
        self._hint = 0
        self._publication = publication
        self.replicas = ChatReplicas(
            database, publication.positions, hints, self.owns, lambda applied: self._committed.append(applied)
        )
        self._committed: list[Applied | ReadMoved | OwnSettingsChanged] = []
        self._batcher: Batcher[WriterItem[Any]] = Batcher(self._write, self._publish, health=database.health)
        self.busy = False
        self.lowest_format = versions.FORMAT
        """See `storage.node_ports.Nodes.lowest_format`."""
        self.on_newer: Callable[[str], None] | None = None
        """See `storage.node_ports.Nodes.on_newer`."""
        self._unknown_kinds: set[str] = set()

    def submit(self, item: WriterItem[ResultT_co]) -> Promise[ResultT_co]:
        """Queues an item, which takes its place before this returns."""
        return self._batcher.submit(item)

    def publish(self, change: ReadMoved | OwnSettingsChanged) -> None:
        """The subscribers get this, which is in no log, before any waiter of the batch resumes, even if the rest of the
        batch fails."""
        self._hints.add_unlogged(change)
        self._committed.append(change)

    def mark(self) -> str:
        """A word that no other write of any node has."""
        self._marks += 1
        return f"{self._mark}{self._marks}"

    def owns(self, row: Row) -> bool:
        """Whether this node wrote the row."""
        return row.mark.startswith(self._mark)

    def writing(self, chat_id: int) -> bool:
        """Whether rows of the chat are on their way through the batch that is being written."""
        replica = self.replicas.peek(chat_id)
        if replica is None or not self.busy:
            return False
        position = self._publication.positions.get(chat_id)
        return replica.busy or position is None or position.n < replica.n

    async def close(self) -> None:
        await self._batcher.close()

    async def _write(self, items: Sequence[WriterItem[Any]]) -> Written:
        outcomes: list[object] = []
        self.busy = True
        try:
            await self.replicas.forget()
            self.replicas.take_offered()
            for kind, run in runs(items):
                outcomes += await self._run(kind, run)
        except Unavailable as error:
            # The other items would fail in the same way, each after a wait.
            outcomes += [error.again() for _ in items[len(outcomes) :]]
        committed, self._committed = self._committed, []
        return Written(outcomes, committed)

    def _publish(self, committed: Sequence[Applied | ReadMoved | OwnSettingsChanged]) -> None:
        """Called by the batcher after each batch, before anybody who waits for it resumes."""
        self.busy = False
        self._publication.batch(committed, self._hint)

    async def _run(self, kind: type[WriterItem[Any]], items: Sequence[WriterItem[Any]]) -> Sequence[object]:
        """The outcomes of the items, once their rows are projected.

        Raises: `Unavailable`, and then all of these items fail: a row that is in the log but not projected is no result
        yet. When the server is back, such rows are projected and published, and a repeated send finds its row.
        """
        outcomes = await self._attempt(kind, items)
        self._hint = await self.replicas.flush()
        return outcomes

    def unavailable(self, unknown: UnknownKind) -> Unavailable:
        """The outcome of an item of a chat that this version cannot serve. The operator's log names each kind once."""
        if unknown.kind not in self._unknown_kinds:
            self._unknown_kinds.add(unknown.kind)
            log.error("a newer node wrote to a chat", chat_id=unknown.chat_id, unknown_kind=unknown.kind)
            if self.on_newer is not None:
                self.on_newer(unknown.kind)
        return unknown.unavailable()

    def too_new(self, change: Change) -> Unavailable | None:
        """Why a change cannot be written now: a living node does not know the kind. None if all know it."""
        kind = change.kind
        return None if kind.since <= self.lowest_format else self.too_early(kind.since)

    def too_early(self, since: int) -> Unavailable | None:
        """Why what a format introduced cannot be written now: a living node does not know the format. None if all know
        it."""
        if since <= self.lowest_format:
            return None
        return Unavailable("this is not written while nodes of an older version live", "newer")

    async def _attempt(
        self, kind: type[WriterItem[Any]], items: Sequence[WriterItem[Any]]
    ) -> Sequence[object]:
        outcomes: list[object] = [UNSETTLED] * len(items)
        try:
            await kind.run_all(self, items, outcomes)
        except Unavailable:
            raise
        except Exception as error:
            left = [index for index, outcome in enumerate(outcomes) if outcome is UNSETTLED]
            if left and len(items) == 1:
                return [self.unavailable(error) if isinstance(error, UnknownKind) else error]
            # One of them is at fault, perhaps with a text that is none: it must not spoil the others.
            for index in left:
                (outcomes[index],) = await self._attempt(kind, [items[index]])
        return outcomes
