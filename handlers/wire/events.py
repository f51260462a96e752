"""The events of the wire, each made in one place: (name, payload). Payloads are the raw frame without `type`."""

from datetime import datetime
from typing import Any, Literal

from domain.models import Chat, ChatPreview, Message, User
from handlers.wire.views import View, chat_view, message_view, optional_time_view, time_view, user_view

Event = tuple[str, dict[str, Any]]

RemovalReason = Literal["left", "removed", "banned", "deleted"]
"""Why somebody is no longer in a chat; `banned` is for later."""


def connected(
    user_id: int, session_id: str, *, epoch: str, expires_in_s: int, limits: dict[str, Any], at: datetime
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


def new_message(message: Message, at: datetime) -> Event:
    return "new_message", {
        "chat_id": message.chat_id,
        "message": message_view(message),
        "seq": message.changed_seq,
        "timestamp": time_view(at),
    }


def message_updated(message: Message, at: datetime) -> Event:
    return "message_updated", {
        "chat_id": message.chat_id,
        "message_id": message.id,
        "content": message.content,
        "edited_at": optional_time_view(message.edited_at),
        "message": message_view(message),
        "seq": message.changed_seq,
        "timestamp": time_view(at),
    }


def message_deleted(message: Message, at: datetime) -> Event:
    return "message_deleted", {
        "chat_id": message.chat_id,
        "message_id": message.id,
        "seq": message.changed_seq,
        "timestamp": time_view(at),
    }


def replayed(message: Message, at: datetime, *, known: bool) -> Event:
    """What a recovering client is told of a message in its current state; `known`: the client has seen it before."""
    if message.deleted:
        return message_deleted(message, at)
    return message_updated(message, at) if known else new_message(message, at)


def typing(chat_id: int, user_id: int, is_typing: bool, at: datetime) -> Event:
    return "typing", {
        "chat_id": chat_id,
        "user_id": user_id,
        "is_typing": is_typing,
        "timestamp": time_view(at),
    }


def presence(user_id: int, status: str, at: datetime) -> Event:
    """`user_offline` for the status `offline`, else `user_status`."""
    if status == "offline":
        return "user_offline", {"user_id": user_id, "timestamp": time_view(at)}
    return "user_status", {"user_id": user_id, "status": status, "timestamp": time_view(at)}


def messages_read(chat_id: int, user_id: int, up_to: int, read_seq: int, at: datetime) -> Event:
    return "messages_read", {
        "chat_id": chat_id,
        "user_id": user_id,
        "up_to": up_to,
        "read_seq": read_seq,
        "timestamp": time_view(at),
    }


def chat_changed(chat: Chat, at: datetime) -> Event:
    view: View = chat_view(chat)
    return "chat_changed", {"chat_id": chat.id, "chat": view, "timestamp": time_view(at)}


def chat_updated(chat_id: int, preview: ChatPreview, unread_count: int, read_seq: int, at: datetime) -> Event:
    """For the members with this count and this mark."""
    last = preview.last_message
    return "chat_updated", {
        "chat_id": chat_id,
        "last_message": None if last is None else message_view(last),
        "unread_count": unread_count,
        "read_seq": read_seq,
        "head_seq": preview.head_seq,
        "timestamp": time_view(at),
    }


def chat_added(chat_id: int, head_seq: int, at: datetime) -> Event:
    """`head_seq` is where the room stands: the chat's next event has the number after it."""
    return "chat_added", {"chat_id": chat_id, "head_seq": head_seq, "timestamp": time_view(at)}


def chat_removed(chat_id: int, reason: RemovalReason, name: str | None, at: datetime) -> Event:
    """`name` is what the member saw the chat under; None if nobody knows any more."""
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
