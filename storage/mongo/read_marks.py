"""How far members have read.

A mark is raised by one update that compares it with the old one. FerretDB compares and writes in two steps: there, if
two nodes move the mark of one member at once, the lower mark may stay, and a change of role in the same moment may
set it back. The next read moves the mark again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.changes import ReadMoved
from domain.decisions import marks
from domain.decisions.settings import after_read
from domain.models import Member, Message, ReadMark
from domain.refusals import Refusal
from storage.mongo import history, mentions, own_members
from storage.mongo.chat_replica import ChatReplica
from storage.mongo.documents import member_key, message_of, settings_of
from storage.mongo.writer import Writer, WriterItem

_Mark = tuple[int, int | None]


@dataclass(frozen=True)
class Read(WriterItem[ReadMark]):
    chat_id: int
    user_id: int
    up_to: int | None

    @classmethod
    async def run_all(cls, writer: Writer, items: "Sequence[Read]", outcomes: list[Any]) -> None:
        run = _Run(writer)
        await run.load(items)
        settled: list[ReadMark | Refusal] = []
        for item in items:
            try:
                settled.append(await run.read(item))
            except Refusal as refusal:
                settled.append(refusal)
        await run.write()
        outcomes[:] = settled


class _Run:
    """Marks are moved in memory, one item after the other, and written at the end, each once. See
    `domain.decisions.view.MarkView`."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._database = writer.database
        self._replicas: dict[int, ChatReplica] = {}
        self._messages: dict[int, Message] = {}
        self._newest: dict[int, Message | None] = {}
        self._marks: dict[tuple[int, int], _Mark] = {}
        self._marked_unread: dict[tuple[int, int], Member] = {}
        """Members who have marked a chat as unread, which a read ends."""
        self._unread: dict[tuple[int, int, int], tuple[int, int]] = {}
        """By chat, user and mark: how many messages are unread, and how many of them mention the user or all."""
        self._moves: list[ReadMoved] = []

    async def load(self, items: Sequence[Read]) -> None:
        database = self._database
        for chat_id in {item.chat_id for item in items}:
            replica = self._replicas[chat_id] = await self._writer.replicas.get(chat_id)
            await self._writer.replicas.catch_up(replica)
            replica.check()
        await self._writer.replicas.flush()
        keys = {str(item.up_to) for item in items if item.up_to is not None}
        for document in await database.get_many(database.messages, list(keys)):
            self._messages[int(document["_id"])] = message_of(document)
        for chat_id in {item.chat_id for item in items if item.up_to is None}:
            self._newest[chat_id] = await history.newest(database, chat_id)
        members = {member_key(item.chat_id, item.user_id) for item in items}
        for document in await database.get_many(database.members, list(members)):
            mark = document["read_seq"], document["last_read_message_id"]
            key = document["chat_id"], document["user_id"]
            self._marks[key] = mark
            if settings_of(document.get("settings")).marked_unread:
                self._marked_unread[key] = await own_members.of_document(database, document)

    def member(self, chat_id: int, user_id: int) -> Member | None:
        member = self._replicas[chat_id].roles.get(user_id)
        if member is None:
            return None
        return Member(user_id, member.role, member.joined_at, *self._marks[chat_id, user_id])

    def message(self, message_id: int) -> Message | None:
        return self._messages.get(message_id)

    def newest(self, chat_id: int) -> Message | None:
        return self._newest[chat_id]

    async def read(self, item: Read) -> ReadMark:
        """See `storage.ports.Messages.mark_read`."""
        outcome = marks.read(self, item.chat_id, item.user_id, item.up_to)
        member, read_seq = (item.chat_id, item.user_id), outcome.read_seq
        await self._end_marked_unread(*member)
        unread = await self._counts(*member, read_seq)
        if not isinstance(outcome, ReadMoved):
            return ReadMark(read_seq, outcome.last_read_message_id, False, *unread)
        self._marks[member] = read_seq, outcome.up_to
        self._moves.append(outcome)
        return ReadMark(read_seq, outcome.up_to, True, *unread)

    async def _counts(self, chat_id: int, user_id: int, read_seq: int) -> tuple[int, int]:
        found = self._unread.get((chat_id, user_id, read_seq))
        if found is None:
            mark = chat_id, user_id, read_seq
            unread = await history.unread_count(self._database, *mark)
            mentioning = await mentions.unread_mentions(self._database, *mark) if unread else 0
            found = self._unread[mark] = unread, mentioning
        return found

    async def _end_marked_unread(self, chat_id: int, user_id: int) -> None:
        member = self._marked_unread.pop((chat_id, user_id), None)
        change = None if member is None else after_read(chat_id, member)
        if change is not None:
            await own_members.write_settings(self._database, chat_id, change.member)
            self._writer.publish(change)

    async def write(self) -> None:
        for chat_id, user_id in {(move.chat_id, move.user_id) for move in self._moves}:
            await self._raise(chat_id, user_id, *self._marks[chat_id, user_id])
        for move in self._moves:
            self._writer.publish(move)

    async def _raise(self, chat_id: int, user_id: int, read_seq: int, read_id: int | None) -> None:
        key = member_key(chat_id, user_id)
        await self._database.with_retry(
            lambda: self._database.members.update_one(
                {"_id": key, "gone": False, "read_seq": {"$lt": read_seq}},
                {"$set": {"read_seq": read_seq, "last_read_message_id": read_id}},
            )
        )
