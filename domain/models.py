"""What a store keeps, as values. Times are aware datetimes in UTC; ids are positive integers below 2**53."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from domain.frozen import frozen

ChatType = Literal["group", "private", "channel"]
Role = Literal["owner", "admin", "member"]


@frozen
class User:
    """An account. `banned` and `deleted` accounts stay known, so that their ids are never unknown again."""

    id: int
    username: str
    display_name: str
    email: str | None
    password_hash: str
    created_at: datetime
    last_seen_at: datetime | None = None
    is_bot: bool = False
    banned: bool = False
    deleted: bool = False

    @property
    def active(self) -> bool:
        """Whether the account may be used."""
        return not (self.banned or self.deleted)


@frozen
class Session:
    """A login and the family of refresh tokens that grew from it. A revoked one is kept, and stays revoked."""

    id: str
    user_id: int
    created_at: datetime
    revoked: bool = False


@frozen
class Chat:
    """A room with members. `head_seq` is the number of its last change, 0 before the first."""

    id: int
    name: str | None
    chat_type: ChatType
    created_at: datetime
    created_by: int
    head_seq: int
    member_count: int


@frozen
class Member:
    """A user in a chat. `read_seq` is the mark as a position, 0 before the first message; `last_read_message_id` is the
    message it stands on, None with 0. Both stay as they are when that message is deleted."""

    user_id: int
    role: Role
    joined_at: datetime
    read_seq: int = 0
    last_read_message_id: int | None = None


@frozen
class Message:
    """A message in its current state.

    `seq` is the number of its creation and orders messages; `changed_seq` is the number of its last change.
    A deleted message is a tombstone: `content` is empty, reactions and attachments are gone, the rest stays.
    """

    id: int
    chat_id: int
    seq: int
    changed_seq: int
    content: str
    sender_id: int
    created_at: datetime
    edited_at: datetime | None = None
    message_type: str = "text"
    reply_to: int | None = None
    reactions: Mapping[str, Sequence[int]] | None = None
    pinned: bool = False
    attachments: Sequence[Mapping[str, Any]] = ()
    client_id: str | None = None
    deleted: bool = False


@frozen
class Draft:
    """A message to be: what the sender decides. The store adds id and numbers."""

    chat_id: int
    sender_id: int
    content: str
    created_at: datetime
    message_type: str = "text"
    client_id: str | None = None
    reply_to: int | None = None


@frozen
class Appended:
    """The outcome of a send. `duplicate`: this sender used this `client_id` before; `message` is that one."""

    message: Message
    duplicate: bool


@frozen
class ReadMark:
    """The outcome of reading: where the mark is now, whether it moved, and what is still unread (at most 1000)."""

    read_seq: int
    up_to: int | None
    moved: bool
    unread_count: int


@frozen
class Page:
    """A stretch of history, oldest first, without deleted messages."""

    messages: Sequence[Message]
    has_more_before: bool
    has_more_after: bool


@frozen
class ChatSummary:
    """A chat as one member sees it in the list. `unread_count` stops at 1000."""

    chat: Chat
    member: Member
    unread_count: int
    last_message: Message | None


@frozen
class ChatPreview:
    """A chat as several members see it in their lists at one moment; `unread_counts`, by user id, stop at 1000,
    `read_seqs` are the positions of their marks."""

    head_seq: int
    last_message: Message | None
    unread_counts: Mapping[int, int]
    read_seqs: Mapping[int, int]


@frozen
class ChatState:
    """A chat with all its members, by user id."""

    chat: Chat
    members: Mapping[int, Member]


@frozen
class Actor:
    """Who asks for a write, as the write itself finds him: a rule is judged on this, never on an older look.

    `message` is the message to be changed, `target` the member to be changed; None where there is none.
    """

    user_id: int
    role: Role
    chat_type: ChatType
    message: Message | None = None
    target: Member | None = None


Permission = Callable[[Actor], None]
"""A pure function that raises when the write is not allowed; whatever it raises reaches the caller of the store.

It may run in another thread and more than once.
"""
