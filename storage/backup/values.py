"""From records (`storage.backup_records`), which were checked, to values of the domain, for every store."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from domain.audit import AuditEntry
from domain.files import Attachment, Upload
from domain.hooks import Delivery, Hook
from domain.invites import Invite
from domain.models import UNSET, Ban, Chat, Member, Message, OwnSettings, User, Version
from storage.backup.times import time_of
from storage.backup_ports import Record


def user_of(record: Record) -> User:
    return User(
        id=record["id"],
        username=record["username"],
        display_name=record["display_name"],
        email=record.get("email"),
        password_hash=record.get("password_hash", ""),
        created_at=time_of(record["created_at"]),
        last_seen_at=_time_or_none(record.get("last_seen_at")),
        is_bot=record.get("is_bot", False),
        banned=record.get("banned", False),
        deleted=record.get("deleted", False),
        is_admin=record.get("is_admin", False),
        presence=record.get("presence", "auto"),
        avatar_id=record.get("avatar_id"),
        owner_id=record.get("owner_id"),
        banned_with_owner=record.get("banned_with_owner", False),
        is_hook=record.get("is_hook", False),
        login_key=record.get("login_key"),
    )


def upload_of(record: Record) -> Upload:
    """An upload that no message has."""
    return Upload(
        record["id"],
        record["user_id"],
        record["name"],
        record["content_type"],
        record["size"],
        time_of(record["created_at"]),
        record.get("width"),
        record.get("height"),
        record.get("has_thumbnail", False),
    )


def attached_uploads_of(record: Record) -> Sequence[Upload]:
    """The uploads that a message has, given its record."""
    return [
        Upload(
            one["id"],
            record["sender_id"],
            one["name"],
            one["content_type"],
            one["size"],
            time_of(one["created_at"]),
            one.get("width"),
            one.get("height"),
            one.get("has_thumbnail", False),
            record["id"],
        )
        for one in record.get("attachments", ())
    ]


def chat_of(record: Record, member_count: int) -> Chat:
    return Chat(
        record["id"],
        record.get("name"),
        record["chat_type"],
        time_of(record["created_at"]),
        record["created_by"],
        record["head_seq"],
        member_count,
        record.get("is_public", False),
        record.get("slow_mode_s", 0),
        record.get("avatar_id"),
    )


def member_of(record: Record) -> Member:
    settings = OwnSettings(
        record.get("notifications", "all"),
        record.get("favorite", False),
        record.get("hidden_seq"),
        record.get("marked_unread", False),
    )
    return Member(
        record["user_id"],
        record["role"],
        time_of(record["joined_at"]),
        record["read_seq"],
        record.get("last_read_message_id"),
        _time_or_none(record.get("muted_until")),
        record.get("blocked", False),
        record.get("opened", False),
        UNSET if settings == UNSET else settings,
    )


def ban_of(record: Record) -> Ban:
    return Ban(record["user_id"], record.get("reason"), record["banned_by"], time_of(record["at"]))


def invite_of(record: Record) -> Invite:
    return Invite(
        record["code"],
        record.get("chat_id"),
        record["created_by"],
        time_of(record["created_at"]),
        _time_or_none(record.get("expires_at")),
        record["max_uses"],
        record["uses"],
    )


def hook_of(record: Record) -> Hook:
    return Hook(
        record["id"],
        record["chat_id"],
        record["kind"],
        record["name"],
        record["user_id"],
        record["created_by"],
        time_of(record["created_at"]),
        record.get("target_url"),
        tuple(record.get("events", ())),
        record.get("include_bots", False),
        record.get("paused", False),
    )


def delivery_of(record: Record) -> Delivery:
    """How far the hook of the record is; the empty value for an incoming one."""
    delivery: Mapping[str, Any] = record.get("delivery", {})
    return Delivery(
        delivery.get("position", 0),
        delivery.get("attempts", 0),
        _time_or_none(delivery.get("failing_since")),
        delivery.get("last_error"),
        _time_or_none(delivery.get("next_try_at")),
        delivery.get("stopped", False),
    )


def message_of(record: Record) -> Message:
    return Message(
        id=record["id"],
        chat_id=record["chat_id"],
        seq=record["seq"],
        changed_seq=record["changed_seq"],
        content=record["content"],
        sender_id=record["sender_id"],
        created_at=time_of(record["created_at"]),
        edited_at=_time_or_none(record.get("edited_at")),
        message_type=record.get("message_type", "text"),
        reply_to=record.get("reply_to"),
        reactions={one["emoji"]: one["user_ids"] for one in record.get("reactions", ())} or None,
        pinned_seq=record.get("pinned_seq", 0),
        attachments=tuple(map(_attachment_of, record.get("attachments", ()))),
        client_id=record.get("client_id"),
        deleted=record.get("deleted", False),
        mentions=tuple(record.get("mentions", ())),
        mentions_all=record.get("mentions_all", False),
    )


def versions_of(record: Record) -> Sequence[Version]:
    """What a message said before its edits, given its record."""
    return [
        Version(one["content"], _time_or_none(one.get("edited_at"))) for one in record.get("versions", ())
    ]


def audit_of(record: Record) -> AuditEntry:
    """An act that the store has not numbered."""
    return AuditEntry(
        0,
        time_of(record["at"]),
        record.get("actor_id"),
        record["action"],
        record.get("user_id"),
        record.get("message_id"),
        record.get("detail"),
    )


def _attachment_of(record: Record) -> Attachment:
    return Attachment(
        record["id"],
        record["name"],
        record["content_type"],
        record["size"],
        record.get("width"),
        record.get("height"),
        record.get("has_thumbnail", False),
    )


def _time_or_none(text: str | None) -> datetime | None:
    return None if text is None else time_of(text)
