"""A chat in memory."""

from dataclasses import replace
from datetime import datetime
from typing import Protocol

from domain.models import Chat, ChatState, ChatType, Member, Role
from domain.permissions import check_voice, check_writer
from domain.private_chats import newcomer_of
from handlers.live.connections import Connection
from handlers.live.member_ids import Ids, compact
from handlers.policy import PRESENCE_MEMBERS_MAX

# Measured with benchmarks/chat_memory.py.
_CHAT_BYTES = 1_000
_FEW_BYTES = 190
"""For each member of a chat that carries presence: in the chat's set, and in the chats of the user."""
_MANY_BYTES = 8
"""For each member of a larger chat."""


class Pins(Protocol):
    """Keeps chats in memory while somebody has joined them."""

    def pin(self, chat: "LoadedChat") -> None:
        """Called when the first connection joins."""

    def unpin(self, chat: "LoadedChat") -> None:
        """Called when the last connection is gone."""


class LoadedChat:
    """A chat in memory. `head_seq` is the number of the last change published to its room, `members` are the ids of the
    members who see it, and `joined` are the connections in its room, by id.

    `newcomer` is the member of a private chat who did not ask for it: they see it once it has a message, see
    `domain.private_chats`.
    """

    __slots__ = ("_pins", "_roles", "_voiceless", "chat", "head_seq", "joined", "members", "newcomer", "room")

    def __init__(self, state: ChatState, pins: Pins, head_seq: int = 0) -> None:
        """`head_seq`: a change with this number is published to the room already."""
        self._pins = pins
        self.chat = state.chat
        self.head_seq = max(state.chat.head_seq, head_seq)
        self.newcomer = newcomer_of(state.chat, state.members)
        is_unseen = self.newcomer is not None and self.head_seq == 0
        self.members: Ids = compact(state.members.keys() - {self.newcomer} if is_unseen else state.members)
        self.room = room_of(state.chat.id)
        self.joined: dict[str, Connection] = {}
        self._voiceless = {one.user_id: one for one in state.members.values() if _is_restricted(one)}
        """The members who are or were muted, or are blocked, by id."""
        self._roles: dict[int, Role] = {}
        """In a channel, the roles of owners and admins, by id; in other chats every member may send."""
        if state.chat.chat_type == "channel":
            self._roles = {one.user_id: one.role for one in state.members.values() if one.role != "member"}

    def check_voice(self, user_id: int, at: datetime) -> None:
        """Raises: `Forbidden` for a member who may not write at that time, whatever their role: see
        `domain.permissions.check_voice`."""
        member = self._voiceless.get(user_id)
        if member is not None:
            check_voice(member, at)

    def check_send(self, user_id: int, at: datetime) -> None:
        """Raises: `Forbidden` for a member who may not send at that time: see `domain.permissions.check_send`."""
        self.check_voice(user_id, at)
        check_writer(self.chat_type, self._roles.get(user_id, "member"))

    def set_member(self, member: Member) -> None:
        """Called when a member comes or changes."""
        self._set_voice(member)
        if self.chat_type == "channel":
            if member.role == "member":
                self._roles.pop(member.user_id, None)
            else:
                self._roles[member.user_id] = member.role

    def _set_voice(self, member: Member) -> None:
        if _is_restricted(member):
            self._voiceless[member.user_id] = member
        else:
            self._voiceless.pop(member.user_id, None)

    def set_blocked(self, user_id: int, blocked: bool) -> None:
        """Called when a member of a private chat is blocked, or not any more."""
        unrestricted = Member(user_id, "member", self.chat.created_at)
        self._set_voice(replace(self._voiceless.get(user_id, unrestricted), blocked=blocked))

    def forget_member(self, user_id: int) -> None:
        """Called when a member is gone."""
        self._voiceless.pop(user_id, None)
        self._roles.pop(user_id, None)

    def join(self, connection: Connection) -> None:
        """Adds a connection to the room; nothing happens if it is there."""
        if not self.joined:
            self._pins.pin(self)
        self.joined[connection.id] = connection

    def part(self, connection: Connection) -> None:
        """Takes a connection out of the room, in which it has to be."""
        del self.joined[connection.id]
        if not self.joined:
            self._pins.unpin(self)

    def size(self) -> int:
        """About how many bytes the chat takes while nobody has joined it."""
        name = self.chat.name or ""
        each = _FEW_BYTES if self.carries_presence else _MANY_BYTES
        return _CHAT_BYTES + 4 * len(name) + each * len(self.members)

    @property
    def id(self) -> int:
        return self.chat.id

    @property
    def chat_type(self) -> ChatType:
        return self.chat.chat_type

    @property
    def carries_presence(self) -> bool:
        return len(self.members) <= PRESENCE_MEMBERS_MAX and self.unseen_by is None

    @property
    def unseen_by(self) -> int | None:
        """The member who does not see the chat yet."""
        return None if self.newcomer is None or self.newcomer in self.members else self.newcomer

    def snapshot(self) -> Chat:
        """The chat with its present head and number of members."""
        unseen = 0 if self.unseen_by is None else 1
        return replace(self.chat, head_seq=self.head_seq, member_count=len(self.members) + unseen)


def _is_restricted(member: Member) -> bool:
    return member.muted_until is not None or member.blocked


def room_of(chat_id: int) -> str:
    """The name of a chat's room."""
    return f"chat:{chat_id}"
