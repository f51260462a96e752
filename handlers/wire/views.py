"""The objects of the wire: for each kind its type, which documents can read, and the function that makes one."""

from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from domain.models import (
    Chat,
    ChatSummary,
    ChatType,
    Member,
    Message,
    Notifications,
    PresenceChoice,
    Role,
    Session,
    User,
    Version,
)
from handlers.wire.file_links import FileLinks, avatar_url
from handlers.wire.file_views import UploadObject, upload_view

Time = Annotated[str | datetime, "ISO 8601 in UTC with offset, always with microseconds"]
Id = Annotated[int, "1 to 2^53 - 1"]
Count = Annotated[int, "0 or more"]

Status = Literal["online", "away", "busy", "offline"]

View = dict[str, Any]


class UserObject(TypedDict):
    """`email`, `is_admin` and `presence` are there for the user alone, `owner_id` in the bot of a user."""

    id: Id
    username: str
    display_name: str
    avatar_url: str | None
    status: Status
    last_seen_at: Time | None
    created_at: Time
    is_bot: bool
    active: bool
    deleted: bool
    owner_id: NotRequired[Id]
    email: NotRequired[str | None]
    is_admin: NotRequired[bool]
    presence: NotRequired[PresenceChoice]


class RegisteredObject(UserObject):
    """A new user. `chat_id` is there if their invite took them into a chat."""

    chat_id: NotRequired[Id]


class SessionObject(TypedDict):
    """`address` and `user_agent` are those of the login, empty where they are not known. `current`: the session of the
    request."""

    id: str
    created_at: Time
    last_used_at: Time
    address: str
    user_agent: str
    current: bool


class AdminUserObject(UserObject):
    """A user as admins of the server see them: with `email` and `is_admin`, without `presence`."""

    banned: bool


class MessageObject(TypedDict):
    """`client_id` is there if the sender gave one."""

    id: Id
    chat_id: Id
    seq: Id
    changed_seq: Id
    content: str
    sender_id: Id
    created_at: Time
    edited_at: Time | None
    message_type: Literal["text", "image", "file", "system"]
    reply_to: Id | None
    mentions: list[Id]
    mentions_all: bool
    reactions: dict[str, list[Id]]
    pinned: bool
    attachments: list[UploadObject]
    client_id: NotRequired[str]


class VersionObject(TypedDict):
    """`edited_at` is null for the first version of a message."""

    content: str
    edited_at: Time | None


class ChatObject(TypedDict):
    """A chat without what differs from member to member."""

    id: Id
    name: str | None
    chat_type: ChatType
    created_at: Time
    created_by: Id
    member_count: Count
    seq: Count
    avatar_url: str | None
    is_public: bool
    slow_mode_s: Count


class SummaryObject(ChatObject):
    """A chat as one member sees it."""

    role: Role
    unread_count: Count
    unread_mentions: Count
    last_message: MessageObject | None
    last_read_message_id: Id | None
    read_seq: Count
    notifications: Notifications
    favorite: bool
    hidden: bool
    marked_unread: bool
    muted_until: Time | None


class MemberObject(TypedDict):
    user: UserObject
    role: Role
    joined_at: Time
    last_read_message_id: Id | None
    read_seq: Count
    muted_until: Time | None


def time_view(at: datetime) -> str | datetime:
    """A time as `handlers.wire.json` writes it: a datetime, or text if it has no microseconds."""
    # orjson leaves out microseconds that are 0; it writes all other datetimes as they have to be, and faster.
    return at if at.microsecond else at.isoformat(timespec="microseconds")


def optional_time_view(at: datetime | None) -> str | datetime | None:
    return None if at is None else time_view(at)


def user_view(user: User, status: str, *, own: bool = False) -> View:
    """`own`: for the user alone, with what nobody else sees."""
    view: View = {
        "id": user.id,
        "username": user.username,
        "display_name": user.display_name,
        "avatar_url": avatar_url(user.avatar_id),
        "status": status,
        "last_seen_at": optional_time_view(user.last_seen_at),
        "created_at": time_view(user.created_at),
        "is_bot": user.is_bot,
        "active": user.active,
        "deleted": user.deleted,
    }
    if user.owner_id is not None:
        view["owner_id"] = user.owner_id
    if own:
        view["email"] = user.email
        view["is_admin"] = user.is_admin
        view["presence"] = user.presence
    return view


def session_view(session: Session, last_used_at: datetime, *, current: bool) -> View:
    """A `SessionObject`."""
    return {
        "id": session.id,
        "created_at": time_view(session.created_at),
        "last_used_at": time_view(last_used_at),
        "address": session.address,
        "user_agent": session.user_agent,
        "current": current,
    }


def admin_user_view(user: User, status: str) -> View:
    """An `AdminUserObject`."""
    more = {"email": user.email, "is_admin": user.is_admin, "banned": user.banned}
    return user_view(user, status) | more


def message_view(message: Message, links: FileLinks) -> View:
    created_at, edited_at = message.created_at, message.edited_at
    view: View = {
        "id": message.id,
        "chat_id": message.chat_id,
        "seq": message.seq,
        "changed_seq": message.changed_seq,
        "content": message.content,
        "sender_id": message.sender_id,
        "created_at": created_at if created_at.microsecond else time_view(created_at),
        "edited_at": None if edited_at is None else time_view(edited_at),
        "message_type": message.message_type,
        "reply_to": message.reply_to,
        "mentions": message.mentions,
        "mentions_all": message.mentions_all,
        "reactions": message.reactions or {},
        "pinned": message.pinned_seq > 0,
        "attachments": (
            [upload_view(one, links) for one in message.attachments] if message.attachments else ()
        ),
    }
    if message.client_id is not None:
        view["client_id"] = message.client_id
    return view


def version_view(version: Version) -> View:
    """A `VersionObject`."""
    return {"content": version.content, "edited_at": optional_time_view(version.edited_at)}


def chat_view(chat: Chat) -> View:
    """A `ChatObject`."""
    return {
        "id": chat.id,
        "name": chat.name,
        "chat_type": chat.chat_type,
        "created_at": time_view(chat.created_at),
        "created_by": chat.created_by,
        "member_count": chat.member_count,
        "seq": chat.head_seq,
        "avatar_url": avatar_url(chat.avatar_id),
        "is_public": chat.is_public,
        "slow_mode_s": chat.slow_mode_s,
    }


def summary_view(summary: ChatSummary, at: datetime, links: FileLinks) -> View:
    """A `SummaryObject`, as the member sees the chat at that time."""
    last = summary.last_message
    return {
        **chat_view(summary.chat),
        "role": summary.member.role,
        "unread_count": summary.unread_count,
        "unread_mentions": summary.unread_mentions,
        "last_message": None if last is None else message_view(last, links),
        "last_read_message_id": summary.member.last_read_message_id,
        "read_seq": summary.member.read_seq,
        **settings_view(summary.member, at),
    }


def settings_view(member: Member, at: datetime) -> View:
    """What a member has set in a chat for themselves, and until when they are muted there."""
    settings = member.settings
    return {
        "notifications": settings.notifications,
        "favorite": settings.favorite,
        "hidden": settings.hidden,
        "marked_unread": settings.marked_unread,
        "muted_until": _mute_view(member, at),
    }


def member_view(member: Member, user: View, at: datetime) -> View:
    """A `MemberObject` at that time, around the view of its user."""
    return {
        "user": user,
        "role": member.role,
        "joined_at": time_view(member.joined_at),
        "last_read_message_id": member.last_read_message_id,
        "read_seq": member.read_seq,
        "muted_until": _mute_view(member, at),
    }


def _mute_view(member: Member, at: datetime) -> str | datetime | None:
    """The end of the mute; None once it is over, though the store still has it."""
    until = member.muted_until
    return None if until is None or until <= at else time_view(until)
