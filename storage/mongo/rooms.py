"""The chats this server knows, each brought forward along its log."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from domain.changes import Change
from domain.models import Message
from storage.errors import Unavailable
from storage.mongo.database import Database
from storage.mongo.documents import chat_of
from storage.mongo.log import MESSAGE_KINDS, Log, Row
from storage.mongo.projection import Projection
from storage.mongo.room import Room

_SAVE_EVERY = 500
"""So many rows may be projected without that being noted: the next server to open the chat projects them again."""
_MAX_ROOMS = 10_000
"""So many chats are kept in memory, those used last. A chat of 100 members takes 18 KB (tracemalloc)."""
_MAX_SEATS = 400_000
"""So many members may they have together: about 72 MB."""


class Rooms:
    """To be used by one task at a time, the one that writes; but `peek` by everybody.

    `tell` gets each change when it is in the log and projected, those of a chat in order and without a hole: whatever
    this server finds that another one wrote, it tells too. It begins with the first row that is not known to be
    projected when the chat is first looked at: that is what a server that died has told nobody.

    What is read from the log goes into memory at once and is projected later, with `flush`: between learning what
    another server wrote and trying the next number there must be nothing slow, or the other one is always faster.
    """

    def __init__(self, database: Database, tell: Callable[[Change], None]) -> None:
        self.log = Log(database)
        self.newest_states: dict[int, Message] = {}
        """The messages that rows not yet projected have changed, as these leave them."""
        self._database = database
        self._projection = Projection(database)
        self._tell = tell
        self._rooms: OrderedDict[int, Room] = OrderedDict()
        """In the order of their last use."""
        self._seats = 0
        """How many members they have together."""
        self._pending: list[tuple[Row, Room, Change]] = []
        self._others = False  # whether some of these were found in the log

    def peek(self, chat_id: int) -> Room | None:
        """The chat, if it is in memory; to be looked at now, not kept."""
        room = self._rooms.get(chat_id)
        if room is not None:
            self._rooms.move_to_end(chat_id)
        return room

    async def get(self, chat_id: int) -> Room:
        """The chat; a room without a chat if there is none. It may be behind the log."""
        room = self.peek(chat_id)
        return await self._load(chat_id) if room is None else room

    async def catch_up(self, room: Room) -> Sequence[Row]:
        """Takes in what has come since; the new rows. Raises: `Unavailable`, and nothing is lost by that."""
        news: list[Row] = []
        while rows := await self.log.after(room.chat_id, room.n):
            for row in rows:
                self._take_in(row, room)
            self._others = True
            news += rows
        return news

    async def write(self, rows: Sequence[Row], rooms: Mapping[int, Room]) -> Sequence[Row]:
        """Puts the next rows of these rooms into the log, in order, up to the first whose number or client_id is
        taken; those that are in.

        Raises: `Lost` if it is not known which are in; `Unavailable`, which leaves that open too. Then, and then only,
        a room may be behind rows of this very server; whoever writes next cannot insert, and so finds them.
        """
        for room in rooms.values():
            room.busy = True
        try:
            done = rows[: await self.log.insert(rows)]
        finally:
            for room in rooms.values():
                room.busy = False
        for row in done:
            self._take_in(row, rooms[row.chat_id])
        return done

    async def flush(self) -> None:
        """Projects and tells what was taken in. Until then no result of it may be given away. Raises: `Unavailable`,
        and then the next call does it."""
        if not self._pending:
            return
        pending, self._pending = self._pending, []
        before = {room.chat_id: room.projected_n for _, room, _ in pending}
        try:
            await self._projection.project([row for row, _, _ in pending], before, look=self._others)
        except BaseException:
            self._pending, self._others = pending, True
            raise
        self._others = False
        self.newest_states.clear()
        for row, room, change in pending:
            room.projected_n = row.n
            if row.kind in MESSAGE_KINDS:
                room.saved_n = before[room.chat_id]  # noted along with the head, see `Projection`
            self._tell(change)
        await self._save(
            {room.chat_id: room.projected_n for _, room, _ in pending if room.unsaved > _SAVE_EVERY}
        )

    def _take_in(self, row: Row, room: Room) -> None:
        before = len(room.seats)
        self._pending.append((row, room, room.apply(row)))
        if room.chat_id in self._rooms:
            self._seats += len(room.seats) - before
        if row.message is not None:
            self.newest_states[row.message.id] = row.message
        if room.chat_id not in self._rooms:
            self._put(room)

    def _put(self, room: Room) -> None:
        self._rooms[room.chat_id] = room
        self._seats += len(room.seats)

    async def save(self) -> None:
        """Notes how far everything is projected."""
        await self._save({room.chat_id: room.projected_n for room in self._rooms.values() if room.unsaved})

    async def forget(self) -> None:
        """Lets go of the chats that were used longest ago, if there are too many of them or of their members. To be
        called between batches, when nobody holds a room; what comes next in a forgotten chat loads it again.

        A chat that has rows to project stays, and all of them do while it cannot be noted how far they are projected:
        from there on a room that is loaded again tells what it finds, and nothing may be told twice.
        """
        rooms = [room for room in self._oldest() if room.projected_n == room.n]
        if not rooms:
            return
        with suppress(Unavailable):
            await self._save({room.chat_id: room.projected_n for room in rooms if room.unsaved})
            for room in rooms:
                del self._rooms[room.chat_id]
                self._seats -= len(room.seats)

    def _oldest(self) -> Sequence[Room]:
        """Those that are too many, if any, and some more, so that this is a rare event and not a part of each batch."""
        if len(self._rooms) <= _MAX_ROOMS and self._seats <= _MAX_SEATS:
            return ()
        rooms = len(self._rooms) - _MAX_ROOMS + _MAX_ROOMS // 10
        seats = self._seats - _MAX_SEATS + _MAX_SEATS // 10
        oldest: list[Room] = []
        for room in self._rooms.values():
            if len(oldest) >= rooms and seats <= 0:
                break
            oldest.append(room)
            seats -= len(room.seats)
        return oldest

    async def _save(self, numbers: Mapping[int, int]) -> None:
        await self._projection.save(numbers)
        for chat_id, n in numbers.items():
            room = self._rooms.get(chat_id)
            if room is not None:
                room.saved_n = n

    async def _load(self, chat_id: int) -> Room:
        """From the projection as far as it is complete, the rest from the log. The log is read last: nothing of the
        projection is of a row that is not found in it."""
        room = Room(chat_id)
        document = await self._database.get(self._database.chats, str(chat_id))
        if document is not None and document["n"] > 0:
            room.n = room.projected_n = room.saved_n = document["n"]
            room.chat = chat_of(document)
            room.closed = document["deleted"]
            members = await self._database.find(self._database.members, {"chat_id": chat_id})
            for member in members:
                room.load_member(member)
            last = await self.log.get(chat_id, room.n)
            assert last is not None
            room.seq = room.told_seq = last.seq
            self._put(room)
        await self.catch_up(room)
        room.ahead.clear()
        return room
