"""The rows of a new database, as the values of their columns, made of records."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from domain.files import Upload
from domain.text import email_key, name_key
from storage.backup import values
from storage.backup.times import time_of
from storage.backup_ports import Kind, Record
from storage.bot_tokens import FOR_EVER, token_key
from storage.sqlite import audit_rows
from storage.sqlite.chat_view import users_key
from storage.times import to_micros
from storage.username_keys import namesake_key

Columns = Mapping[str, object]


def _user_row(record: Record) -> Columns:
    user = values.user_of(record)
    key = namesake_key if record.get("namesake") else name_key
    return {
        "id": user.id,
        "username": user.username,
        "display_name": user.display_name,
        "email": user.email,
        "password_hash": user.password_hash,
        "created_at": to_micros(user.created_at),
        "last_seen_at": micros(user.last_seen_at),
        "is_bot": user.is_bot,
        "banned": user.banned,
        "deleted": user.deleted,
        "username_key": key(user.username),
        "display_name_key": name_key(user.display_name),
        "email_key": None if user.email is None else email_key(user.email),
        "is_admin": user.is_admin,
        "presence": user.presence,
        "avatar_id": user.avatar_id,
        "owner_id": user.owner_id,
        "banned_with_owner": user.banned_with_owner,
        "is_hook": user.is_hook,
        "login_key": user.login_key,
    }


def _block_row(record: Record) -> Columns:
    return {**record, "at": _micros_of(record["at"])}


def _session_row(record: Record) -> Columns:
    """The session of a bot's token."""
    return {
        "id": record["token_id"],
        "user_id": record["user_id"],
        "created_at": _micros_of(record["created_at"]),
    }


def _token_row(record: Record) -> Columns:
    token_id = record["token_id"]
    return {"hash": token_key(token_id), "session_id": token_id, "expires_at": to_micros(FOR_EVER)}


def _invite_row(record: Record) -> Columns:
    return {
        "code": record["code"],
        "chat_id": record.get("chat_id"),
        "created_by": record["created_by"],
        "created_at": _micros_of(record["created_at"]),
        "expires_at": _micros_of(record.get("expires_at")),
        "max_uses": record["max_uses"],
        "uses": record["uses"],
    }


def _unattached_row(record: Record) -> Columns:
    return upload_row(values.upload_of(record))


def upload_row(upload: Upload) -> Columns:
    return {
        "id": upload.id,
        "user_id": upload.user_id,
        "name": upload.name,
        "content_type": upload.content_type,
        "size": upload.size,
        "created_at": to_micros(upload.created_at),
        "width": upload.width,
        "height": upload.height,
        "has_thumbnail": upload.has_thumbnail,
        "message_id": upload.message_id,
    }


def _audit_row(record: Record) -> Columns:
    return {
        "chat_id": record.get("chat_id", audit_rows.SERVER),
        "at": _micros_of(record["at"]),
        "actor_id": record.get("actor_id"),
        "action": record["action"],
        "user_id": record.get("user_id"),
        "message_id": record.get("message_id"),
        "detail": record.get("detail"),
    }


def _chat_row(record: Record) -> Columns:
    created = _micros_of(record["created_at"])
    users = record.get("user_ids")
    return {
        "id": record["id"],
        "name": record.get("name"),
        "chat_type": record["chat_type"],
        "created_at": created,
        "created_by": record["created_by"],
        "head_seq": record["head_seq"],
        "member_count": 0,
        "activity": created,
        "users_key": None if users is None else users_key(users),
        "is_public": record.get("is_public", False),
        "slow_mode_s": record.get("slow_mode_s", 0),
        "avatar_id": record.get("avatar_id"),
    }


def _member_row(record: Record) -> Columns:
    member = values.member_of(record)
    settings = member.settings
    return {
        "chat_id": record["chat_id"],
        "user_id": member.user_id,
        "role": member.role,
        "joined_at": to_micros(member.joined_at),
        "read_seq": member.read_seq,
        "last_read_message_id": member.last_read_message_id,
        "muted_until": micros(member.muted_until),
        "blocked": member.blocked,
        "opened": member.opened,
        "notifications": settings.notifications,
        "favorite": settings.favorite,
        "hidden_seq": settings.hidden_seq,
        "marked_unread": settings.marked_unread,
    }


def _mute_row(record: Record) -> Columns:
    return {**record, "until": _micros_of(record["until"])}


def _ban_row(record: Record) -> Columns:
    return {"reason": None, **record, "at": _micros_of(record["at"])}


def _hook_row(record: Record) -> Columns:
    hook = values.hook_of(record)
    delivery = values.delivery_of(record)
    return {
        "id": hook.id,
        "chat_id": hook.chat_id,
        "kind": hook.kind,
        "name": hook.name,
        "user_id": hook.user_id,
        "created_by": hook.created_by,
        "created_at": to_micros(hook.created_at),
        "target_url": hook.target_url,
        "events": " ".join(hook.events),
        "include_bots": hook.include_bots,
        "paused": hook.paused,
        "key_hash": record.get("key_hash"),
        "secret": record.get("secret"),
        "position": delivery.position,
        "attempts": delivery.attempts,
        "failing_since": micros(delivery.failing_since),
        "last_error": delivery.last_error,
        "next_try_at": micros(delivery.next_try_at),
        "stopped": delivery.stopped,
    }


def micros(at: datetime | None) -> int | None:
    return None if at is None else to_micros(at)


def _micros_of(text: str | None) -> int | None:
    return None if text is None else to_micros(time_of(text))


TABLES: Mapping[Kind, Sequence[tuple[str, Callable[[Record], Columns]]]] = {
    "user": [("users", _user_row)],
    "block": [("blocks", _block_row)],
    "bot_token": [("sessions", _session_row), ("tokens", _token_row)],
    "invite": [("invites", _invite_row)],
    "upload": [("uploads", _unattached_row)],
    "audit": [("audit", _audit_row)],
    "chat": [("chats", _chat_row)],
    "member": [("members", _member_row)],
    "mute": [("mutes", _mute_row)],
    "ban": [("bans", _ban_row)],
    "hook": [("hooks", _hook_row)],
}
"""Into which tables a record goes, and what makes the row. Messages are not among them: they go into several, by the
million."""
