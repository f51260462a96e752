"""What may be attached to a message, how much a user may send, and the avatar of a chat."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from domain.decisions.view import MemberView, MessageView
from domain.file_changes import ChatAvatarChanged
from domain.files import ATTACHMENTS_MAX, Attachment, Upload
from domain.models import Chat, Draft
from domain.permissions import check_avatar
from domain.refusals import BadReference, OverQuota


def attachments_of(view: MessageView, draft: Draft) -> Sequence[Attachment]:
    """The attachments of a new message, in the order in which the draft names the uploads. Raises:
    `BadReference("attachments")` unless each upload is there once, is the sender's, and no message has it."""
    upload_ids = draft.attachments
    if len(upload_ids) > ATTACHMENTS_MAX or len(set(upload_ids)) < len(upload_ids):
        raise BadReference("attachments")
    found = view.uploads(upload_ids)
    if not all(one in found and _is_free(found[one], draft.sender_id) for one in upload_ids):
        raise BadReference("attachments")
    return tuple(found[one].attachment() for one in upload_ids)


def check_quota(size: int, used_bytes: int, quota_bytes: int) -> None:
    """Checks a new upload of a user whose uploads take `used_bytes`; there is no bound with 0. Raises: `OverQuota`."""
    if quota_bytes and used_bytes + size > quota_bytes:
        raise OverQuota(quota_bytes, used_bytes)


def change_avatar(
    view: MemberView, chat_id: int, user_id: int, avatar_id: str | None, at: datetime
) -> ChatAvatarChanged | Chat:
    """The chat with another avatar, or without one; as it is if that is what it has. Raises: `NotFound`;
    `Forbidden`."""
    check_avatar(view.actor(chat_id, user_id))
    chat = view.chat(chat_id)
    if chat.avatar_id == avatar_id:
        return chat
    return ChatAvatarChanged(replace(chat, avatar_id=avatar_id), chat.avatar_id, user_id, at)


def _is_free(upload: Upload, sender_id: int) -> bool:
    return upload.user_id == sender_id and upload.message_id is None
