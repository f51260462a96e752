"""How far members have read.

A mark is raised by one update that looks at the old one first. FerretDB does these two steps apart: there, if two
servers move the mark of one member at once, the lower may stay, and a change of role at the same moment may set it
back. A mark is moved again at the next reading.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.changes import ReadMoved
from domain.models import Message, ReadMark
from storage.errors import BadReference, NotFound, StorageError
from storage.mongo import history
from storage.mongo.documents import member_key, message_of
from storage.mongo.writer import Item, Writer

_Mark = tuple[int, int | None]


@dataclass(frozen=True)
class Read(Item[ReadMark]):
    chat_id: int
    user_id: int
    up_to: int | None

    @classmethod
    async def run_all(cls, writer: Writer, items: "Sequence[Read]", outcomes: list[Any]) -> None:
        run = _Run(writer)
        await run.look(items)
        settled: list[ReadMark | StorageError] = []
        for item in items:
            try:
                settled.append(await run.read(item))
            except (NotFound, BadReference) as error:
                settled.append(error)
        await run.write()
        outcomes[:] = settled


class _Run:
    """Marks are moved in memory, one item after the other, and written at the end, each once."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._database = writer.database
        self._messages: dict[int, Message] = {}
        self._newest: dict[int, Message | None] = {}
        self._marks: dict[tuple[int, int], _Mark] = {}
        self._unread: dict[tuple[int, int, int], int] = {}
        self._moves: list[ReadMoved] = []

    async def look(self, items: Sequence[Read]) -> None:
        database = self._database
        for chat_id in {item.chat_id for item in items}:
            room = await self._writer.rooms.get(chat_id)
            await self._writer.rooms.catch_up(room)
        await self._writer.rooms.flush()
        keys = {str(item.up_to) for item in items if item.up_to is not None}
        for document in await database.get_many(database.messages, list(keys)):
            self._messages[int(document["_id"])] = message_of(document)
        members = {member_key(item.chat_id, item.user_id) for item in items}
        for document in await database.get_many(database.members, list(members)):
            mark = document["read_seq"], document["last_read_message_id"]
            self._marks[document["chat_id"], document["user_id"]] = mark

    async def read(self, item: Read) -> ReadMark:
        """See `storage.ports.Messages.mark_read`."""
        (await self._writer.rooms.get(item.chat_id)).actor(item.user_id)
        target = await self._target(item)
        member = item.chat_id, item.user_id
        read_seq, read_id = self._marks[member]
        moved = target is not None and target.seq > read_seq
        if moved:
            assert target is not None
            read_seq, read_id = self._marks[member] = target.seq, target.id
            self._moves.append(ReadMoved(*member, read_id, read_seq))
        unread = self._unread.get((*member, read_seq))
        if unread is None:
            unread = await history.unread_count(self._database, *member, read_seq)
            self._unread[*member, read_seq] = unread
        return ReadMark(read_seq, read_id, moved, unread)

    async def write(self) -> None:
        for chat_id, user_id in {(move.chat_id, move.user_id) for move in self._moves}:
            await self._raise(chat_id, user_id, *self._marks[chat_id, user_id])
        for move in self._moves:
            self._writer.tell(move)

    async def _raise(self, chat_id: int, user_id: int, read_seq: int, read_id: int | None) -> None:
        key = member_key(chat_id, user_id)
        await self._database.patiently(
            lambda: self._database.members.update_one(
                {"_id": key, "gone": False, "read_seq": {"$lt": read_seq}},
                {"$set": {"read_seq": read_seq, "last_read_message_id": read_id}},
            )
        )

    async def _target(self, item: Read) -> Message | None:
        if item.up_to is not None:
            message = self._messages.get(item.up_to)
            if message is None or message.chat_id != item.chat_id:
                raise BadReference("up_to")
            return message
        if item.chat_id not in self._newest:
            self._newest[item.chat_id] = await history.newest(self._database, item.chat_id)
        return self._newest[item.chat_id]
