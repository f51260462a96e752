"""What a chat is after the rows of its log up to some number: held in memory, and brought forward row by row."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from domain.changes import (
    Change,
    ChatCreated,
    ChatDeleted,
    ChatRenamed,
    MemberAdded,
    MemberRemoved,
    MessageChange,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    RoleChanged,
)
from domain.frozen import frozen
from domain.models import Actor, Chat, ChatState, Member, Role
from storage.errors import NotFound
from storage.mongo.database import Document
from storage.mongo.documents import chat_of, member_of, moment
from storage.mongo.log import Row

_MESSAGE_CHANGES: Mapping[str, type[MessageChange]] = {
    "sent": MessageCreated,
    "edited": MessageEdited,
    "deleted": MessageDeleted,
}


@frozen
class Seat:
    """A member, without what he has read: that is not in the log."""

    role: Role
    joined_at: datetime


@dataclass(slots=True)
class Room:
    """`n` and `seq` are those of the last row in it; `projected_n` is how far it is projected, `saved_n` how far the
    database knows of that; `told_seq` is the last change told, and each above it will be. `chat` is None before the
    first row; its head and number of members are not kept up. `busy`: rows of this server are on their way into the
    log."""

    chat_id: int
    n: int = 0
    seq: int = 0
    projected_n: int = 0
    saved_n: int = 0
    told_seq: int = 0
    busy: bool = False
    chat: Chat | None = None
    closed: bool = False
    seats: dict[int, Seat] = field(default_factory=dict)
    ahead: dict[int, int] = field(default_factory=dict)
    """Of members read from the projection while it was being loaded: the row they are as of, gone ones too."""

    @property
    def unsaved(self) -> int:
        return self.projected_n - self.saved_n

    def actor(self, user_id: int) -> Actor:
        """Raises: `NotFound` if there is no such chat or the user is not in it."""
        seat = self.seats.get(user_id)
        if self.chat is None or self.closed or seat is None:
            raise NotFound(f"chat {self.chat_id}")
        return Actor(user_id, seat.role, self.chat.chat_type)

    def current(self) -> Chat:
        assert self.chat is not None
        return replace(self.chat, head_seq=self.seq, member_count=len(self.seats))

    def owners(self) -> list[int]:
        return [user_id for user_id, seat in self.seats.items() if seat.role == "owner"]

    def apply(self, row: Row) -> Change:
        """Takes in the next row; what is to be told of it."""
        assert row.n == self.n + 1
        self.n, self.seq = row.n, row.seq
        if row.kind in _MESSAGE_CHANGES:
            assert row.message is not None
            return _MESSAGE_CHANGES[row.kind](row.message)
        assert row.data is not None
        return self._restructure(row, row.data)

    def _restructure(self, row: Row, data: Document) -> Change:
        if row.kind == "opened":
            self.chat = chat_of(data["chat"])
            members = [member_of(document) for document in data["members"]]
            for member in members:
                self._seat(row, member)
            return ChatCreated(ChatState(self.chat, {member.user_id: member for member in members}))
        if row.kind == "renamed":
            assert self.chat is not None
            self.chat = replace(self.chat, name=data["name"])
            return ChatRenamed(self.current())
        if row.kind == "added":
            member = member_of(data["member"])
            self._seat(row, member)
            return MemberAdded(self.chat_id, member)
        if row.kind == "role":
            member = member_of(data["member"])
            self._seat(row, member)
            return RoleChanged(self.chat_id, member, self._heir(row, data))
        if row.kind == "removed":
            if self._concerns(row, data["user_id"]):
                self.seats.pop(data["user_id"], None)
            heir = self._heir(row, data)
            assert self.chat is not None
            # Rows of the first stage do not say by whom.
            return MemberRemoved(self.chat_id, data["user_id"], heir, data.get("actor_id"), self.chat.name)
        self.closed = True
        self.seats.clear()
        assert self.chat is not None
        name, chat_type = self.chat.name, self.chat.chat_type
        return ChatDeleted(self.chat_id, data["user_ids"], name, chat_type, data.get("left_id"))

    def _heir(self, row: Row, data: Document) -> Member | None:
        """Seats who inherits by this row; None if nobody does."""
        if not data.get("heir"):
            return None
        heir = member_of(data["heir"])
        self._seat(row, heir)
        return heir

    def load_member(self, document: Document) -> None:
        """Takes in a member of the projection, which may be ahead of the rows taken in so far."""
        self.ahead[document["user_id"]] = document["n"]
        if not document["gone"]:
            self.seats[document["user_id"]] = Seat(document["role"], moment(document["joined_at"]))

    def _seat(self, row: Row, member: Member) -> None:
        if self._concerns(row, member.user_id):
            self.seats[member.user_id] = Seat(member.role, member.joined_at)

    def _concerns(self, row: Row, user_id: int) -> bool:
        return self.ahead.get(user_id, 0) < row.n
