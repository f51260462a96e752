"""What a chat is after the rows of its log up to some number: held in memory, and brought forward row by row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from domain.changes import (
    Change,
    ChatCreated,
    ChatDeleted,
    ChatRenamed,
    ChatSettingsChanged,
    MemberAdded,
    MemberRemoved,
    MessageChange,
    MessageCreated,
    RoleChanged,
    check_served,
)
from domain.file_changes import ChatAvatarChanged
from domain.frozen import frozen
from domain.hook_changes import HookAdded, HookChanged, HookRemoved
from domain.invites import InviteMade, InviteRemoved
from domain.models import Actor, Ban, Chat, Member, Role
from domain.moderation import MemberMuted, UserBanned, UserUnbanned
from domain.private_chats import ChatOpened, MemberBlocked, sees
from domain.refusals import NotFound
from storage.mongo.database import Document
from storage.mongo.documents import member_of
from storage.mongo.log import Row
from storage.mongo.row_codecs import UnknownKind, change_of


@frozen
class MemberRole:
    """A member, without how far they have read: that is not in the log."""

    role: Role
    joined_at: datetime
    muted_until: datetime | None = None
    blocked: bool = False
    opened: bool = False


@dataclass(slots=True)
class ChatReplica:
    """The state of a chat as this node knows it, built from the rows of the log.

    `n` and `seq` are those of the last applied row. Rows up to `projected_n` are projected, and the database has a note
    of that up to `saved_n`. `chat` is None before the first row; its `head_seq` and `member_count` are not kept
    current. `busy`: this node is inserting rows into the log. `unknown_kind` is the kind of the next row, or of one
    that others have projected, if this version does not know that kind. `found_n` is the last applied row that was
    found in the log: this node did not insert it, or did not know whether it had.
    """

    chat_id: int
    n: int = 0
    seq: int = 0
    projected_n: int = 0
    saved_n: int = 0
    found_n: int = 0
    busy: bool = False
    chat: Chat | None = None
    closed: bool = False
    unknown_kind: str | None = None
    roles: dict[int, MemberRole] = field(default_factory=dict)
    earlier_mutes: dict[int, datetime] = field(default_factory=dict)
    """Until when users were muted when they left, by user id."""
    bans: dict[int, Ban] = field(default_factory=dict)
    """By user id."""
    is_slow: bool = False
    sent_at: dict[int, datetime] = field(default_factory=dict)
    """In slow mode: when users sent their last messages since the interval was set, by user id."""
    loaded_at: dict[int, int] = field(default_factory=dict)
    """While the replica is being loaded: the number of the row that the document of each member reflects, by user id;
    members who are gone have one too."""

    @property
    def unsaved(self) -> int:
        return self.projected_n - self.saved_n

    def check(self) -> None:
        """Raises: `UnknownKind` if the next row, or one that is projected, is of a kind that this version does not
        know."""
        if self.unknown_kind is not None:
            raise UnknownKind(self.chat_id, self.unknown_kind)

    def actor(self, user_id: int) -> Actor:
        """Raises: `NotFound` if there is no such chat, or the user is not in it or does not see it yet."""
        member = self.roles.get(user_id)
        if self.chat is None or self.closed or member is None:
            raise NotFound(f"chat {self.chat_id}")
        if self.seq == 0 and not self._is_seen_by(user_id, member):
            raise NotFound(f"chat {self.chat_id}")
        return Actor(
            user_id,
            member.role,
            self.chat.chat_type,
            member.muted_until,
            member.blocked,
            self.chat.slow_mode_s,
        )

    def _is_seen_by(self, user_id: int, member: MemberRole) -> bool:
        found = Member(user_id, member.role, member.joined_at, opened=member.opened)
        return sees(self.current(), found)

    def current(self) -> Chat:
        assert self.chat is not None
        return replace(self.chat, head_seq=self.seq, member_count=len(self.roles))

    def apply(self, row: Row) -> Change:
        """Applies the next row, and returns the change that the row is about."""
        assert row.n == self.n + 1
        change = change_of(row, self.current)
        self.n, self.seq = row.n, row.seq
        if not isinstance(change, MessageChange):
            _EFFECTS[type(change)](self, change)
        elif self.is_slow and isinstance(change, MessageCreated):
            self.sent_at[change.message.sender_id] = change.message.created_at
        return change

    def load_member(self, document: Document) -> None:
        """Adds a member from their document, which may reflect rows that are not applied yet."""
        self.loaded_at[document["user_id"]] = document["n"]
        member = member_of(document)
        if not document["gone"]:
            self.roles[member.user_id] = _role_of(member)
        elif member.muted_until is not None:
            self.earlier_mutes[member.user_id] = member.muted_until

    def _created(self, change: ChatCreated) -> None:
        self.chat = change.state.chat
        for member in change.state.members.values():
            self._set_role(member)

    def _chat_changed(self, change: ChatRenamed | ChatSettingsChanged | ChatAvatarChanged) -> None:
        self.chat = change.chat
        if isinstance(change, ChatSettingsChanged) and "slow_mode_s" in change.changed:
            self.is_slow = change.chat.slow_mode_s > 0
            self.sent_at = {}

    def _deleted(self, _change: ChatDeleted) -> None:
        self.closed = True
        self.roles.clear()

    def _member_added(self, change: MemberAdded) -> None:
        self._set_role(change.member)

    def _member_removed(self, change: MemberRemoved) -> None:
        self._remove(change.user_id)
        if change.heir is not None:
            self._set_role(change.heir)

    def _role_changed(self, change: RoleChanged) -> None:
        self._set_role(change.member)
        if change.heir is not None:
            self._set_role(change.heir)

    def _chat_opened(self, change: ChatOpened) -> None:
        self._change_member(change.user_id, opened=True)

    def _member_blocked(self, change: MemberBlocked) -> None:
        self._change_member(change.user_id, blocked=change.blocked)

    def _change_member(self, user_id: int, **changed: Any) -> None:
        if user_id in self.roles and self._is_newer_for(user_id):
            self.roles[user_id] = replace(self.roles[user_id], **changed)

    def _member_muted(self, change: MemberMuted) -> None:
        self._set_role(change.member)

    def _user_banned(self, change: UserBanned) -> None:
        if change.was_member:
            self._remove(change.user_id)
        self.bans[change.user_id] = change.ban

    def _user_unbanned(self, change: UserUnbanned) -> None:
        self.bans.pop(change.user_id, None)

    def _set_role(self, member: Member) -> None:
        if self._is_newer_for(member.user_id):
            self.roles[member.user_id] = _role_of(member)
            self.earlier_mutes.pop(member.user_id, None)

    def _remove(self, user_id: int) -> None:
        if self._is_newer_for(user_id):
            member = self.roles.pop(user_id, None)
            if member is not None and member.muted_until is not None:
                self.earlier_mutes[user_id] = member.muted_until

    def _is_newer_for(self, user_id: int) -> bool:
        """Whether the row that is being applied is newer than what was loaded of the member."""
        return self.loaded_at.get(user_id, 0) < self.n


def _role_of(member: Member) -> MemberRole:
    return MemberRole(member.role, member.joined_at, member.muted_until, member.blocked, member.opened)


def no_effect(_replica: ChatReplica, _change: Change) -> None:
    """For kinds of which a replica keeps nothing."""


_EFFECTS: Mapping[type[Change], Callable[[ChatReplica, Any], None]] = {
    ChatCreated: ChatReplica._created,
    ChatRenamed: ChatReplica._chat_changed,
    ChatSettingsChanged: ChatReplica._chat_changed,
    ChatAvatarChanged: ChatReplica._chat_changed,
    ChatDeleted: ChatReplica._deleted,
    MemberAdded: ChatReplica._member_added,
    MemberRemoved: ChatReplica._member_removed,
    RoleChanged: ChatReplica._role_changed,
    MemberMuted: ChatReplica._member_muted,
    UserBanned: ChatReplica._user_banned,
    UserUnbanned: ChatReplica._user_unbanned,
    InviteMade: no_effect,
    InviteRemoved: no_effect,
    HookAdded: no_effect,
    HookChanged: no_effect,
    HookRemoved: no_effect,
    ChatOpened: ChatReplica._chat_opened,
    MemberBlocked: ChatReplica._member_blocked,
}
"""What the changes of a kind do to a replica. Changes of messages change nothing in it but its numbers."""


def check_effects() -> None:
    """Raises: `UndeclaredChange` for a kind of change of a chat without an effect."""
    check_served(
        _EFFECTS,
        "the MongoDB store does",
        "storage/mongo/chat_replica.py what it does to the replica of the chat, or no_effect",
        needed=lambda kind: kind.logged and not issubclass(kind.value, MessageChange),
    )
