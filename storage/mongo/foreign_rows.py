"""Publishes the rows that other nodes have inserted and named in their hints."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile

from domain.changes import Change
from domain.models import Chat
from storage.errors import Unavailable
from storage.mongo.database import Database, Document
from storage.mongo.documents import chat_of
from storage.mongo.follower import Follower
from storage.mongo.late_changes import still_true
from storage.mongo.log import Row
from storage.mongo.publication import Publication
from storage.mongo.row_codecs import change_of, logged_kind
from storage.mongo.writer import Writer
from storage.node_ports import ROWS_AWAITED_S

_AT_ONCE = 16
"""How many chats are read at the same time."""
_UNPROJECTED_S = 0.75
"""How long the node that inserted a change of a message has for projecting it. After that, this node does it."""
_PAUSES_S = (0, 0.05, 0.1)
"""The pauses before each check whether rows of other kinds are projected. After the last check this node projects
them: a command waits for this before it answers that a user is no member."""


@dataclass(slots=True)
class _Awaited:
    """Rows of a chat that a hint names, and that are not published here yet."""

    first: int
    last: int
    since_s: float
    until_s: float


class ForeignRows:
    """A row is published once it is projected, as its event leads clients to read what the projection says. Rows of
    this node, and what follows them, are left to the writer.

    The rows of one chat are read up to the last that a hint names, from the one after the chat's position. A chat
    without a position gets one in the turn in which a hint is applied, before the first row that the hint names. So
    whoever loads the chat while these rows are read publishes them, and none is skipped.

    A hint may name rows before the first that is published here: the chat was loaded before the hint was read, or the
    hint of a later row was read first. Such rows are published late, as long as nobody follows the chat. Once it is
    followed none of them is left: whoever loads a chat looks at the hints before they follow it, and the hints of all
    rows that a load finds noted as projected are on disk.
    """

    def __init__(
        self,
        database: Database,
        publication: Publication,
        writer: Writer,
        follower: Follower,
    ) -> None:
        self._database = database
        self._publication = publication
        self._positions = publication.positions
        self._writer = writer
        self._replicas = writer.replicas
        self._follower = follower
        self._awaited: dict[int, _Awaited] = {}
        self._queued: set[int] = set()
        """The chats whose log the writer is going to read, and has not begun to."""
        self._left: dict[int, asyncio.Task[None]] = {}
        """By chat, the last task that waits for the writer."""
        self._left_tasks: set[asyncio.Task[None]] = set()

    def await_rows(self, spans: Iterable[Mapping[int, tuple[int, int]]]) -> None:
        """Notes that these rows, by chat the first and the last, are in the log or will be."""
        now_s = asyncio.get_running_loop().time()
        named: set[int] = set()
        for some in spans:
            named |= some.keys()
            for chat_id, (first, last) in some.items():
                awaited = self._awaited.get(chat_id)
                if awaited is None:
                    self._awaited[chat_id] = _Awaited(first, last, now_s, now_s + ROWS_AWAITED_S)
                else:
                    awaited.first, awaited.last = min(first, awaited.first), max(last, awaited.last)
                    awaited.until_s = now_s + ROWS_AWAITED_S
        for chat_id in named:
            if self._positions.get(chat_id) is None:
                self._begin(chat_id, self._awaited[chat_id].first)

    def _begin(self, chat_id: int, first: int) -> None:
        """Begins the position of a chat: before the row `first`, or where it was if the replica is still there."""
        replica = self._replicas.peek(chat_id)
        if replica is not None and replica.projected_n == replica.n:
            self._positions.resume(chat_id, replica.n, replica.seq)
        self._positions.expect(chat_id, first)

    async def publish(self) -> None:
        """Publishes the awaited rows that are in the log and projected, and those of this node whose write failed
        though it was made. Raises: `Unavailable`; the rows that are not published then are awaited further."""
        while self._replicas.unpublished:
            row = self._replicas.unpublished.popleft()
            self.await_rows([{row.chat_id: (row.n, row.n)}])
        chat_ids = list(self._awaited)
        for start in range(0, len(chat_ids), _AT_ONCE):
            results = await asyncio.gather(
                *(self._publish_chat(chat_id) for chat_id in chat_ids[start : start + _AT_ONCE]),
                return_exceptions=True,
            )
            for result in results:
                if isinstance(result, BaseException):
                    raise result

    async def compare(self) -> None:
        """Publishes all rows of followed chats that are in the log. Raises: `Unavailable`."""
        chat_ids = self._positions.followed()
        for start in range(0, len(chat_ids), _AT_ONCE):
            some = {
                chat_id: position.n + 1
                for chat_id in chat_ids[start : start + _AT_ONCE]
                if (position := self._positions.get(chat_id)) is not None
            }
            found = await asyncio.gather(*(self._replicas.log.has(*next_row) for next_row in some.items()))
            for chat_id, there in zip(some, found, strict=True):
                if there:
                    await self._read_log(chat_id)

    def left_to_writer(self, chat_id: int) -> "asyncio.Task[None] | None":
        """What publishes rows of the chat that were left to the writer; None if none were."""
        return self._left.get(chat_id)

    async def written(self) -> None:
        """Returns when the rows that were left to the writer by now are published. Raises: `Unavailable`."""
        tasks = list(self._left_tasks)
        if tasks:
            await asyncio.wait(tasks)
            for task in tasks:
                error = task.exception()
                if error is not None:
                    raise error.again() if isinstance(error, Unavailable) else error

    async def _publish_chat(self, chat_id: int) -> None:
        awaited = self._awaited[chat_id]
        done = await self._publish_late(chat_id, awaited) and await self._publish_next(chat_id, awaited)
        now_s = asyncio.get_running_loop().time()
        if done or now_s > awaited.until_s:
            del self._awaited[chat_id]

    async def _publish_next(self, chat_id: int, awaited: _Awaited) -> bool:
        """Publishes the awaited rows above the position, up to the first that is left to the writer. Whether that is
        all of them."""
        start = self._positions.expect(chat_id, awaited.first).n + 1
        if start > awaited.last:
            return True
        chat, found = await asyncio.gather(
            self._database.get(self._database.chats, str(chat_id)),
            self._replicas.log.span(chat_id, start, awaited.last),
        )
        rows = list(takewhile(self._may_publish, found))
        if await self._publish_rows(chat, rows, awaited) and len(rows) == len(found):
            position = self._positions.get(chat_id)
            return position is not None and position.n >= awaited.last
        self._leave_to_writer(chat_id, awaited)
        return False

    def _may_publish(self, row: Row) -> bool:
        return logged_kind(row.kind) is not None and not self._writer.owns(row)

    async def _publish_rows(self, chat: Document | None, rows: Sequence[Row], awaited: _Awaited) -> bool:
        """Publishes rows of a chat, given its document as it was read. False: some are not projected, though the server
        that inserted them had the time to do it."""
        now_s = asyncio.get_running_loop().time()
        if chat is not None:
            # Mostly all but the last: a server notes with each of its batches that those before it are projected.
            rows = self._publish_some(chat, rows, _noted(chat, rows), awaited, now_s)
        for pause_s in _PAUSES_S:
            if not rows:
                return True
            await asyncio.sleep(pause_s)
            chat, projected = await self._projected(rows)
            if chat is not None:
                rows = self._publish_some(chat, rows, projected, awaited, now_s)
            if not any(row.message is None for row in rows):
                return not rows or now_s - awaited.since_s <= _UNPROJECTED_S
        return False

    def _publish_some(
        self, chat: Document, rows: Sequence[Row], projected: int, awaited: _Awaited, now_s: float
    ) -> Sequence[Row]:
        """Publishes the first rows, those that are projected, and returns the others."""
        if projected:
            some = rows[:projected]
            self._replicas.offered.add(self._publication.rows(some, _changes(some, chat)))
            awaited.since_s = now_s
        return rows[projected:]

    def _leave_to_writer(self, chat_id: int, awaited: _Awaited) -> None:
        """Makes the writer publish the log of the chat, up to a row of a kind that this version does not know. Nobody
        waits for that here: what the writer does first may take long, if other servers write to the same chat."""
        loop = asyncio.get_running_loop()
        awaited.until_s = loop.time() + ROWS_AWAITED_S
        if chat_id in self._queued:
            return
        self._queued.add(chat_id)
        task = self._left[chat_id] = loop.create_task(self._read_log(chat_id))
        self._left_tasks.add(task)

        task.add_done_callback(partial(self._end, chat_id))

    def _end(self, chat_id: int, task: "asyncio.Task[None]") -> None:
        self._left_tasks.discard(task)
        if self._left.get(chat_id) is task:
            del self._left[chat_id]
            self._queued.discard(chat_id)
        if not task.cancelled():
            task.exception()  # the rows are awaited further

    async def _read_log(self, chat_id: int) -> None:
        """Returns when the writer has published the log of the chat, up to a row of a kind that this version does not
        know. Raises: `Unavailable`."""
        try:
            await self._follower.read_log(chat_id, begins=lambda: self._queued.discard(chat_id))
        except Unavailable as error:
            if error.trouble != "newer":
                raise

    async def _publish_late(self, chat_id: int, awaited: _Awaited) -> bool:
        """Publishes the rows of a chat that nobody follows from the first awaited one to the first that was published.
        Whether that is all of them."""
        position = self._positions.get(chat_id)
        if position is None or awaited.first >= position.first:
            return True
        rows = await self._rows(chat_id, awaited.first, position.first - 1)
        if any(logged_kind(row.kind) is None for row in rows):
            return True
        if not rows or rows[-1].n < position.first - 1:
            return False
        chat, projected = await self._projected(rows)
        replica = self._replicas.peek(chat_id)
        if replica is not None and replica.projected_n >= rows[-1].n:
            projected = len(rows)  # though that may not be noted
        if chat is None or projected < len(rows):
            return False
        later: Sequence[Row] = ()
        while rows[-1].n + len(later) < (n := position.n):  # more may be published while these are read
            later = await self._rows(chat_id, rows[-1].n + 1, n)
            if rows[-1].n + len(later) < n:
                return False
        self._publication.late(rows, still_true(_changes(rows, chat), _changes(later, chat)))
        return True

    async def _rows(self, chat_id: int, first: int, last: int) -> Sequence[Row]:
        """The rows from `first` to `last`, up to the first that is not in the log. Raises: `Unavailable`."""
        rows: list[Row] = []
        while first <= last and (some := await self._replicas.log.span(chat_id, first, last)):
            rows += some
            first = some[-1].n + 1
        return rows

    async def _projected(self, rows: Sequence[Row]) -> tuple[Document | None, int]:
        """The document of the chat, and how many of its rows, from the first on, are projected."""
        keys = list({str(row.message.id): None for row in rows if row.message is not None})
        database = self._database
        chat, messages = await asyncio.gather(
            database.get(database.chats, str(rows[0].chat_id)), database.get_each(database.messages, keys)
        )
        if chat is None:
            return None, 0
        changed: dict[int, int] = {int(one["_id"]): one["changed_seq"] for one in messages if one is not None}
        noted = _noted(chat, rows)

        def is_projected(row: Row) -> bool:
            message = row.message
            if message is None or chat["head_seq"] < row.seq:
                return False
            return changed.get(message.id, 0) >= message.changed_seq

        return chat, noted + sum(1 for _ in takewhile(is_projected, rows[noted:]))


def _noted(chat: Document, rows: Sequence[Row]) -> int:
    """How many of the rows, from the first on, are projected by what the document of their chat says."""
    return len(rows) if chat["deleted"] else sum(row.n <= chat["n"] for row in rows)


def _changes(rows: Sequence[Row], chat: Document) -> Sequence[Change]:
    """The changes of the rows."""

    def current() -> Chat:
        return chat_of(chat)

    return [change_of(row, current) for row in rows]
