"""What a store keeps is in a backup, or is named here with the reason: a new column or field is not forgotten."""

import sqlite3
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

from domain.audit import AuditEntry
from domain.files import Attachment, Upload
from domain.hooks import Delivery, Hook
from domain.invites import Invite
from domain.models import Ban, Chat, Member, Message, OwnSettings, User, Version
from storage.backup import records, values
from storage.sqlite.schema import upgrade
from tests.storage.world import START, at

IN_A_BACKUP = {
    "audit": "chat_id at actor_id action user_id message_id detail",
    "bans": "chat_id user_id reason banned_by at",
    "blocks": "user_id blocked_id at",
    "chats": "id name chat_type created_at created_by head_seq users_key is_public slow_mode_s avatar_id",
    "hooks": "id chat_id kind name user_id created_by created_at target_url events include_bots paused key_hash secret"
    " position attempts failing_since last_error next_try_at stopped",
    "invites": "code chat_id created_by created_at expires_at max_uses uses",
    "members": "chat_id user_id role joined_at read_seq last_read_message_id muted_until blocked opened notifications"
    " favorite hidden_seq marked_unread",
    "messages": "id chat_id seq changed_seq sender_id client_id content message_type reply_to created_at edited_at"
    " deleted pinned extra",
    "mutes": "chat_id user_id until",
    "uploads": "id user_id name content_type size created_at width height has_thumbnail message_id",
    "users": "id username display_name email password_hash created_at last_seen_at is_bot banned deleted is_admin"
    " presence avatar_id owner_id banned_with_owner is_hook login_key username_key",
    "versions": "message_id content edited_at",
    "meta": "key value",  # the default chat; ids of the store and its data are new, the rest is of the file
    "sqlite_sequence": "name seq",
}

NOT_IN_IT = {
    "audit": "id",  # stores number them anew
    "chats": "member_count activity",  # derived
    "messages": "deleted_at run_seq",  # the first is never set, the second is derived
    "users": "display_name_key email_key uploads_bytes",  # derived
    "mentions": "chat_id user_id seq sender_id",  # derived
    "search_segments": "segment form oldest newest",  # made anew
    "search_words": "id words",
    # A session of a bot's token is made of `BotTokenRecord`; of people there are none.
    "sessions": "id user_id created_at revoked address user_agent last_used_at",
    "tokens": "hash session_id expires_at spent_at reuses",
    "slow_sends": "chat_id user_id at",  # of the last hour at most
    "removals": "chat_id",  # of chats that are deleted
    "freed_files": "file_id",  # of files that are deleted
}


def test_each_column_is_in_a_backup_or_named() -> None:
    db = sqlite3.connect(":memory:", isolation_level=None)
    upgrade(db)
    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {table: {row[1] for row in db.execute(f"PRAGMA table_info({table})")} for table in tables}
    named = {
        table: {*IN_A_BACKUP.get(table, "").split(), *NOT_IN_IT.get(table, "").split()}
        for table in IN_A_BACKUP.keys() | NOT_IN_IT.keys()
    }
    assert found == named
    db.close()


ATTACHMENT = Attachment("a", "b", "image/png", 4, 5, 6, True)
EXAMPLES: list[Any] = [
    User(
        *(1, "ann", "Ann", "a@b", "hash", START, at(1), True, True, True, True, "away", 0, "avatar", 2),
        *(True, True, "login"),
    ),
    Chat(1, "x", "private", START, 2, 3, 4, True, 5, "avatar"),
    Member(1, "owner", START, 2, 3, at(1), True, True, OwnSettings("none", True, 7, True)),
    Ban(1, "why", 2, START),
    Invite("code", 1, 2, START, at(1), 3, 2),
    Hook(1, 2, "outgoing", "x", 3, 4, START, "https://x", ("new_message",), True, True),
    Upload("a", 1, "b", "image/png", 4, START, 5, 6, True),
    AuditEntry(0, START, 1, "renamed", 2, 3, "x"),
    Delivery(1, 2, START, "x", at(1), True),
    Version("x", START),
    Message(
        *(1, 2, 3, 4, "x", 5, START, at(1), "image", 6, {"🎉": [2, 1]}, 7, (ATTACHMENT,), "c", True, (8,)),
        True,
    ),
]
"""Values of which no field has its default."""

NOT_KEPT = {"presence_n", "ended", "message_id", "id"}
"""Fields that may have their default here: a counter among nodes, what ended invites and attached uploads have, and the
number of an entry."""


def again(value: Any) -> Any:
    """The value after a way through its record."""
    match value:
        case User():
            return values.user_of(records.user_record(value, namesake=False))
        case Chat():
            return values.chat_of(records.chat_record(value, [1, 2]), 4)
        case Member():
            return values.member_of(records.member_record(1, value))
        case Ban():
            return values.ban_of(records.ban_record(1, value))
        case Invite():
            return values.invite_of(records.invite_record(value))
        case Hook():
            return values.hook_of(records.hook_record(value, Delivery(), None, None))
        case Upload():
            return values.upload_of(records.upload_record(value))
        case AuditEntry():
            return values.audit_of(records.audit_record(1, value))
        case Delivery():
            return values.delivery_of(records.hook_record(EXAMPLES[5], value, None, None))
        case Version():
            (version,) = values.versions_of(records.message_record(EXAMPLES[-1], [value]))
            return version
        case _:
            return values.message_of(records.message_record(value))


def test_each_field_comes_back() -> None:
    for value in EXAMPLES:
        assert again(value) == value
        for field in fields(value):
            kept = getattr(value, field.name)
            assert field.name in NOT_KEPT or kept not in (None, False, 0, "", (), field.default), field.name


def test_an_upload_that_a_message_has_comes_back() -> None:
    uploaded = START - timedelta(seconds=3)
    message = replace(EXAMPLES[-1], attachments=[ATTACHMENT])
    (upload,) = values.attached_uploads_of(records.message_record(message, (), {"a": uploaded}))
    assert upload == Upload("a", message.sender_id, "b", "image/png", 4, uploaded, 5, 6, True, message.id)
