"""The records of a store, see `storage.backup_ports`. A key that is `NotRequired` is left out where its value is the
default: the one named beside it, else False for what is true or not, and None for the rest.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, NotRequired, TypedDict

from domain.hooks import HookEvent, HookKind
from domain.models import ChatType, Notifications, PresenceChoice, Role
from storage.backup_ports import Kind

Id = Annotated[int, "id"]
"""From 1 to 2**53 - 1."""

Number = Annotated[int, "number"]
"""From 0 to 2**53 - 1."""

Time = Annotated[str, "time"]
"""ISO 8601 in UTC with six digits of a second."""

FileId = Annotated[str, "file"]
"""1 to 64 of `A-Za-z0-9_-`."""


class ServerRecord(TypedDict):
    """What the server knows besides accounts and chats. The four numbers are the highest ids that were ever given, or
    may have been: a store that is filled gives higher ones. They differ between stores that hold the same otherwise, so
    no digest has them."""

    last_user_id: Number
    last_chat_id: Number
    last_message_id: Number
    last_hook_id: Number
    default_chat_id: NotRequired[Id]  # of the chat that new accounts join; it may be deleted by now


class UserRecord(TypedDict):
    """An account, deleted ones and those of bots and hooks too. `login_key` is the hash by which a user is found whose
    login is elsewhere. `namesake`: another account has the key of the same username, see `storage.username_keys`."""

    id: Id
    username: str
    display_name: str
    created_at: Time
    email: NotRequired[str]
    password_hash: NotRequired[str]  # ""
    last_seen_at: NotRequired[Time]
    is_bot: NotRequired[bool]
    is_hook: NotRequired[bool]
    banned: NotRequired[bool]
    deleted: NotRequired[bool]
    is_admin: NotRequired[bool]
    presence: NotRequired[PresenceChoice]  # "auto"
    avatar_id: NotRequired[FileId]
    owner_id: NotRequired[Id]
    banned_with_owner: NotRequired[bool]
    login_key: NotRequired[str]
    namesake: NotRequired[bool]


class BlockRecord(TypedDict):
    """A user has blocked another."""

    user_id: Id
    blocked_id: Id
    at: Time


class BotTokenRecord(TypedDict):
    """The token of a bot that works: `token_id` is the hash from which nobody finds the token (`storage.bot_ports`)."""

    user_id: Id
    token_id: str
    created_at: Time


class UploadRecord(TypedDict):
    """An upload that no message has. One that a message has is in the attachments of that message."""

    id: FileId
    user_id: Id
    name: str
    content_type: str
    size: Number
    created_at: Time
    width: NotRequired[Number]
    height: NotRequired[Number]
    has_thumbnail: NotRequired[bool]


class ChatRecord(TypedDict):
    """A chat. `user_ids` are, of a private chat, the two users by whom it is found again, in ascending order."""

    id: Id
    chat_type: ChatType
    created_at: Time
    created_by: Id
    head_seq: Number
    name: NotRequired[str]
    is_public: NotRequired[bool]
    slow_mode_s: NotRequired[Number]  # 0
    avatar_id: NotRequired[FileId]
    user_ids: NotRequired[Sequence[Id]]


class MemberRecord(TypedDict):
    """A member of a chat, with what they have set for themselves."""

    chat_id: Id
    user_id: Id
    role: Role
    joined_at: Time
    read_seq: Number
    last_read_message_id: NotRequired[Id]
    muted_until: NotRequired[Time]
    blocked: NotRequired[bool]
    opened: NotRequired[bool]
    notifications: NotRequired[Notifications]  # "all"
    favorite: NotRequired[bool]
    hidden_seq: NotRequired[Number]
    marked_unread: NotRequired[bool]


class MuteRecord(TypedDict):
    """The mute of a user who has left the chat."""

    chat_id: Id
    user_id: Id
    until: Time


class BanRecord(TypedDict):
    """A user who may not come into the chat."""

    chat_id: Id
    user_id: Id
    banned_by: Id
    at: Time
    reason: NotRequired[str]


class InviteRecord(TypedDict):
    """An invite that nobody has ended, to a chat, or to the server without `chat_id`. It may be over or used up."""

    code: str
    created_by: Id
    created_at: Time
    max_uses: Number
    uses: Number
    chat_id: NotRequired[Id]
    expires_at: NotRequired[Time]


class DeliveryRecord(TypedDict):
    """How far an outgoing hook is (`domain.hooks.Delivery`)."""

    position: Number
    attempts: NotRequired[Number]  # 0
    failing_since: NotRequired[Time]
    last_error: NotRequired[str]
    next_try_at: NotRequired[Time]
    stopped: NotRequired[bool]


class HookRecord(TypedDict):
    """A hook. Its user is among the users. `delivery` is there exactly if `kind` is outgoing. `key_hash` is that of the
    key of an incoming hook, `secret` what signs the deliveries of an outgoing one."""

    id: Id
    chat_id: Id
    kind: HookKind
    name: str
    user_id: Id
    created_by: Id
    created_at: Time
    target_url: NotRequired[str]
    events: NotRequired[Sequence[HookEvent]]  # []
    include_bots: NotRequired[bool]
    paused: NotRequired[bool]
    key_hash: NotRequired[str]
    secret: NotRequired[str]
    delivery: NotRequired[DeliveryRecord]


class ReactionRecord(TypedDict):
    """Who reacts to a message with an emoji, in the order in which they did."""

    emoji: str
    user_ids: Sequence[Id]


class AttachmentRecord(TypedDict):
    """An upload that a message has. Its uploader is the sender of the message."""

    id: FileId
    name: str
    content_type: str
    size: Number
    created_at: Time
    width: NotRequired[Number]
    height: NotRequired[Number]
    has_thumbnail: NotRequired[bool]


class VersionRecord(TypedDict):
    """What a message said before an edit. The first version has no `edited_at`."""

    content: str
    edited_at: NotRequired[Time]


class MessageRecord(TypedDict):
    """A message as it is now, a deleted one with empty `content` and without what else it said. `reactions` are in the
    order in which the emoji came. `versions` is what it said before its edits, the oldest first, as far as that is kept
    (`storage.ports.Messages.versions`), without the present version."""

    id: Id
    chat_id: Id
    seq: Id
    changed_seq: Id
    sender_id: Id
    content: str
    created_at: Time
    client_id: NotRequired[str]
    message_type: NotRequired[str]  # "text"
    reply_to: NotRequired[Id]
    edited_at: NotRequired[Time]
    deleted: NotRequired[bool]
    pinned_seq: NotRequired[Number]  # 0
    reactions: NotRequired[Sequence[ReactionRecord]]  # []
    attachments: NotRequired[Sequence[AttachmentRecord]]  # []
    mentions: NotRequired[Sequence[Id]]  # []
    mentions_all: NotRequired[bool]
    versions: NotRequired[Sequence[VersionRecord]]  # []


class AuditRecord(TypedDict):
    """An act, of a chat, or of the server without `chat_id`. Entries have no ids here: stores number them anew, in
    their order."""

    at: Time
    action: str
    chat_id: NotRequired[Id]
    actor_id: NotRequired[Id]
    user_id: NotRequired[Id]
    message_id: NotRequired[Id]
    detail: NotRequired[str]


RECORDS: Mapping[Kind, type] = {
    "server": ServerRecord,
    "user": UserRecord,
    "block": BlockRecord,
    "bot_token": BotTokenRecord,
    "invite": InviteRecord,
    "upload": UploadRecord,
    "audit": AuditRecord,
    "chat": ChatRecord,
    "member": MemberRecord,
    "mute": MuteRecord,
    "ban": BanRecord,
    "hook": HookRecord,
    "message": MessageRecord,
}
"""The type of the records of each kind."""
