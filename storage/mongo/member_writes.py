"""Who comes into a chat, who goes, and who becomes what."""

from dataclasses import dataclass, replace
from datetime import datetime

from domain.models import Member, Message, Permission, Role
from storage.errors import Duplicate, LastOwner, NotFound
from storage.mongo import history
from storage.mongo.accounts import active_of, check_known
from storage.mongo.chat_writes import closing
from storage.mongo.documents import member_document, member_of
from storage.mongo.heirs import Relying, heir_but, owner_but
from storage.mongo.log import Row
from storage.mongo.room import Room
from storage.mongo.seats import seated
from storage.mongo.structure import Same, Step
from storage.mongo.writer import Writer, judge


@dataclass
class Add(Relying[Member]):
    id: int
    actor_id: int
    user_id: int
    role: Role
    joined_at: datetime
    rule: Permission

    async def chat_id(self, writer: Writer) -> int:
        return self.id

    async def plan(self, writer: Writer, room: Room) -> Step | Same:
        actor = room.actor(self.actor_id)
        judge(self.rule, actor)
        if not await active_of(writer.database, [self.actor_id]):
            # Banned since they asked for it: the chat may be nobody's now.
            raise NotFound(f"chat {room.chat_id}")
        self.relied = self.actor_id if actor.role == "owner" else None
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


@dataclass
class SetRole(Relying[Member]):
    id: int
    actor_id: int
    user_id: int
    role: Role
    rule: Permission

    async def chat_id(self, writer: Writer) -> int:
        return self.id

    async def plan(self, writer: Writer, room: Room) -> Step | Same:
        target = await _target(writer, room, self.actor_id, self.user_id, self.rule)
        if target.role == self.role:
            return Same(target)
        if target.role == "owner":
            self.relied = await owner_but(writer, room, self.user_id)
            if self.relied is None:
                raise LastOwner(f"chat {room.chat_id} has no active owner but user {self.user_id}")
        return Step("role", {"member": member_document(replace(target, role=self.role))})

    def result(self, row: Row, room: Room) -> Member:
        return _member(row)


@dataclass
class Remove(Relying[None]):
    """Of the last member it is told that the chat was deleted, no more."""

    id: int
    actor_id: int
    user_id: int
    rule: Permission

    async def chat_id(self, writer: Writer) -> int:
        return self.id

    async def plan(self, writer: Writer, room: Room) -> Step | Same:
        target = await _target(writer, room, self.actor_id, self.user_id, self.rule)
        self.relied = heir = None
        heir_id = await heir_but(writer, room, self.user_id)
        if heir_id is None:
            return closing(room, left_id=self.user_id)
        if target.role == "owner":
            self.relied = await owner_but(writer, room, self.user_id)
            if self.relied is None:
                self.relied = heir_id
                heir = replace(await seated(writer, room, heir_id), role="owner")
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


async def _target(writer: Writer, room: Room, actor_id: int, user_id: int, rule: Permission) -> Member:
    """The member to be changed. Raises: `NotFound`; what the rule raises."""
    actor = room.actor(actor_id)
    if user_id not in room.seats:
        raise NotFound(f"user {user_id} in chat {room.chat_id}")
    target = await seated(writer, room, user_id)
    judge(rule, replace(actor, target=target))
    return target
