"""Rows to models, and the one column that holds more than one value."""

import json
from datetime import datetime
from typing import Any

from domain.models import UNSET, Chat, Member, Message, Notifications, OwnSettings, Session, User
from storage.attachments import attachments_of, stored_attachments
from storage.times import from_micros

Row = tuple[Any, ...]


def _from_micros_or_none(value: int | None) -> datetime | None:
    return None if value is None else from_micros(value)


def user_of(row: Row) -> User:
    (user_id, username, display_name, email, password_hash, created, seen, is_bot, banned, deleted, *more) = (
        row
    )
    _username_key, _display_name_key, _email_key, is_admin, presence, avatar_id, _uploads_bytes, *more = more
    owner_id, banned_with_owner, is_hook, login_key, *_ = more
    return User(
        id=user_id,
        username=username,
        display_name=display_name,
        email=email,
        password_hash=password_hash,
        created_at=from_micros(created),
        last_seen_at=_from_micros_or_none(seen),
        is_bot=bool(is_bot),
        banned=bool(banned),
        deleted=bool(deleted),
        is_admin=bool(is_admin),
        presence=presence,
        avatar_id=avatar_id,
        owner_id=owner_id,
        banned_with_owner=bool(banned_with_owner),
        is_hook=bool(is_hook),
        login_key=login_key,
    )


def session_of(row: Row) -> Session:
    (session_id, user_id, created, revoked, address, user_agent, used, *_) = row
    return Session(
        session_id,
        user_id,
        from_micros(created),
        bool(revoked),
        address,
        user_agent,
        _from_micros_or_none(used),
    )


def chat_of(row: Row, *, head_seq: int | None = None) -> Chat:
    """With another head than the row's if `head_seq` is given: the writer raises those of rows only at the end."""
    (chat_id, name, chat_type, created, created_by, stored_head, member_count, *more) = row
    _activity, _users_key, is_public, slow_mode_s, avatar_id, *_ = more
    return Chat(
        chat_id,
        name,
        chat_type,
        from_micros(created),
        created_by,
        stored_head if head_seq is None else head_seq,
        member_count,
        bool(is_public),
        slow_mode_s,
        avatar_id,
    )


def member_of(row: Row) -> Member:
    (_chat_id, user_id, role, joined, read_seq, last_read_message_id, muted_until, blocked, opened, *own) = (
        row
    )
    return Member(
        user_id,
        role,
        from_micros(joined),
        read_seq,
        last_read_message_id,
        _from_micros_or_none(muted_until),
        bool(blocked),
        bool(opened),
        _settings_of(*own),
    )


def _settings_of(
    notifications: Notifications, favorite: int, hidden_seq: int | None, marked_unread: int, *_: object
) -> OwnSettings:
    if notifications == "all" and not favorite and hidden_seq is None and not marked_unread:
        return UNSET
    return OwnSettings(notifications, bool(favorite), hidden_seq, bool(marked_unread))


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
        created_at=from_micros(created),
        edited_at=_from_micros_or_none(edited),
        message_type=message_type,
        reply_to=reply_to,
        reactions=more.get("reactions"),
        pinned_seq=pinned,
        attachments=attachments_of(more["attachments"]) if "attachments" in more else (),
        client_id=client_id,
        deleted=bool(deleted),
        mentions=tuple(more.get("mentions", ())),
        mentions_all=more.get("mentions_all", False),
    )


def extra_of(message: Message) -> str | None:
    """The column `extra` of a message, as `message_of` reads it."""
    extra: dict[str, Any] = {}
    if message.reactions:
        extra["reactions"] = {emoji: list(user_ids) for emoji, user_ids in message.reactions.items()}
    if message.attachments:
        extra["attachments"] = stored_attachments(message.attachments)
    if message.mentions:
        extra["mentions"] = list(message.mentions)
    if message.mentions_all:
        extra["mentions_all"] = True
    return json.dumps(extra) if extra else None
