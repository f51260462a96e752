"""Documents to models and back. Fields that came after the first stage may be missing: each is read with a default."""

from datetime import datetime
from typing import Any

from domain.models import UNSET, Account, Chat, Member, Message, OwnSettings, Role, Session, User
from domain.text import email_key, name_key
from storage.attachments import attachments_of, stored_attachments
from storage.mongo.database import Document
from storage.times import from_micros, to_micros


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
        created_at=from_micros(document["created_at"]),
        last_seen_at=from_micros(seen) if seen else None,
        is_bot=document["is_bot"],
        banned=document["banned"],
        deleted=document["deleted"],
        is_admin=document.get("is_admin", False),
        presence=document.get("presence", "auto"),
        presence_n=document.get("presence_n", 0),
        avatar_id=document.get("avatar_id"),
        owner_id=document.get("owner_id"),
        banned_with_owner=document.get("banned_with_owner", False),
        is_hook=document.get("is_hook", False),
        login_key=document.get("login_key"),
    )


def address_key(user: User) -> str:
    """What is unique of an account beside its username, in the field `email_key`: the email address or the login, of
    which nobody has both; else the id. Those that are no address begin with `#`."""
    if user.login_key is not None:
        return f"#login {user.login_key}"
    return f"#{user.id}" if user.email is None else email_key(user.email)


def user_document(user: User) -> Document:
    """The document of a new account."""
    document = {
        "_id": str(user.id),
        "id": user.id,
        "username": user.username,
        "username_key": name_key(user.username),
        "display_name": user.display_name,
        "display_name_key": name_key(user.display_name),
        "email": user.email,
        "email_key": address_key(user),
        "password_hash": user.password_hash,
        "created_at": to_micros(user.created_at),
        "last_seen_at": 0,
        "is_bot": user.is_bot,
        "is_admin": user.is_admin,
        "banned": False,
        "deleted": False,
    }
    if user.is_hook:
        document["is_hook"] = True
    if user.login_key is not None:
        document["login_key"] = user.login_key
    return document if user.owner_id is None else {**document, "owner_id": user.owner_id}


def account_of(document: Document) -> Account:
    is_hook = document.get("is_hook", False)
    return Account(document["id"], document["is_bot"], document["banned"], document["deleted"], is_hook)


def session_of(document: Document, *, revoked: bool) -> Session:
    used = document.get("last_used_at")
    return Session(
        document["_id"],
        document["user_id"],
        from_micros(document["created_at"]),
        revoked,
        document.get("address", ""),
        document.get("user_agent", ""),
        from_micros(used) if used else None,
    )


def chat_of(document: Document) -> Chat:
    return Chat(
        document["id"],
        document["name"],
        document["chat_type"],
        from_micros(document["created_at"]),
        document["created_by"],
        document["head_seq"],
        document["member_count"],
        document.get("is_public", False),
        document.get("slow_mode_s", 0),
        document.get("avatar_id"),
    )


def chat_document(chat: Chat) -> Document:
    return {
        "id": chat.id,
        "name": chat.name,
        "chat_type": chat.chat_type,
        "created_at": to_micros(chat.created_at),
        "created_by": chat.created_by,
        "head_seq": chat.head_seq,
        "member_count": chat.member_count,
        "is_public": chat.is_public,
        "slow_mode_s": chat.slow_mode_s,
        "avatar_id": chat.avatar_id,
    }


def member_of(document: Document, *, role: Role | None = None, joined_at: datetime | None = None) -> Member:
    """With another role and time than the document's, if they are given."""
    muted = document.get("muted_until")
    return Member(
        document["user_id"],
        role or document["role"],
        joined_at or from_micros(document["joined_at"]),
        document["read_seq"],
        document["last_read_message_id"],
        from_micros(muted) if muted else None,
        document.get("blocked", False),
        document.get("opened", False),
        settings_of(document.get("settings")),
    )


def settings_document(settings: OwnSettings) -> Document:
    return {
        "notifications": settings.notifications,
        "favorite": settings.favorite,
        "hidden_seq": settings.hidden_seq,
        "marked_unread": settings.marked_unread,
    }


def settings_of(document: Document | None) -> OwnSettings:
    return OwnSettings(**document) if document else UNSET


def member_document(member: Member) -> Document:
    """Without what the member has set for themselves: that is written by itself."""
    return {
        "user_id": member.user_id,
        "role": member.role,
        "joined_at": to_micros(member.joined_at),
        "read_seq": member.read_seq,
        "last_read_message_id": member.last_read_message_id,
        "muted_until": 0 if member.muted_until is None else to_micros(member.muted_until),
        "blocked": member.blocked,
        "opened": member.opened,
    }


def message_document(message: Message) -> Document:
    extra: dict[str, Any] = {}
    if message.reactions:
        # As pairs: a name with a dot in it cannot be a key.
        extra["reactions"] = [
            {"emoji": emoji, "user_ids": list(users)} for emoji, users in message.reactions.items()
        ]
    if message.pinned_seq:
        extra["pinned_seq"] = message.pinned_seq
    if message.attachments:
        extra["attachments"] = stored_attachments(message.attachments)
    if message.mentions or message.mentions_all:
        extra["mentions"] = [*message.mentions, 0] if message.mentions_all else list(message.mentions)
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
        "created_at": to_micros(message.created_at),
        "edited_at": None if message.edited_at is None else to_micros(message.edited_at),
        "pinned": message.pinned_seq > 0,
        "deleted": message.deleted,
        "extra": extra,
    }


def message_of(document: Document) -> Message:
    edited, extra = document["edited_at"], document["extra"]
    reactions, mentions = extra.get("reactions"), extra.get("mentions", ())
    return Message(
        id=int(document["_id"]),
        chat_id=document["chat_id"],
        seq=document["seq"],
        changed_seq=document["changed_seq"],
        content=document["content"],
        sender_id=document["sender_id"],
        created_at=from_micros(document["created_at"]),
        edited_at=None if edited is None else from_micros(edited),
        message_type=document["message_type"],
        reply_to=document["reply_to"],
        reactions=reactions and {one["emoji"]: one["user_ids"] for one in reactions},
        pinned_seq=extra.get("pinned_seq", 0),
        attachments=attachments_of(extra["attachments"]) if "attachments" in extra else (),
        client_id=document["client_id"],
        deleted=document["deleted"],
        mentions=tuple(filter(None, mentions)),
        mentions_all=0 in mentions,
    )
