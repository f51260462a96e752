"""Which changes end streams."""

from collections.abc import Callable, Sequence
from typing import Any

from domain.changes import (
    Change,
    ChatDeleted,
    MemberRemoved,
    MessageCreated,
    RoleChanged,
    SessionsRevoked,
    UserChanged,
)
from domain.moderation import MemberMuted, UserBanned
from domain.private_chats import MemberBlocked
from handlers.live.directory import Directory
from handlers.live.streams import StreamTracker


class StreamEndings:
    """Ends the streams that committed changes end, before anything else is published of these changes: a message takes
    the place of its stream, and those who may no longer write show nothing more."""

    def __init__(self, streams: StreamTracker, directory: Directory) -> None:
        self._streams = streams
        self._directory = directory
        self._by_kind: dict[type[Change], Callable[[Any], None]] = {
            MessageCreated: self._message_created,
            MemberRemoved: self._member_gone,
            UserBanned: self._member_gone,
            MemberMuted: self._member_muted,
            MemberBlocked: self._member_blocked,
            RoleChanged: self._role_changed,
            ChatDeleted: lambda change: streams.end_of_chat(change.chat_id),
            SessionsRevoked: lambda change: streams.end_of_sessions(change.user_id, change.session_ids),
            UserChanged: self._user_changed,
        }

    def __call__(self, published: Sequence[Change]) -> None:
        if not self._streams:  # nearly always: messages cost nothing more
            return
        by_kind = self._by_kind
        for change in published:
            end = by_kind.get(type(change))
            if end is not None:
                end(change)

    def _message_created(self, change: MessageCreated) -> None:
        message = change.message
        if message.client_id is not None:
            self._streams.settle(message.chat_id, message.sender_id, message.client_id)

    def _member_gone(self, change: MemberRemoved | UserBanned) -> None:
        self._streams.end_of_member(change.chat_id, change.user_id)

    def _member_muted(self, change: MemberMuted) -> None:
        if change.member.muted_until is not None:
            self._streams.end_of_member(change.chat_id, change.member.user_id)

    def _member_blocked(self, change: MemberBlocked) -> None:
        if change.blocked:
            self._streams.end_of_member(change.chat_id, change.user_id)

    def _role_changed(self, change: RoleChanged) -> None:
        """In a channel only owners and admins write."""
        chat = self._directory.peek(change.chat_id)
        if change.member.role == "member" and chat is not None and chat.chat_type == "channel":
            self._streams.end_of_member(change.chat_id, change.member.user_id)

    def _user_changed(self, change: UserChanged) -> None:
        if not change.user.active:
            self._streams.end_of_user(change.user.id)
