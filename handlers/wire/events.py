"""The events of the wire, each made in one place, as (name, payload). A payload is the raw frame without its `type`."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal, TypeVar, get_args

from domain.changes import Change, MessageCreated, MessageDeleted, MessageEdited, ReadMoved, replay_of
from domain.models import Chat, ChatPreview, Member, Message, User
from domain.pins import MessagePinned, MessageUnpinned
from domain.reactions import ReactionAdded, ReactionRemoved
from handlers.wire.file_links import FileLinks
from handlers.wire.views import (
    View,
    chat_view,
    message_view,
    optional_time_view,
    settings_view,
    time_view,
    user_view,
)

EventName = Literal[
    "connected",
    "pong",
    "new_message",
    "message_updated",
    "message_deleted",
    "reaction_added",
    "reaction_removed",
    "message_pinned",
    "message_unpinned",
    "messages_read",
    "typing",
    "message_stream",
    "user_status",
    "user_offline",
    "chat_added",
    "chat_removed",
    "chat_changed",
    "chat_updated",
    "chat_settings",
    "user_changed",
    "token_expiring",
    "error",
    "closing",
]
"""All events there are; the type checker holds the functions below to it. The gates make `error` and `closing`."""

EVENT_NAMES: frozenset[str] = frozenset(get_args(EventName))

Event = tuple[EventName, dict[str, Any]]

RemovalReason = Literal["left", "removed", "banned", "deleted"]
"""Why a user is no longer in a chat."""

ChangeT = TypeVar("ChangeT", bound=Change)
EventOf = Callable[[ChangeT, datetime, FileLinks], Event]

ROOM_EVENTS: dict[type[Change], EventOf[Any]] = {}
"""By kind of change, the event that the room of the chat gets; see `room_event`."""


def room_event(kind: type[ChangeT]) -> Callable[[EventOf[ChangeT]], EventOf[ChangeT]]:
    """Declares a function as the one that makes the event of a kind of change. The room of the chat gets the event for
    each change; nothing else has to be written for a kind of which nobody else hears, see `handlers.live.publisher`."""

    def declare(event_of: EventOf[ChangeT]) -> EventOf[ChangeT]:
        ROOM_EVENTS[kind] = event_of
        return event_of

    return declare


def connected(
    user_id: int,
    session_id: str,
    *,
    epoch: str,
    expires_in_s: int | None,
    limits: dict[str, Any],
    at: datetime,
) -> Event:
    """The first event of every connection. `session_id` names the connection; it opens nothing."""
    return "connected", {
        "user_id": user_id,
        "timestamp": time_view(at),
        "protocol": 1,
        "epoch": epoch,
        "session_id": session_id,
        "token_expires_in": expires_in_s,
        "limits": limits,
    }


def pong(at: datetime) -> Event:
    return "pong", {"timestamp": time_view(at)}


@room_event(MessageCreated)
def new_message(change: MessageCreated, at: datetime, links: FileLinks) -> Event:
    message = change.message
    return "new_message", {
        "chat_id": message.chat_id,
        "message": message_view(message, links),
        "seq": message.changed_seq,
        "timestamp": time_view(at),
    }


@room_event(MessageEdited)
def message_updated(change: MessageEdited, at: datetime, links: FileLinks) -> Event:
    message = change.message
    return "message_updated", {
        "chat_id": message.chat_id,
        "message_id": message.id,
        "content": message.content,
        "edited_at": optional_time_view(message.edited_at),
        "message": message_view(message, links),
        "seq": message.changed_seq,
        "timestamp": time_view(at),
    }


@room_event(MessageDeleted)
def message_deleted(change: MessageDeleted, at: datetime, _links: FileLinks) -> Event:
    message = change.message
    return "message_deleted", {
        "chat_id": message.chat_id,
        "message_id": message.id,
        "seq": message.changed_seq,
        "timestamp": time_view(at),
    }


@room_event(ReactionAdded)
def reaction_added(change: ReactionAdded, at: datetime, _links: FileLinks) -> Event:
    return "reaction_added", _reaction(change, at)


@room_event(ReactionRemoved)
def reaction_removed(change: ReactionRemoved, at: datetime, _links: FileLinks) -> Event:
    return "reaction_removed", _reaction(change, at)


def _reaction(change: ReactionAdded | ReactionRemoved, at: datetime) -> View:
    message = change.message
    return {
        "chat_id": message.chat_id,
        "message_id": message.id,
        "user_id": change.user_id,
        "emoji": change.emoji,
        "seq": message.changed_seq,
        "timestamp": time_view(at),
    }


@room_event(MessagePinned)
def message_pinned(change: MessagePinned, at: datetime, _links: FileLinks) -> Event:
    return "message_pinned", _pin(change, at)


@room_event(MessageUnpinned)
def message_unpinned(change: MessageUnpinned, at: datetime, _links: FileLinks) -> Event:
    return "message_unpinned", _pin(change, at)


def _pin(change: MessagePinned | MessageUnpinned, at: datetime) -> View:
    message = change.message
    return {
        "chat_id": message.chat_id,
        "message_id": message.id,
        "user_id": change.actor_id,
        "seq": message.changed_seq,
        "timestamp": time_view(at),
    }


def replayed(message: Message, at: datetime, links: FileLinks, *, known: bool) -> Event:
    """The event that brings a recovering client to the message's current state; `known`: the client has seen it."""
    change = replay_of(message, known=known)
    return ROOM_EVENTS[type(change)](change, at, links)


@room_event(ReadMoved)
def messages_read(change: ReadMoved, at: datetime, _links: FileLinks) -> Event:
    return "messages_read", {
        "chat_id": change.chat_id,
        "user_id": change.user_id,
        "up_to": change.up_to,
        "read_seq": change.read_seq,
        "timestamp": time_view(at),
    }


def typing(chat_id: int, user_id: int, is_typing: bool, at: datetime) -> Event:
    return "typing", {
        "chat_id": chat_id,
        "user_id": user_id,
        "is_typing": is_typing,
        "timestamp": time_view(at),
    }


def message_stream(chat_id: int, user_id: int, stream_id: str, content: str | None, at: datetime) -> Event:
    """`content` is None at the end of a stream that becomes no message."""
    return "message_stream", {
        "chat_id": chat_id,
        "user_id": user_id,
        "stream_id": stream_id,
        "content": content,
        "timestamp": time_view(at),
    }


def presence(user_id: int, status: str, at: datetime) -> Event:
    """`user_offline` for the status `offline`, else `user_status`."""
    if status == "offline":
        return "user_offline", {"user_id": user_id, "timestamp": time_view(at)}
    return "user_status", {"user_id": user_id, "status": status, "timestamp": time_view(at)}


def chat_changed(chat: Chat, at: datetime) -> Event:
    view: View = chat_view(chat)
    return "chat_changed", {"chat_id": chat.id, "chat": view, "timestamp": time_view(at)}


def chat_updated(
    chat_id: int,
    preview: ChatPreview,
    unread_count: int,
    unread_mentions: int,
    read_seq: int,
    at: datetime,
    links: FileLinks,
) -> Event:
    """For members whose counts and mark are these."""
    last = preview.last_message
    return "chat_updated", {
        "chat_id": chat_id,
        "last_message": None if last is None else message_view(last, links),
        "unread_count": unread_count,
        "unread_mentions": unread_mentions,
        "read_seq": read_seq,
        "head_seq": preview.head_seq,
        "timestamp": time_view(at),
    }


def chat_settings(chat_id: int, member: Member, at: datetime) -> Event:
    """For the own connections of the member."""
    return "chat_settings", {"chat_id": chat_id, **settings_view(member, at), "timestamp": time_view(at)}


def chat_added(chat_id: int, head_seq: int, at: datetime) -> Event:
    """`head_seq` is the number of the room's last event: the next one has the number after it."""
    return "chat_added", {"chat_id": chat_id, "head_seq": head_seq, "timestamp": time_view(at)}


def chat_removed(chat_id: int, reason: RemovalReason, name: str | None, at: datetime) -> Event:
    """`name` is the name that the chat had for the member; None if that is no longer known."""
    return "chat_removed", {
        "chat_id": chat_id,
        "reason": reason,
        "name": name,
        "timestamp": time_view(at),
    }


def user_changed(user: User, status: str, at: datetime, *, own: bool) -> Event:
    """`own`: for the user's own connections."""
    view = user_view(user, status, own=own)
    return "user_changed", {"user_id": user.id, "user": view, "timestamp": time_view(at)}


def token_expiring(expires_in_s: int, at: datetime) -> Event:
    return "token_expiring", {"expires_in": expires_in_s, "timestamp": time_view(at)}
