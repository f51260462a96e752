"""Documents to models and back. Times are microseconds since the epoch: a BSON date holds only milliseconds."""

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.models import Chat, Member, Message, Session, User
from storage.mongo.database import Document

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    return _EPOCH + timedelta(microseconds=value)


def member_key(chat_id: int, user_id: int) -> str:
    return f"{chat_id}:{user_id}"


def user_of(document: Document) -> User:
    seen = document["last_seen_at"]
    return User(
        id=document["id"],
        username=document["username"],
        display_name=document["display_name"],
        email=document["email"],
        password_hash=document["password_hash"],
        created_at=moment(document["created_at"]),
        last_seen_at=moment(seen) if seen else None,
        is_bot=document["is_bot"],
        banned=document["banned"],
        deleted=document["deleted"],
    )


def session_of(document: Document, *, revoked: bool) -> Session:
    return Session(document["_id"], document["user_id"], moment(document["created_at"]), revoked)


def chat_of(document: Document) -> Chat:
    return Chat(
        document["id"],
        document["name"],
        document["chat_type"],
        moment(document["created_at"]),
        document["created_by"],
        document["head_seq"],
        document["member_count"],
    )


def member_of(document: Document) -> Member:
    return Member(
        document["user_id"],
        document["role"],
        moment(document["joined_at"]),
        document["read_seq"],
        document["last_read_message_id"],
    )


def member_document(member: Member) -> Document:
    return {
        "user_id": member.user_id,
        "role": member.role,
        "joined_at": micros(member.joined_at),
        "read_seq": member.read_seq,
        "last_read_message_id": member.last_read_message_id,
    }


def message_document(message: Message) -> Document:
    extra: dict[str, Any] = {}
    if message.reactions:
        # As pairs: a name with a dot in it cannot be a key.
        extra["reactions"] = [
            {"emoji": emoji, "user_ids": list(users)} for emoji, users in message.reactions.items()
        ]
    if message.attachments:
        extra["attachments"] = [dict(attachment) for attachment in message.attachments]
    return {
        "_id": str(message.id),
        "chat_id": message.chat_id,
        "seq": message.seq,
        "changed_seq": message.changed_seq,
        "sender_id": message.sender_id,
        "client_id": message.client_id,
        "content": message.content,
        "message_type": message.message_type,
        "reply_to": message.reply_to,
        "created_at": micros(message.created_at),
        "edited_at": None if message.edited_at is None else micros(message.edited_at),
        "pinned": message.pinned,
        "deleted": message.deleted,
        "extra": extra,
    }


def message_of(document: Document) -> Message:
    edited, extra = document["edited_at"], document["extra"]
    reactions = extra.get("reactions")
    return Message(
        id=int(document["_id"]),
        chat_id=document["chat_id"],
        seq=document["seq"],
        changed_seq=document["changed_seq"],
        content=document["content"],
        sender_id=document["sender_id"],
        created_at=moment(document["created_at"]),
        edited_at=None if edited is None else moment(edited),
        message_type=document["message_type"],
        reply_to=document["reply_to"],
        reactions=reactions and {one["emoji"]: one["user_ids"] for one in reactions},
        pinned=document["pinned"],
        attachments=extra.get("attachments", ()),
        client_id=document["client_id"],
        deleted=document["deleted"],
    )
