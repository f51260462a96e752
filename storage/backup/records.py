"""From values of the domain to records (`storage.backup_records`), for every store."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from domain.audit import AuditEntry
from domain.files import Attachment, Upload, thumbnail_id
from domain.hooks import Delivery, Hook
from domain.invites import Invite
from domain.models import Ban, Chat, Member, Message, User, Version
from storage.backup.times import time_text
from storage.backup_ports import Record
from storage.backup_records import (
    AttachmentRecord,
    AuditRecord,
    BanRecord,
    BlockRecord,
    BotTokenRecord,
    ChatRecord,
    HookRecord,
    InviteRecord,
    MemberRecord,
    MessageRecord,
    MuteRecord,
    UploadRecord,
    UserRecord,
    VersionRecord,
)


def user_record(user: User, *, namesake: bool) -> UserRecord:
    """`namesake`: the store has another key for the username than that of the name."""
    record: UserRecord = {
        "id": user.id,
        "username": user.username,
        "display_name": user.display_name,
        "created_at": time_text(user.created_at),
    }
    _add(
        record,
        email=user.email,
        password_hash=user.password_hash or None,
        last_seen_at=_text_or_none(user.last_seen_at),
        is_bot=user.is_bot or None,
        is_hook=user.is_hook or None,
        banned=user.banned or None,
        deleted=user.deleted or None,
        is_admin=user.is_admin or None,
        presence=None if user.presence == "auto" else user.presence,
        avatar_id=user.avatar_id,
        owner_id=user.owner_id,
        banned_with_owner=user.banned_with_owner or None,
        login_key=user.login_key,
        namesake=namesake or None,
    )
    return record


def block_record(user_id: int, blocked_id: int, at: datetime) -> BlockRecord:
    return {"user_id": user_id, "blocked_id": blocked_id, "at": time_text(at)}


def bot_token_record(user_id: int, token_id: str, created_at: datetime) -> BotTokenRecord:
    return {"user_id": user_id, "token_id": token_id, "created_at": time_text(created_at)}


def upload_record(upload: Upload) -> UploadRecord:
    record: UploadRecord = {
        "id": upload.id,
        "user_id": upload.user_id,
        "name": upload.name,
        "content_type": upload.content_type,
        "size": upload.size,
        "created_at": time_text(upload.created_at),
    }
    _add(
        record,
        width=upload.width,
        height=upload.height,
        has_thumbnail=upload.has_thumbnail or None,
    )
    return record


def chat_record(chat: Chat, user_ids: Sequence[int] | None) -> ChatRecord:
    """`user_ids`: see `ChatRecord`; None for any but a private chat."""
    record: ChatRecord = {
        "id": chat.id,
        "chat_type": chat.chat_type,
        "created_at": time_text(chat.created_at),
        "created_by": chat.created_by,
        "head_seq": chat.head_seq,
    }
    _add(
        record,
        name=chat.name,
        is_public=chat.is_public or None,
        slow_mode_s=chat.slow_mode_s or None,
        avatar_id=chat.avatar_id,
        user_ids=None if user_ids is None else sorted(user_ids),
    )
    return record


def member_record(chat_id: int, member: Member) -> MemberRecord:
    settings = member.settings
    record: MemberRecord = {
        "chat_id": chat_id,
        "user_id": member.user_id,
        "role": member.role,
        "joined_at": time_text(member.joined_at),
        "read_seq": member.read_seq,
    }
    _add(
        record,
        last_read_message_id=member.last_read_message_id,
        muted_until=_text_or_none(member.muted_until),
        blocked=member.blocked or None,
        opened=member.opened or None,
        notifications=None if settings.notifications == "all" else settings.notifications,
        favorite=settings.favorite or None,
        hidden_seq=settings.hidden_seq,
        marked_unread=settings.marked_unread or None,
    )
    return record


def mute_record(chat_id: int, user_id: int, until: datetime) -> MuteRecord:
    return {"chat_id": chat_id, "user_id": user_id, "until": time_text(until)}


def ban_record(chat_id: int, ban: Ban) -> BanRecord:
    record: BanRecord = {
        "chat_id": chat_id,
        "user_id": ban.user_id,
        "banned_by": ban.banned_by,
        "at": time_text(ban.at),
    }
    _add(record, reason=ban.reason)
    return record


def invite_record(invite: Invite) -> InviteRecord:
    record: InviteRecord = {
        "code": invite.code,
        "created_by": invite.created_by,
        "created_at": time_text(invite.created_at),
        "max_uses": invite.max_uses,
        "uses": invite.uses,
    }
    _add(record, chat_id=invite.chat_id, expires_at=_text_or_none(invite.expires_at))
    return record


def hook_record(hook: Hook, delivery: Delivery, key_hash: str | None, secret: str | None) -> HookRecord:
    """`delivery` counts for an outgoing hook alone."""
    record: HookRecord = {
        "id": hook.id,
        "chat_id": hook.chat_id,
        "kind": hook.kind,
        "name": hook.name,
        "user_id": hook.user_id,
        "created_by": hook.created_by,
        "created_at": time_text(hook.created_at),
    }
    _add(
        record,
        target_url=hook.target_url,
        events=list(hook.events) or None,
        include_bots=hook.include_bots or None,
        paused=hook.paused or None,
        key_hash=key_hash,
        secret=secret,
        delivery=_delivery_record(delivery) if hook.kind == "outgoing" else None,
    )
    return record


def _delivery_record(delivery: Delivery) -> dict[str, Any]:
    record: dict[str, Any] = {"position": delivery.position}
    _add(
        record,
        attempts=delivery.attempts or None,
        failing_since=_text_or_none(delivery.failing_since),
        last_error=delivery.last_error,
        next_try_at=_text_or_none(delivery.next_try_at),
        stopped=delivery.stopped or None,
    )
    return record


def message_record(
    message: Message, versions: Sequence[Version] = (), uploaded_at: Mapping[str, datetime] | None = None
) -> MessageRecord:
    """`versions` are those before the present one. `uploaded_at` says when the attachments were uploaded, by id; one
    that it lacks counts as uploaded when the message was sent."""
    record: MessageRecord = {
        "id": message.id,
        "chat_id": message.chat_id,
        "seq": message.seq,
        "changed_seq": message.changed_seq,
        "sender_id": message.sender_id,
        "content": message.content,
        "created_at": time_text(message.created_at),
    }
    if message.client_id is not None:
        record["client_id"] = message.client_id
    if message.message_type != "text":
        record["message_type"] = message.message_type
    if message.reply_to is not None:
        record["reply_to"] = message.reply_to
    if message.edited_at is not None:
        record["edited_at"] = time_text(message.edited_at)
    if message.deleted:
        record["deleted"] = True
    if message.pinned_seq:
        record["pinned_seq"] = message.pinned_seq
    if message.reactions:
        record["reactions"] = [
            {"emoji": emoji, "user_ids": list(user_ids)} for emoji, user_ids in message.reactions.items()
        ]
    if message.attachments:
        record["attachments"] = [
            _attachment_record(one, (uploaded_at or {}).get(one.id, message.created_at))
            for one in message.attachments
        ]
    if message.mentions:
        record["mentions"] = list(message.mentions)
    if message.mentions_all:
        record["mentions_all"] = True
    if versions:
        record["versions"] = list(map(_version_record, versions))
    return record


def _attachment_record(attachment: Attachment, created_at: datetime) -> AttachmentRecord:
    record: AttachmentRecord = {
        "id": attachment.id,
        "name": attachment.name,
        "content_type": attachment.content_type,
        "size": attachment.size,
        "created_at": time_text(created_at),
    }
    _add(
        record,
        width=attachment.width,
        height=attachment.height,
        has_thumbnail=attachment.has_thumbnail or None,
    )
    return record


def _version_record(version: Version) -> VersionRecord:
    record: VersionRecord = {"content": version.content}
    _add(record, edited_at=_text_or_none(version.edited_at))
    return record


def audit_record(chat_id: int | None, entry: AuditEntry) -> AuditRecord:
    record: AuditRecord = {"at": time_text(entry.at), "action": entry.action}
    _add(
        record,
        chat_id=chat_id,
        actor_id=entry.actor_id,
        user_id=entry.user_id,
        message_id=entry.message_id,
        detail=entry.detail,
    )
    return record


def files_of(record: Record) -> Iterator[tuple[str, int | None]]:
    """The ids of the files that a record names, with their sizes in bytes; None where it does not tell the size."""
    if "avatar_id" in record:
        yield record["avatar_id"], None
    uploads = record.get("attachments", [record] if "content_type" in record else ())
    for upload in uploads:
        yield upload["id"], upload["size"]
        if upload.get("has_thumbnail"):
            yield thumbnail_id(upload["id"]), None


def _add(record: Mapping[str, Any], **values: object) -> None:
    """Adds those values to a record that are not None."""
    known = cast(dict[str, Any], record)
    known.update((key, value) for key, value in values.items() if value is not None)


def _text_or_none(at: datetime | None) -> str | None:
    return None if at is None else time_text(at)
