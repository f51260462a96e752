"""Opening, naming and closing chats."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime

from domain.models import Chat, ChatType, Member, Permission
from storage.errors import UnknownUsers
from storage.mongo.accounts import active_of, check_known
from storage.mongo.documents import member_document, micros
from storage.mongo.heirs import Relying
from storage.mongo.log import Row
from storage.mongo.room import Room
from storage.mongo.structure import Restructure, Same, Step
from storage.mongo.writer import Writer, judge


@dataclass
class Open(Relying[tuple[Chat, bool]]):
    """A private chat of two users has one place in `pairs` after another, each with the id of a chat that is to be.
    Whoever finds the last of them without a chat, or with one that was closed, goes on from there: a place is taken
    by inserting its number, and the chat made by inserting its first row."""

    name: str | None
    chat_type: ChatType
    owner_id: int
    user_ids: Collection[int]
    created_at: datetime
    _chat_id: int | None = field(default=None, init=False)

    async def chat_id(self, writer: Writer) -> int:
        await check_known(writer.database, self.user_ids)
        if not await active_of(writer.database, [self.owner_id]):
            # Banned since they asked for it: a chat needs an owner who counts.
            raise UnknownUsers([self.owner_id])
        self.relied = self.owner_id
        if self.chat_type == "private":
            return await self._private(writer)
        if self._chat_id is None:
            (self._chat_id,) = await writer.ids.take("chats")
        return self._chat_id

    async def _private(self, writer: Writer) -> int:
        pairs, users = writer.database.pairs, " ".join(map(str, sorted(self.user_ids)))
        while True:
            places = await writer.database.find(pairs, {"users": users}, sort=[("generation", -1)], limit=1)
            generation = 0
            if places:
                chat_id: int = places[0]["chat_id"]
                room = await writer.rooms.get(chat_id)
                await writer.rooms.catch_up(room)
                if not room.closed:
                    return chat_id
                generation = places[0]["generation"] + 1
            if self._chat_id is None:
                (self._chat_id,) = await writer.ids.take("chats")
            place = {"_id": f"{users}:{generation}", "users": users, "generation": generation}
            await writer.database.add(pairs, {**place, "chat_id": self._chat_id})

    async def plan(self, writer: Writer, room: Room) -> Step | Same:
        if room.chat is not None:
            return Same((room.current(), False))
        members = [
            Member(user_id, "owner" if user_id == self.owner_id else "member", self.created_at)
            for user_id in sorted(self.user_ids)
        ]
        chat = {
            "id": room.chat_id,
            "name": self.name,
            "chat_type": self.chat_type,
            "created_at": micros(self.created_at),
            "created_by": self.owner_id,
            "head_seq": 0,
            "member_count": len(members),
        }
        return Step("opened", {"chat": chat, "members": [member_document(member) for member in members]})

    def result(self, row: Row, room: Room) -> tuple[Chat, bool]:
        return room.current(), True


@dataclass(frozen=True)
class Rename(Restructure[Chat]):
    id: int
    user_id: int
    name: str
    rule: Permission

    async def chat_id(self, writer: Writer) -> int:
        return self.id

    async def plan(self, writer: Writer, room: Room) -> Step | Same:
        judge(self.rule, room.actor(self.user_id))
        if room.current().name == self.name:
            return Same(room.current())
        return Step("renamed", {"name": self.name})

    def result(self, row: Row, room: Room) -> Chat:
        return replace(room.current(), name=self.name)


@dataclass(frozen=True)
class Close(Restructure[None]):
    id: int
    user_id: int
    rule: Permission

    async def chat_id(self, writer: Writer) -> int:
        return self.id

    async def plan(self, writer: Writer, room: Room) -> Step | Same:
        judge(self.rule, room.actor(self.user_id))
        return closing(room)

    def result(self, row: Row, room: Room) -> None:
        return None


def closing(room: Room, *, left_id: int | None = None) -> Step:
    """The end of the chat, because the member `left_id` left if that is not None."""
    user_ids = sorted(room.seats)
    return Step("closed", {"user_ids": user_ids, "left_id": left_id, "deleted": True, "member_count": 0})
