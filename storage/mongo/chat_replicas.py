"""The replicas of the chats that this node uses, kept up to date from their logs."""

from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from domain.audit import is_audited
from domain.changes import Change
from domain.frozen import frozen
from domain.models import Message
from storage.errors import Unavailable
from storage.mongo.audit import write_rows
from storage.mongo.chat_replica import ChatReplica
from storage.mongo.database import Database
from storage.mongo.documents import chat_of
from storage.mongo.hint_writer import HintWriter
from storage.mongo.log import Log, Row
from storage.mongo.new_kinds import unknown_kind
from storage.mongo.offered_rows import OfferedRows
from storage.mongo.positions import Positions
from storage.mongo.projection import Projection
from storage.mongo.row_codecs import change_of, logged_kind

_SAVE_EVERY = 500
"""How many rows of a chat may be projected before that is noted in the database. The next node that loads the chat
projects the rows that are not noted again."""
_UNPUBLISHED_MAX = 10_000
_MAX_CHATS = 10_000
"""How many chats are kept in memory, those used last. A chat of 100 members takes 18 KB (tracemalloc)."""
_MAX_MEMBERS = 400_000
"""How many members these chats may have together: about 72 MB."""


@frozen
class Applied:
    """A row of the log that is in the replica of its chat, and the change that it makes. `own`: this node inserted
    the row."""

    row: Row
    replica: ChatReplica
    change: Change
    own: bool


class ChatReplicas:
    """Only the writing task uses this, except `peek`, which any task may call.

    `publish` gets each row when it is in the log and projected, and the hint that names it is on disk: those of a
    chat in order and without a hole, those of other nodes too. It begins with the row after the chat's position. For
    a chat without a position that is the first row that is not known to be projected: a node that died has published
    no more than the rows before it.

    Rows that are read from the log are applied at once and projected later, by `flush`: nothing slow may happen between
    reading the rows of another node and trying the next number, or the other node is always faster.
    """

    def __init__(
        self,
        database: Database,
        positions: Positions,
        hints: HintWriter,
        owns: Callable[[Row], bool],
        publish: Callable[[Applied], None],
    ) -> None:
        """`owns` says whether this node wrote a row."""
        self.log = Log(database)
        self.newest_states: dict[int, Message] = {}
        """The newest states of the messages whose rows are not yet projected."""
        self.offered = OfferedRows()
        self.unpublished: deque[Row] = deque(maxlen=_UNPUBLISHED_MAX)
        """Rows of writes that failed: they may be in the log, and who takes them from here has them published then."""
        self._database = database
        self._projection = Projection(database)
        self._positions = positions
        self._hints = hints
        self._hint = 0  # the number of the last hint that names pending rows
        self._owns = owns
        self._publish = publish
        self._replicas: OrderedDict[int, ChatReplica] = OrderedDict()
        """In the order of their last use."""
        self._member_count = 0
        """How many members they have together."""
        self._pending: list[Applied] = []
        self._others = False  # whether some of these rows were found in the log

    def peek(self, chat_id: int) -> ChatReplica | None:
        """The chat, if it is in memory. To be used in this turn and not kept."""
        replica = self._replicas.get(chat_id)
        if replica is not None:
            self._replicas.move_to_end(chat_id)
        return replica

    async def get(self, chat_id: int) -> ChatReplica:
        """The replica of the chat; its `chat` is None if there is no such chat. It may be behind the log.

        Raises: `UnknownKind` if this version cannot follow the log of the chat; `Unavailable`.
        """
        replica = self.peek(chat_id) or await self._load(chat_id)
        replica.check()
        if replica.projected_n == replica.n:  # the position may be gone though the replica is not
            self._positions.resume(chat_id, replica.n, replica.seq)
        return replica

    async def catch_up(self, replica: ChatReplica, *, hint: bool = True) -> Sequence[Applied]:
        """Applies the rows of the log that are new, up to the first of an unknown kind, and returns them.
        `ChatReplica.check` says whether they are all. Raises: `Unavailable`; no row is lost by that.

        With `hint`, those rows of others that are not published here are named in a hint: the node that inserted
        them may have died before its own hint was on disk.
        """
        new: list[Applied] = []
        while replica.unknown_kind is None and (rows := await self.log.after(replica.chat_id, replica.n)):
            self._others = True
            for row in rows:
                if logged_kind(row.kind) is None:
                    replica.unknown_kind = row.kind
                    break
                new.append(self._apply(row, replica, own=self._owns(row)))
                replica.found_n = row.n
        if hint:
            position = self._positions.get(replica.chat_id)
            published_n = 0 if position is None else position.n
            self.hint([applied.row for applied in new if applied.row.n > published_n and not applied.own])
        return new

    def hint(self, rows: Sequence[Row]) -> None:
        """Begins to write a hint that names these rows; `flush` returns when it is on disk."""
        if rows:
            self._hint = self._hints.add_rows(rows)

    async def write(self, rows: Sequence[Row], replicas: Mapping[int, ChatReplica]) -> Sequence[Applied]:
        """Puts the next rows of these replicas into the log, in order, up to the first whose number or client_id is
        taken, and applies and returns those that are in.

        The same command inserts a hint that names them, unless another hint is being written: then theirs is written
        meanwhile.

        Raises: `UnknownOutcome` if it is not known which are in; `Unavailable`, which leaves that open too. Only then
        may a replica be behind rows of this very server; the next write cannot insert its rows, and so finds them.
        """
        if not rows:
            return ()
        self._hint, hint = self._hints.lend(rows)
        for replica in replicas.values():
            replica.busy = True
        known = False
        try:
            inserted = await self.log.insert(rows, hint)
            known = True
        except BaseException:
            self.unpublished += rows
            raise
        finally:
            if hint is not None:
                self._hints.give_back(inserted=known)
            for replica in replicas.values():
                replica.busy = False
        return [self._apply(row, replicas[row.chat_id], own=True) for row in rows[:inserted]]

    async def flush(self) -> int:
        """Projects and publishes what was applied, and returns the number of the last hint that names it. Until then no
        result of it may be given away. Raises: `Unavailable`, and then the next call does it.

        That rows of other kinds than changes of messages are projected is noted at once: another node that reads such
        a row cannot see it in the documents.
        """
        if not self._pending:
            await self._hints.written(self._hint)
            return self._hint
        pending, self._pending = self._pending, []
        before = {one.row.chat_id: one.replica.projected_n for one in pending}
        audited = [one for one in pending if is_audited(type(one.change))]
        try:
            # First: the projection takes from the log who deleted a message.
            if audited:
                await write_rows(
                    self._database, [(one.row.chat_id, one.row.n, one.change) for one in audited]
                )
            await self._projection.project([one.row for one in pending], before, check_first=self._others)
            await self._hints.written(self._hint)
        except BaseException:
            self._pending, self._others = pending, True
            self.unpublished += [one.row for one in pending]
            raise
        self._others = False
        self.newest_states.clear()
        unsaved: dict[int, int] = {}
        for one in pending:
            row, replica = one.row, one.replica
            replica.projected_n = max(replica.projected_n, row.n)
            if row.message is None or replica.unsaved > _SAVE_EVERY:
                unsaved[row.chat_id] = replica.projected_n
            elif replica.saved_n < before[row.chat_id]:
                replica.saved_n = before[row.chat_id]  # noted along with the head, see `Projection`
            self._publish(one)
        if unsaved:
            with suppress(Unavailable):  # a note that is missing costs other nodes a second look, no more
                await self._save(unsaved)
        return self._hint

    def take_offered(self) -> None:
        """Brings replicas forward by what was offered. To be called between batches."""
        self._member_count += self.offered.apply(self._replicas)

    def _apply(self, row: Row, replica: ChatReplica, *, own: bool) -> Applied:
        before = len(replica.roles)
        applied = Applied(row, replica, replica.apply(row), own)
        self._pending.append(applied)
        if row.chat_id in self._replicas:
            self._member_count += len(replica.roles) - before
        else:
            self._put(replica)
        if row.message is not None:
            self.newest_states[row.message.id] = row.message
        return applied

    def _put(self, replica: ChatReplica) -> None:
        self._replicas[replica.chat_id] = replica
        self._member_count += len(replica.roles)

    async def save(self) -> None:
        """Notes in the database how far all chats are projected."""
        await self._save(
            {replica.chat_id: replica.projected_n for replica in self._replicas.values() if replica.unsaved}
        )

    async def forget(self) -> None:
        """Removes the chats that were used longest ago from memory, if there are too many of them or of their members.
        To be called between batches, when no replica is in use; the next write to such a chat loads it again.

        A chat with rows to project stays. While it cannot be noted how far chats are projected, all of them stay: for
        a chat without a position, a replica that is loaded publishes the rows from the noted one on, and no change may
        be published twice.
        """
        if len(self._replicas) <= _MAX_CHATS and self._member_count <= _MAX_MEMBERS:
            return
        replicas = [replica for replica in self._oldest() if replica.projected_n == replica.n]
        if not replicas:
            return
        with suppress(Unavailable):
            await self._save(
                {replica.chat_id: replica.projected_n for replica in replicas if replica.unsaved}
            )
            for replica in replicas:
                del self._replicas[replica.chat_id]
                self._member_count -= len(replica.roles)

    def _oldest(self) -> Sequence[ChatReplica]:
        """The chats to remove; a tenth more than necessary, so that it does not happen in each batch."""
        chats = len(self._replicas) - _MAX_CHATS + _MAX_CHATS // 10
        members = self._member_count - _MAX_MEMBERS + _MAX_MEMBERS // 10
        oldest: list[ChatReplica] = []
        for replica in self._replicas.values():
            if len(oldest) >= chats and members <= 0:
                break
            oldest.append(replica)
            members -= len(replica.roles)
        return oldest

    async def _save(self, numbers: Mapping[int, int]) -> None:
        await self._projection.save(numbers)
        for chat_id, n in numbers.items():
            replica = self._replicas.get(chat_id)
            if replica is not None:
                replica.saved_n = n

    async def _load(self, chat_id: int) -> ChatReplica:
        """Loads the projection as far as it is complete, and then the rows after that from the log. The log is read
        last, so it has every row that the projection reflects."""
        replica = ChatReplica(chat_id)
        document = await self._database.get(self._database.chats, str(chat_id))
        if document is not None and document["n"] > 0:
            replica.n = replica.projected_n = replica.saved_n = document["n"]
            replica.chat = chat_of(document)
            replica.closed = document["deleted"]
            replica.unknown_kind = unknown_kind(document)
            members = await self._database.find(self._database.members, {"chat_id": chat_id})
            for member in members:
                replica.load_member(member)
            last = await self.log.get(chat_id, replica.n)
            assert last is not None
            replica.seq = last.seq
            await self._add_missed(replica)
            self._put(replica)
        else:
            self._positions.begin(chat_id, 0, 0)
        new = await self.catch_up(replica, hint=False)
        # The last changes of messages are mostly not noted as projected, other rows are unless their node died.
        self.hint([applied.row for applied in new if applied.row.message is None])
        replica.loaded_at.clear()
        return replica

    async def _add_missed(self, replica: ChatReplica) -> None:
        """Adds to the pending rows those that the chat's position lacks though the projection has them: other nodes
        wrote them while this one had no replica of the chat."""
        position = self._positions.begin(replica.chat_id, replica.n, replica.seq)
        n, missed = position.n, list[Row]()
        while n < replica.n and (rows := await self.log.after(replica.chat_id, n)):
            missed += [row for row in rows if row.n <= replica.n and logged_kind(row.kind) is not None]
            n = rows[-1].n
        if missed:
            self._others = True
            replica.found_n = replica.n
            self._pending += [
                Applied(row, replica, change_of(row, replica.current), self._owns(row)) for row in missed
            ]
