"""What the wire shows of what the store keeps: one function for each kind of object."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.models import Chat, ChatSummary, Member, Message, User

View = dict[str, Any]


def time_view(moment: datetime) -> str | datetime:
    """What becomes ISO 8601 in UTC with offset, always with microseconds."""
    # `wire_json` writes a datetime as it has to be, but for one without microseconds; three are told of each message.
    return moment if moment.microsecond else moment.isoformat(timespec="microseconds")


def optional_time_view(moment: datetime | None) -> str | datetime | None:
    return None if moment is None else time_view(moment)


def user_view(user: User, status: str, *, own: bool = False) -> View:
    """`own`: for the user himself, with what nobody else sees."""
    view: View = {
        "id": user.id,
        "username": user.username,
        "display_name": user.display_name,
        "status": status,
        "last_seen_at": optional_time_view(user.last_seen_at),
        "created_at": time_view(user.created_at),
        "is_bot": user.is_bot,
        "active": user.active,
        "deleted": user.deleted,
    }
    if own:
        view["email"] = user.email
    return view


def message_view(message: Message) -> View:
    view: View = {
        "id": message.id,
        "chat_id": message.chat_id,
        "seq": message.seq,
        "changed_seq": message.changed_seq,
        "content": message.content,
        "sender_id": message.sender_id,
        "created_at": time_view(message.created_at),
        "edited_at": optional_time_view(message.edited_at),
        "message_type": message.message_type,
        "reply_to": message.reply_to,
        "reactions": message.reactions or {},
        "pinned": message.pinned,
        "attachments": message.attachments,
    }
    if message.client_id is not None:
        view["client_id"] = message.client_id
    return view


def chat_view(chat: Chat) -> View:
    """A chat without what differs from member to member."""
    return {
        "id": chat.id,
        "name": chat.name,
        "chat_type": chat.chat_type,
        "created_at": time_view(chat.created_at),
        "created_by": chat.created_by,
        "member_count": chat.member_count,
        "seq": chat.head_seq,
    }


def summary_view(summary: ChatSummary) -> View:
    """A chat as one member sees it."""
    last = summary.last_message
    return {
        **chat_view(summary.chat),
        "role": summary.member.role,
        "unread_count": summary.unread_count,
        "last_message": None if last is None else message_view(last),
        "last_read_message_id": summary.member.last_read_message_id,
        "read_seq": summary.member.read_seq,
    }


def member_view(member: Member, user: View) -> View:
    return {
        "user": user,
        "role": member.role,
        "joined_at": time_view(member.joined_at),
        "last_read_message_id": member.last_read_message_id,
        "read_seq": member.read_seq,
    }


def error_view(code: str, message: str, fields: Mapping[str, str] | None, retry_after_ms: int | None) -> View:
    """What every gate says of an error."""
    view: View = {"code": code, "message": message}
    if fields:
        view["fields"] = dict(fields)
    if retry_after_ms is not None:
        view["retry_after_ms"] = retry_after_ms
    return view
