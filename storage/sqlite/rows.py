"""Rows to models, and the few values that look different on disk."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.models import Chat, Member, Message, Session, User

Row = tuple[Any, ...]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(at: datetime) -> int:
    """Exact, where `timestamp()` is a float that no longer holds every microsecond."""
    return (at - _EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    return _EPOCH + timedelta(microseconds=value)


def _moment_or_none(value: int | None) -> datetime | None:
    return None if value is None else moment(value)


def user_of(row: Row) -> User:
    (user_id, username, display_name, email, password_hash, created, seen, is_bot, banned, deleted, *_) = row
    return User(
        id=user_id,
        username=username,
        display_name=display_name,
        email=email,
        password_hash=password_hash,
        created_at=moment(created),
        last_seen_at=_moment_or_none(seen),
        is_bot=bool(is_bot),
        banned=bool(banned),
        deleted=bool(deleted),
    )


def session_of(row: Row) -> Session:
    (session_id, user_id, created, revoked, *_) = row
    return Session(session_id, user_id, moment(created), bool(revoked))


def chat_of(row: Row) -> Chat:
    (chat_id, name, chat_type, created, created_by, head_seq, member_count, *_) = row
    return Chat(chat_id, name, chat_type, moment(created), created_by, head_seq, member_count)


def member_of(row: Row) -> Member:
    (_chat_id, user_id, role, joined, read_seq, last_read_message_id, *_) = row
    return Member(user_id, role, moment(joined), read_seq, last_read_message_id)


def message_of(row: Row) -> Message:
    (
        message_id,
        chat_id,
        seq,
        changed_seq,
        sender_id,
        client_id,
        content,
        message_type,
        reply_to,
        created,
        edited,
        deleted,
        pinned,
        extra,
        *_,
    ) = row
    more = json.loads(extra) if extra else {}
    return Message(
        id=message_id,
        chat_id=chat_id,
        seq=seq,
        changed_seq=changed_seq,
        content=content,
        sender_id=sender_id,
        created_at=moment(created),
        edited_at=_moment_or_none(edited),
        message_type=message_type,
        reply_to=reply_to,
        reactions=more.get("reactions"),
        pinned=bool(pinned),
        attachments=more.get("attachments", ()),
        client_id=client_id,
        deleted=bool(deleted),
    )
