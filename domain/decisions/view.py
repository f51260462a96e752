"""The questions that decisions ask about the state. Each store answers them within its own transaction or plan.

A view only reads. Its answers are of one moment, and include all changes applied before.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from domain.invites import Invite
from domain.models import Account, Actor, Chat, Member, Message, Role


class MessageView(Protocol):
    """What decisions about messages ask."""

    def actor(self, chat_id: int, user_id: int) -> Actor:
        """Raises: `NotFound` if there is no such chat or the user is not a member of it."""

    def message(self, message_id: int) -> Message | None:
        """The message or its tombstone; None also if its chat is gone."""

    def first_use(self, sender_id: int, client_id: str) -> Message | None:
        """The message, or its tombstone, that this sender sent with this client_id, in any chat."""

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

    def private_chat(self, user_ids: Sequence[int]) -> Chat | None:
        """The private chat of these two users, in ascending order, if there is one."""

    def next_chat_id(self) -> int:
        """The id of the next chat."""

    def member(self, chat_id: int, user_id: int) -> Member | None:
        """See `MarkView.member`."""

    def member_ids(self, chat_id: int) -> Sequence[int]:
        """All members, in ascending order."""

    def accounts_by_role(self, chat_id: int, role: Role) -> Iterable[Account]:
        """The accounts of the members with this role, in the order of `joined_at`, then id. A chat may have very many,
        so iterate no further than needed."""

    def accounts(self, user_ids: Collection[int]) -> Mapping[int, Account]:
        """The accounts of those users who exist."""

    def newest(self, chat_id: int) -> Message | None:
        """See `MarkView.newest`."""


class ChatView(MessageView, MarkView, MemberView, Protocol):
    """All that any decision asks."""
