"""From records to the objects of an export: those of docs/protocol.md, as far as they are about what is exported."""

from collections.abc import Mapping
from typing import Any

from server.exports.folder import ExportedFiles
from storage.backup_ports import Record

Object = dict[str, Any]


async def message_object(record: Record, files: ExportedFiles) -> Object:
    """The message with all that it has, its files copied."""
    return {
        "id": record["id"],
        "chat_id": record["chat_id"],
        "seq": record["seq"],
        "changed_seq": record["changed_seq"],
        "content": record["content"],
        "sender_id": record["sender_id"],
        "created_at": record["created_at"],
        "edited_at": record.get("edited_at"),
        "message_type": record.get("message_type", "text"),
        "reply_to": record.get("reply_to"),
        "mentions": record.get("mentions", []),
        "mentions_all": record.get("mentions_all", False),
        "reactions": {one["emoji"]: one["user_ids"] for one in record.get("reactions", ())},
        "pinned": record.get("pinned_seq", 0) > 0,
        "attachments": [await upload_object(one, files) for one in record.get("attachments", ())],
        **({"client_id": record["client_id"]} if "client_id" in record else {}),
        "versions": [
            {"content": one["content"], "edited_at": one.get("edited_at")}
            for one in record.get("versions", ())
        ],
    }


async def own_message_object(record: Record, files: ExportedFiles) -> Object:
    """The message without what others have added to it: reactions, pins, and whom it mentions."""
    found = await message_object(record, files)
    return {
        key: value
        for key, value in found.items()
        if key not in ("mentions", "mentions_all", "reactions", "pinned", "changed_seq")
    }


async def upload_object(record: Record, files: ExportedFiles) -> Object:
    """The upload, and where its file is in the export; null if it is not in it."""
    sizes = {key: record[key] for key in ("width", "height") if key in record}
    about = {key: record[key] for key in ("id", "name", "content_type", "size", "created_at")}
    return {**about, **sizes, "file": await files.add(record)}


def chat_object(record: Record) -> Object:
    return {
        "id": record["id"],
        "name": record.get("name"),
        "chat_type": record["chat_type"],
        "created_at": record["created_at"],
        "created_by": record["created_by"],
        "seq": record["head_seq"],
        "is_public": record.get("is_public", False),
        "slow_mode_s": record.get("slow_mode_s", 0),
    }


def member_object(record: Record) -> Object:
    keys = ("user_id", "role", "joined_at", "read_seq")
    about = {key: record[key] for key in keys}
    return {
        **about,
        "last_read_message_id": record.get("last_read_message_id"),
        "muted_until": record.get("muted_until"),
    }


def settings_object(record: Record) -> Object:
    """What a member has set for themselves."""
    return {
        "notifications": record.get("notifications", "all"),
        "favorite": record.get("favorite", False),
        "hidden": "hidden_seq" in record,
        "marked_unread": record.get("marked_unread", False),
    }


def user_object(record: Record) -> Object:
    return {
        "id": record["id"],
        "username": record["username"],
        "display_name": record["display_name"],
        "created_at": record["created_at"],
        "is_bot": record.get("is_bot", False),
        "deleted": record.get("deleted", False),
    }


def account_object(record: Record) -> Object:
    """The account as its owner sees it, and no password hash."""
    return {
        **user_object(record),
        "email": record.get("email"),
        "last_seen_at": record.get("last_seen_at"),
        "presence": record.get("presence", "auto"),
        "is_admin": record.get("is_admin", False),
        "banned": record.get("banned", False),
        **({"owner_id": record["owner_id"]} if "owner_id" in record else {}),
    }


def picked(record: Record, *keys: str) -> Mapping[str, Any]:
    """These of the keys; null where the record has none."""
    return {key: record.get(key) for key in keys}
