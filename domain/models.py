"""What a store keeps, as values. Times are aware datetimes in UTC; ids are positive integers below 2**53."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import Literal

from domain.files import Attachment
from domain.frozen import frozen

ChatType = Literal["group", "private", "channel"]
Role = Literal["owner", "admin", "member"]
PresenceChoice = Literal["auto", "away", "busy", "offline"]
Notifications = Literal["all", "mentions", "none"]


@frozen
class User:
    """An account. Banned and deleted accounts are kept, so that an id, once given, always names somebody.

    `presence` is what the user wants others to see while they are connected; with `auto` their connections decide.
    `presence_n` counts their choices where several nodes share the store: of two that a node knows, the one with the
    higher number is the newer one. A store of one node leaves it at 0.
    `is_admin`: they administer the server, which gives no rights in chats. `avatar_id` is the file of their picture,
    None without one; it never names another picture.
    `owner_id` is the user whose bot this is; None for people, and for the users of hooks.
    `banned_with_owner`: the bot is banned only because its owner is, and comes back with them.
    `login_key` is the hash of the issuer and the subject by which this user is found whose login is elsewhere; None for
    those who have a password here. It stays when the account ends.
    `is_hook`: it is the user as whom a hook writes (`domain.hooks`), which nobody uses otherwise; `is_bot` is true then
    too.
    """

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
    is_admin: bool = False
    presence: PresenceChoice = "auto"
    presence_n: int = 0
    avatar_id: str | None = None
    owner_id: int | None = None
    banned_with_owner: bool = False
    is_hook: bool = False
    login_key: str | None = None

    @property
    def active(self) -> bool:
        """Whether the account may be used."""
        return not (self.banned or self.deleted)


@frozen
class Session:
    """A login and the refresh tokens that descend from it. A revoked session is kept for a while, and stays revoked.

    `address` and `user_agent` are those of the login, empty for one of an earlier version. `last_used_at` is noted
    seldom; None: at the login only.
    """

    id: str
    user_id: int
    created_at: datetime
    revoked: bool = False
    address: str = ""
    user_agent: str = ""
    last_used_at: datetime | None = None


@frozen
class Chat:
    """A chat without its members. `head_seq` is the number of its last change of a message, 0 before the first.

    `is_public`: everybody may find and join it. `slow_mode_s` is how long a plain member waits between two messages; 0:
    not at all. `avatar_id` is the file of its picture, see `User`.
    """

    id: int
    name: str | None
    chat_type: ChatType
    created_at: datetime
    created_by: int
    head_seq: int
    member_count: int
    is_public: bool = False
    slow_mode_s: int = 0
    avatar_id: str | None = None


@frozen
class OwnSettings:
    """What a member has set in a chat for themselves. `hidden_seq` is the head of the chat when they hid it, None if
    they did not, or a message was created since. `marked_unread` is for the client's list."""

    notifications: Notifications = "all"
    favorite: bool = False
    hidden_seq: int | None = None
    marked_unread: bool = False

    @property
    def hidden(self) -> bool:
        """Whether the chat is in the list of hidden chats, and not among the others."""
        return self.hidden_seq is not None


UNSET = OwnSettings()
"""The settings of a member who has set nothing. Nearly all members share this value."""


@frozen
class Member:
    """A user in a chat. `read_seq` is the position of the user's read mark, 0 before the first message;
    `last_read_message_id` is the message at that position, None with 0. Neither changes when that message is
    deleted.

    `muted_until`: the member may not write before that time. `blocked`, in a private chat: the other member has blocked
    this one. `opened`, in a private chat: this member has asked for it, so they see it before its first message.
    """

    user_id: int
    role: Role
    joined_at: datetime
    read_seq: int = 0
    last_read_message_id: int | None = None
    muted_until: datetime | None = None
    blocked: bool = False
    opened: bool = False
    settings: OwnSettings = UNSET


@frozen
class Ban:
    """A user who may not come into a chat, since `at`; `banned_by` is the member who decided so."""

    user_id: int
    reason: str | None
    banned_by: int
    at: datetime


@frozen
class Message:
    """A message in its current state.

    `seq` is the number of its creation and orders messages; `changed_seq` is the number of its last change.
    `mentions` are the ids of the users whom the content mentions, in its order, and `mentions_all` is whether it
    mentions all members: as it was when the content was written.
    `reactions` are the ids of those who react, by emoji, in the order in which they did; None without any.
    `pinned_seq` is the number of the change that pinned the message, so pins have an order; 0: it is not pinned.
    A deleted message is a tombstone: `content` is empty, mentions, reactions and attachments are gone, it is not
    pinned, and the rest stays.
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
    pinned_seq: int = 0
    attachments: Sequence[Attachment] = ()
    client_id: str | None = None
    deleted: bool = False
    mentions: Sequence[int] = ()
    mentions_all: bool = False

    @property
    def pinned(self) -> bool:
        """Whether the message is among the pins of its chat."""
        return self.pinned_seq > 0


@frozen
class Version:
    """What a message said at one time. `edited_at` is None for the first version."""

    content: str
    edited_at: datetime | None


@frozen
class Draft:
    """What a sender wants to send. The store adds the id and the numbers.

    `content_fault` says what is wrong with the content, None if nothing: such a draft is refused unless it repeats an
    earlier message. `attachments` are the ids of uploads; with any, they decide the type of the message.
    """

    chat_id: int
    sender_id: int
    content: str
    created_at: datetime
    message_type: str = "text"
    client_id: str | None = None
    reply_to: int | None = None
    content_fault: str | None = None
    attachments: Sequence[str] = ()


@frozen
class Appended:
    """The outcome of a send. `duplicate`: the sender used the `client_id` before, and `message` is the first
    message."""

    message: Message
    duplicate: bool


@frozen
class ReadMark:
    """The outcome of a read: where the mark is now, whether it moved, how many messages are unread, and how many of
    those mention the user or all members (each at most 1000)."""

    read_seq: int
    up_to: int | None
    moved: bool
    unread_count: int
    unread_mentions: int = 0


@frozen
class Page:
    """Consecutive messages of a chat, the oldest first, without deleted ones."""

    messages: Sequence[Message]
    has_more_before: bool
    has_more_after: bool


@frozen
class ChatSummary:
    """A chat as one member sees it in their list. `unread_count` stops at 1000. `unread_mentions` counts those of the
    unread messages that mention the member or all, and stops there too."""

    chat: Chat
    member: Member
    unread_count: int
    last_message: Message | None
    unread_mentions: int = 0


@frozen
class ChatPreview:
    """A chat as several members see it in their lists at one moment; `unread_counts`, by user id, stop at 1000,
    `read_seqs` are the positions of their marks. `unread_mentions` are the counts of those who have any unread message
    that mentions them or all; they stop at 1000 too."""

    head_seq: int
    last_message: Message | None
    unread_counts: Mapping[int, int]
    read_seqs: Mapping[int, int]
    unread_mentions: Mapping[int, int] = field(default_factory=dict)


@frozen
class ChatState:
    """A chat with all its members, by user id."""

    chat: Chat
    members: Mapping[int, Member]


@frozen
class Actor:
    """The member who asks for a change, as the write itself finds them: permissions are checked on this state, never
    on one that was read earlier."""

    user_id: int
    role: Role
    chat_type: ChatType
    muted_until: datetime | None = None
    blocked: bool = False
    slow_mode_s: int = 0


@frozen
class Account:
    """What decisions about chats need to know of a user."""

    id: int
    is_bot: bool = False
    banned: bool = False
    deleted: bool = False
    is_hook: bool = False

    @property
    def active(self) -> bool:
        """Whether the account may be used."""
        return not (self.banned or self.deleted)
