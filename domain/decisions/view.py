"""The questions that decisions ask about the state. Each store answers them within its own transaction or plan.

A view only reads. Its answers are of one moment, and include all changes applied before.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from domain.files import Upload
from domain.hooks import Hook
from domain.invites import Invite
from domain.models import Account, Actor, Ban, Chat, Member, Message, Role


class MessageView(Protocol):
    """What decisions about messages ask."""

    def actor(self, chat_id: int, user_id: int) -> Actor:
        """Raises: `NotFound` if there is no such chat, or the user is not a member of it or does not see it yet (see
        `domain.private_chats`)."""

    def message(self, message_id: int) -> Message | None:
        """The message or its tombstone; None also if its chat is gone."""

    def first_use(self, sender_id: int, client_id: str) -> Message | None:
        """The message, or its tombstone, that this sender sent with this client_id, in any chat."""

    def last_sent(self, chat_id: int, user_id: int) -> datetime | None:
        """When the user last sent a message to the chat, which is in slow mode; None if they did not since the
        interval was set."""

    def uploads(self, upload_ids: Collection[str]) -> Mapping[str, Upload]:
        """Those of these uploads that exist. Asked only of a draft with attachments."""

    def hook(self, hook_id: int) -> Hook | None:
        """The hook, if it is there and its chat is. Asked only of what a hook writes."""

    def pin_count(self, chat_id: int) -> int:
        """How many messages of the chat are pinned."""

    def members_named(self, chat_id: int, usernames: Collection[str]) -> Mapping[str, int]:
        """The ids of those members of the chat who have one of these usernames, which are in lower case, by username.
        A member of a private chat need not see it yet."""

    def member_count(self, chat_id: int) -> int:
        """How many members the chat has."""

    def next_seq(self, chat_id: int) -> int:
        """The number of the next change of a message in the chat."""

    def next_message_id(self) -> int:
        """The id of the next message."""


class MarkView(Protocol):
    """What decisions about read marks ask."""

    def member(self, chat_id: int, user_id: int) -> Member | None:
        """The member with their read mark; None if there is no such chat or the user is not a member of it."""

    def message(self, message_id: int) -> Message | None:
        """See `MessageView.message`."""

    def newest(self, chat_id: int) -> Message | None:
        """The newest message that is not deleted."""


class SettingsView(Protocol):
    """What decisions about a member's own settings ask."""

    def member(self, chat_id: int, user_id: int) -> Member | None:
        """See `MarkView.member`. The chat counts as hidden only if no message was created since."""

    def head_seq(self, chat_id: int) -> int:
        """The number of the last change of a message in the chat."""


class MemberView(Protocol):
    """What decisions about chats and their members ask."""

    def actor(self, chat_id: int, user_id: int) -> Actor:
        """See `MessageView.actor`."""

    def chat(self, chat_id: int) -> Chat:
        """The chat, which is known to exist."""

    def find_chat(self, chat_id: int) -> Chat | None:
        """The chat, if there is one."""

    def invite(self, code: str) -> Invite | None:
        """The invite of the chat that is decided about."""

    def invites(self, chat_id: int) -> Sequence[Invite]:
        """The invites of the chat that have not ended; some may be over or used up."""

    def hooks(self, chat_id: int) -> Sequence[Hook]:
        """The hooks of the chat, by id."""

    def is_stopped(self, hook_id: int) -> bool:
        """Whether the server has given up the delivery of this hook of the chat (`domain.hooks.Delivery`)."""

    def private_chat(self, user_ids: Sequence[int]) -> Chat | None:
        """The private chat of these two users, in ascending order, if there is one."""

    def next_chat_id(self) -> int:
        """The id of the next chat."""

    def member(self, chat_id: int, user_id: int) -> Member | None:
        """See `MarkView.member`."""

    def ban(self, chat_id: int, user_id: int) -> Ban | None:
        """The ban of the user, who is no member; None if they are not banned."""

    def earlier_mute(self, chat_id: int, user_id: int) -> datetime | None:
        """Until when a user who is no member was muted when they left; None if they were not."""

    def member_ids(self, chat_id: int) -> Sequence[int]:
        """All members, in ascending order."""

    def accounts_by_role(self, chat_id: int, role: Role) -> Iterable[Account]:
        """The accounts of the members with this role, in the order of `joined_at`, then id. A chat may have very many,
        so iterate no further than needed."""

    def accounts(self, user_ids: Collection[int]) -> Mapping[int, Account]:
        """The accounts of those users who exist."""

    def newest(self, chat_id: int) -> Message | None:
        """See `MarkView.newest`."""

    def has_written(self, chat_id: int, user_id: int) -> bool:
        """Whether the user has ever sent a message to the chat, even if it is deleted by now."""

    def blockers_of(self, user_id: int, among: Collection[int]) -> Collection[int]:
        """Those of the users `among` who have blocked the user."""


class ChatView(MessageView, MarkView, SettingsView, MemberView, Protocol):
    """All that any decision asks."""
