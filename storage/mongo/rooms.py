"""The chats this server knows, each brought forward along its log."""

from collections.abc import Callable, Mapping, Sequence

from storage.changes import Change
from storage.mongo.database import Database
from storage.mongo.documents import chat_of
from storage.mongo.log import Log, Row
from storage.mongo.projection import Projection
from storage.mongo.room import Room

_SAVE_EVERY = 500
"""So many rows may be projected without that being noted: the next server to open the chat projects them again."""


class Rooms:
    """To be used by one task at a time, the one that writes; but `peek` by everybody.

    `tell` gets each change when it is in the log and projected, those of a chat in order and without a hole: whatever
    this server finds that another one wrote, it tells too. It begins with the first row that is not known to be
    projected when the chat is first looked at: that is what a server that died has told nobody.
    """

    def __init__(self, database: Database, tell: Callable[[Change], None]) -> None:
        self.log = Log(database)
        self._database = database
        self._projection = Projection(database)
        self._tell = tell
        self._rooms: dict[int, Room] = {}

    def peek(self, chat_id: int) -> Room | None:
        return self._rooms.get(chat_id)

    async def get(self, chat_id: int) -> Room:
        """The chat; a room without a chat if there is none. It may be behind the log."""
        room = self._rooms.get(chat_id)
        if room is None:
            room = await self._load(chat_id)
            if room.chat is not None:
                self._rooms[chat_id] = room
        return room

    async def catch_up(self, room: Room) -> Sequence[Row]:
        """Takes in what has come since; the new rows. Raises: `Unavailable`, and nothing is lost by that."""
        news: list[Row] = []
        while rows := await self.log.after(room.chat_id, room.n):
            await self._advance(rows, {room.chat_id: room})
            news += rows
        if room.chat is not None:
            self._rooms.setdefault(room.chat_id, room)
        return news

    async def write(self, rows: Sequence[Row], rooms: Mapping[int, Room]) -> Sequence[Row]:
        """Puts the next rows of these rooms into the log, in order, up to the first whose number or client_id is
        taken; those that are in, projected and taken in.

        Raises: `Lost` if it is not known which are in; `Unavailable`, which leaves that open too. Then, and then only,
        a room may be behind rows of this very server; whoever writes next cannot insert, and so finds them.
        """
        for room in rooms.values():
            room.busy = True
        try:
            done = rows[: await self.log.insert(rows)]
            await self._advance(done, rooms)
        finally:
            for room in rooms.values():
                room.busy = False
        for room in rooms.values():
            if room.chat is not None:
                self._rooms.setdefault(room.chat_id, room)
        return done

    async def _advance(self, rows: Sequence[Row], rooms: Mapping[int, Room]) -> None:
        """Projects the next rows of these rooms, takes them in and tells them, or none of that."""
        before = {chat_id: room.n for chat_id, room in rooms.items()}
        await self._projection.project(rows, before)
        for row in rows:
            room = rooms[row.chat_id]
            if row.seq > room.seq:
                room.saved_n = before[row.chat_id]  # noted along with the head, see `Projection`
            self._tell(room.apply(row))
        lagging = {room.chat_id: room.n for room in rooms.values() if room.n - room.saved_n > _SAVE_EVERY}
        await self._save(lagging)

    async def save(self) -> None:
        """Notes how far everything is projected."""
        await self._save({room.chat_id: room.n for room in self._rooms.values() if room.n > room.saved_n})

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
            room.n = room.saved_n = document["n"]
            room.chat = chat_of(document)
            room.closed = document["deleted"]
            members = await self._database.find(self._database.members, {"chat_id": chat_id})
            for member in members:
                room.load_member(member)
            last = await self.log.get(chat_id, room.n)
            assert last is not None
            room.seq = room.told_from = last.seq
        await self.catch_up(room)
        room.ahead.clear()
        return room
