"""Who comes into a chat, who goes, and who becomes what."""

from dataclasses import dataclass, replace
from datetime import datetime

from storage.errors import Duplicate, LastOwner, NotFound
from storage.models import Member, Message, Role, Rule
from storage.mongo import history
from storage.mongo.accounts import check_known
from storage.mongo.chat_writes import closing
from storage.mongo.documents import member_document, member_key, member_of
from storage.mongo.log import Row
from storage.mongo.room import Room
from storage.mongo.structure import Restructure, Same, Step
from storage.mongo.writer import Writer, judge


@dataclass(frozen=True)
class Add(Restructure[Member]):
    id: int
    actor_id: int
    user_id: int
    role: Role
    joined_at: datetime
    rule: Rule

    async def chat_id(self, writer: Writer) -> int:
        return self.id

    async def plan(self, writer: Writer, room: Room) -> Step | Same:
        judge(self.rule, room.standing(self.actor_id))
        await check_known(writer.database, [self.user_id])
        if self.user_id in room.seats:
            raise Duplicate("user_id")
        member = Member(self.user_id, self.role, self.joined_at)
        last = await _newest(writer, room)
        if last is not None:
            member = replace(member, read_seq=last.seq, last_read_message_id=last.id)
        return Step("added", {"member": member_document(member), "member_count": len(room.seats) + 1})

    def result(self, row: Row, room: Room) -> Member:
        return _member(row)


@dataclass(frozen=True)
class SetRole(Restructure[Member]):
    id: int
    actor_id: int
    user_id: int
    role: Role
    rule: Rule

    async def chat_id(self, writer: Writer) -> int:
        return self.id

    async def plan(self, writer: Writer, room: Room) -> Step | Same:
        target = await _target(writer, room, self.actor_id, self.user_id, self.rule)
        if target.role == self.role:
            return Same(target)
        if target.role == "owner" and len(room.owners()) == 1:
            raise LastOwner(f"user {self.user_id} is the only owner of chat {room.chat_id}")
        return Step("role", {"member": member_document(replace(target, role=self.role))})

    def result(self, row: Row, room: Room) -> Member:
        return _member(row)


@dataclass(frozen=True)
class Remove(Restructure[None]):
    """Of the last member it is told that the chat was deleted, no more."""

    id: int
    actor_id: int
    user_id: int
    rule: Rule

    async def chat_id(self, writer: Writer) -> int:
        return self.id

    async def plan(self, writer: Writer, room: Room) -> Step | Same:
        await _target(writer, room, self.actor_id, self.user_id, self.rule)
        if len(room.seats) == 1:
            return closing(room, left_id=self.user_id)
        heir = None
        if room.owners() == [self.user_id]:
            heir_id = _next_owner(room, self.user_id)
            heir = replace(await _seated(writer, room, heir_id), role="owner")
        return Step(
            "removed",
            {
                "user_id": self.user_id,
                "actor_id": self.actor_id,
                "heir": heir and member_document(heir),
                "member_count": len(room.seats) - 1,
            },
        )

    def result(self, row: Row, room: Room) -> None:
        return None


def _member(row: Row) -> Member:
    assert row.data is not None
    return member_of(row.data["member"])


async def _newest(writer: Writer, room: Room) -> Message | None:
    """The newest message that is not deleted, what is not yet projected included."""
    projected = await history.newest(writer.database, room.chat_id)
    if projected is not None and projected.id in writer.rooms.newest_states:
        await writer.rooms.flush()  # it may be deleted by now
        projected = await history.newest(writer.database, room.chat_id)
    candidates = [
        message
        for message in (projected, *writer.rooms.newest_states.values())
        if message is not None and message.chat_id == room.chat_id and not message.deleted
    ]
    return max(candidates, key=lambda message: message.seq, default=None)


async def _target(writer: Writer, room: Room, actor_id: int, user_id: int, rule: Rule) -> Member:
    """The member to be changed. Raises: `NotFound`; what the rule raises."""
    standing = room.standing(actor_id)
    if user_id not in room.seats:
        raise NotFound(f"user {user_id} in chat {room.chat_id}")
    target = await _seated(writer, room, user_id)
    judge(rule, replace(standing, target=target))
    return target


async def _seated(writer: Writer, room: Room, user_id: int) -> Member:
    """A member with what he has read; all else as the room has it."""
    seat, database = room.seats[user_id], writer.database
    document = await database.get(database.members, member_key(room.chat_id, user_id))
    if document is None or document["gone"]:
        await writer.rooms.flush()  # he came with a row that is not yet projected
        document = await database.get(database.members, member_key(room.chat_id, user_id))
    if document is None or document["gone"]:
        return Member(user_id, seat.role, seat.joined_at)  # removed by another server just now
    return replace(member_of(document), role=seat.role, joined_at=seat.joined_at)


def _next_owner(room: Room, leaving: int) -> int:
    """The oldest admin, else the oldest member."""
    return min(
        (user_id for user_id in room.seats if user_id != leaving),
        key=lambda user_id: (
            room.seats[user_id].role != "admin",
            room.seats[user_id].joined_at,
            user_id,
        ),
    )
