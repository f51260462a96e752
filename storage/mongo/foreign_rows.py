"""Publishes the rows that other nodes have inserted and named in their hints."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from domain.changes import Change
from domain.models import Chat
from storage.errors import Unavailable
from storage.mongo.database import Database, Document
from storage.mongo.documents import chat_of
from storage.mongo.follower import Follower
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
    chats to which this node writes in the same moment are left to the writer, which publishes them before its own.

    The rows of one chat are read up to the last that a hint names, from the one after the chat's position; for a chat
    without a position from the first that a hint names.
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

    def await_rows(self, spans: Mapping[int, tuple[int, int]]) -> None:
        """Notes that these rows, by chat the first and the last, are in the log or will be."""
        now_s = asyncio.get_running_loop().time()
        for chat_id, (first, last) in spans.items():
            awaited = self._awaited.get(chat_id)
            if awaited is None:
                self._awaited[chat_id] = _Awaited(first, last, now_s, now_s + ROWS_AWAITED_S)
            else:
                awaited.first, awaited.last = min(first, awaited.first), max(last, awaited.last)
                awaited.until_s = now_s + ROWS_AWAITED_S

    async def publish(self) -> None:
        """Publishes the awaited rows that are in the log and projected, and those of this node whose write failed
        though it was made. Raises: `Unavailable`; the rows that are not published then are awaited further."""
        while self._replicas.unpublished:
            row = self._replicas.unpublished.popleft()
            self.await_rows({row.chat_id: (row.n, row.n)})
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

    async def _publish_chat(self, chat_id: int) -> None:
        awaited = self._awaited[chat_id]
        done = await self._publish_late(chat_id, awaited) and await self._publish_next(chat_id, awaited)
        now_s = asyncio.get_running_loop().time()
        if done or now_s > awaited.until_s:
            del self._awaited[chat_id]

    async def _publish_next(self, chat_id: int, awaited: _Awaited) -> bool:
        """Publishes the awaited rows above the position. Whether that is all of them."""
        position, writing = self._positions.get(chat_id), self._writer.writing
        start = awaited.first if position is None else position.n + 1
        if start > awaited.last:
            return True
        rows = [] if writing(chat_id) else await self._replicas.log.span(chat_id, start, awaited.last)
        unknown = any(logged_kind(row.kind) is None for row in rows)
        if unknown or writing(chat_id) or any(map(self._writer.owns, rows)):
            await self._read_log(chat_id)
        elif rows:
            await self._publish_rows(chat_id, rows, awaited)
        position = self._positions.get(chat_id)
        return position is not None and position.n >= awaited.last

    async def _publish_rows(self, chat_id: int, rows: Sequence[Row], awaited: _Awaited) -> None:
        now_s = asyncio.get_running_loop().time()
        for pause_s in _PAUSES_S:
            await asyncio.sleep(pause_s)
            chat, projected = await self._projected(chat_id, rows)
            if chat is not None and projected:
                self._replicas.offered.add(self._publication.rows(_changes(rows[:projected], chat)))
                awaited.since_s = now_s
                rows = rows[projected:]
            if not any(row.message is None for row in rows):
                break
        if any(row.message is None for row in rows) or (rows and now_s - awaited.since_s > _UNPROJECTED_S):
            await self._read_log(chat_id)

    async def _read_log(self, chat_id: int) -> None:
        """Makes the writer publish the log of the chat, up to a row of a kind that this version does not know."""
        try:
            await self._follower.read_log(chat_id)
        except Unavailable as error:
            if error.trouble != "newer":
                raise

    async def _publish_late(self, chat_id: int, awaited: _Awaited) -> bool:
        """Publishes the rows of a chat that nobody follows from the first awaited one to the first that was published.
        Whether that is all of them."""
        position = self._positions.get(chat_id)
        if position is None or awaited.first >= position.first:
            return True
        first, last = awaited.first, position.first - 1
        rows = await self._replicas.log.span(chat_id, first, last)
        if any(logged_kind(row.kind) is None for row in rows):
            return True
        chat, projected = await self._projected(chat_id, rows)
        if chat is None or projected < last - first + 1:
            return False
        self._publication.late(_changes(rows, chat))
        return True

    async def _projected(self, chat_id: int, rows: Sequence[Row]) -> tuple[Document | None, int]:
        """The document of the chat, and how many of the rows, from the first on, are projected."""
        keys = list({str(row.message.id): None for row in rows if row.message is not None})
        database = self._database
        chat, messages = await asyncio.gather(
            database.get(database.chats, str(chat_id)), database.get_each(database.messages, keys)
        )
        if chat is None:
            return None, 0
        if chat["deleted"]:
            return chat, len(rows)
        changed: dict[int, int] = {int(one["_id"]): one["changed_seq"] for one in messages if one is not None}

        def is_projected(row: Row) -> bool:
            if row.n <= chat["n"]:
                return True
            message = row.message
            if message is None or chat["head_seq"] < row.seq:
                return False
            return changed.get(message.id, 0) >= message.changed_seq

        return chat, sum(1 for _ in takewhile(is_projected, rows))


def _changes(rows: Sequence[Row], chat: Document) -> Sequence[tuple[Row, Change]]:
    """The rows with their changes."""

    def current() -> Chat:
        return chat_of(chat)

    return [(row, change_of(row, current)) for row in rows]
