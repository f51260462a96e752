"""Who comes into a chat, who goes, and who becomes what."""

from dataclasses import dataclass, replace
from datetime import datetime

from storage.errors import Duplicate, LastOwner, NotFound
from storage.models import Member, Role, Rule
from storage.mongo import history
from storage.mongo.accounts import check_known
from storage.mongo.chat_writes import closing
from storage.mongo.database import Database
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
        last = await history.newest(writer.database, room.chat_id)
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
        target = await _target(writer.database, room, self.actor_id, self.user_id, self.rule)
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
        await _target(writer.database, room, self.actor_id, self.user_id, self.rule)
        if len(room.seats) == 1:
            return closing(room)
        heir = None
        if room.owners() == [self.user_id]:
            heir_id = _next_owner(room, self.user_id)
            heir = replace(await _seated(writer.database, room, heir_id), role="owner")
        return Step(
            "removed",
            {
                "user_id": self.user_id,
                "heir": heir and member_document(heir),
                "member_count": len(room.seats) - 1,
            },
        )

    def result(self, row: Row, room: Room) -> None:
        return None


def _member(row: Row) -> Member:
    assert row.data is not None
    return member_of(row.data["member"])


async def _target(database: Database, room: Room, actor_id: int, user_id: int, rule: Rule) -> Member:
    """The member to be changed. Raises: `NotFound`; what the rule raises."""
    standing = room.standing(actor_id)
    if user_id not in room.seats:
        raise NotFound(f"user {user_id} in chat {room.chat_id}")
    target = await _seated(database, room, user_id)
    judge(rule, replace(standing, target=target))
    return target


async def _seated(database: Database, room: Room, user_id: int) -> Member:
    """A member with what he has read; all else as the room has it."""
    seat = room.seats[user_id]
    document = await database.get(database.members, member_key(room.chat_id, user_id))
    assert document is not None
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
