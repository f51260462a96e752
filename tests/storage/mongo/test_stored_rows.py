"""Rows as they stand in the databases of earlier versions are read as they were meant, each kind in all its forms."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from domain.changes import (
    ChatCreated,
    ChatDeleted,
    ChatRenamed,
    ChatSettingsChanged,
    MemberAdded,
    MemberRemoved,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    RoleChanged,
    kinds,
)
from domain.file_changes import ChatAvatarChanged
from domain.files import Attachment
from domain.hook_changes import HookAdded, HookChanged, HookRemoved
from domain.hooks import Hook
from domain.invites import Invite, InviteMade, InviteRemoved
from domain.models import Ban, Chat, ChatState, Member, Message
from domain.moderation import MemberMuted, UserBanned, UserUnbanned
from domain.pins import MessagePinned, MessageUnpinned
from domain.private_chats import ChatOpened, MemberBlocked
from domain.reactions import ReactionAdded, ReactionRemoved
from storage.mongo import MongoStore
from storage.mongo.log import Row
from tests.storage.world import START, World

MICROS = 1763892000123456
"""`START` in a document."""


def member_document(user_id: int, role: str, read_seq: int = 0) -> dict[str, Any]:
    last_read_message_id = 11 if read_seq else None
    return {
        "user_id": user_id,
        "role": role,
        "joined_at": MICROS,
        "read_seq": read_seq,
        "last_read_message_id": last_read_message_id,
    }


def message_document(changed_seq: int, content: str, **more: object) -> dict[str, Any]:
    document = {
        "_id": "11",
        "chat_id": 1,
        "seq": 1,
        "changed_seq": changed_seq,
        "sender_id": 1,
        "client_id": "x",
        "content": content,
        "message_type": "text",
        "reply_to": None,
        "created_at": MICROS,
        "edited_at": None,
        "pinned": False,
        "deleted": False,
        "extra": {},
    }
    return document | more


def chat_document(name: str | None, chat_type: str) -> dict[str, Any]:
    return {
        "id": 1,
        "name": name,
        "chat_type": chat_type,
        "created_at": MICROS,
        "created_by": 1,
        "head_seq": 0,
        "member_count": 2,
    }


ANNA, BORIS = Member(1, "owner", START), Member(2, "member", START)
OPENED = {
    "chat": chat_document("Lobby", "group"),
    "members": [member_document(1, "owner"), member_document(2, "member")],
}
LOBBY = Chat(1, "Lobby", "group", START, 1, 0, 2)
CREATED = ChatCreated(ChatState(LOBBY, {1: ANNA, 2: BORIS}))
MESSAGE = Message(11, 1, 1, 1, "hello", 1, START, client_id="x")


def row(n: int, seq: int, kind: str, data: Mapping[str, Any] | None, message: Any = None) -> dict[str, Any]:
    """A document of the log, field by field."""
    return {
        "_id": f"1:{n}",
        "chat_id": 1,
        "n": n,
        "seq": seq,
        "kind": kind,
        "mark": f"mark{n}",
        "sender_id": 1 if kind == "sent" else 0,
        "client_id": "x" if kind == "sent" else f"#mark{n}",
        "message_id": None if message is None else 11,
        "message": message,
        "data": data,
    }


LOG = [
    (row(1, 0, "opened", OPENED), CREATED),
    (row(2, 1, "sent", None, message_document(1, "hello")), MessageCreated(MESSAGE)),
    (
        row(3, 2, "edited", None, message_document(2, "edited", edited_at=MICROS)),
        MessageEdited(Message(11, 1, 1, 2, "edited", 1, START, START, client_id="x")),
    ),
    (row(4, 2, "renamed", {"name": "New"}), ChatRenamed(Chat(1, "New", "group", START, 1, 2, 2))),
    (
        row(5, 2, "added", {"member": member_document(3, "member", 1), "member_count": 3}),
        MemberAdded(1, Member(3, "member", START, 1, 11)),
    ),
    (row(6, 2, "role", {"member": member_document(2, "admin")}), RoleChanged(1, Member(2, "admin", START))),
    (
        row(7, 3, "deleted", None, message_document(3, "", edited_at=MICROS, deleted=True)),
        MessageDeleted(Message(11, 1, 1, 3, "", 1, START, START, client_id="x", deleted=True)),
    ),
    (
        row(8, 3, "removed", {"user_id": 3, "actor_id": 1, "heir": None, "member_count": 2}),
        MemberRemoved(1, 3, None, 1, "New"),
    ),
    (
        row(
            9,
            3,
            "removed",
            {"user_id": 1, "actor_id": 1, "heir": member_document(2, "owner"), "member_count": 1},
        ),
        MemberRemoved(1, 1, Member(2, "owner", START), 1, "New"),
    ),
    (
        row(10, 3, "closed", {"user_ids": [2], "left_id": None, "deleted": True, "member_count": 0}),
        ChatDeleted(1, [2], "New"),
    ),
]
PASSED_ON = (
    row(2, 0, "role", {"member": member_document(1, "member"), "heir": member_document(2, "owner")}),
    RoleChanged(1, Member(1, "member", START), Member(2, "owner", START)),
)
"""The owner was banned."""

PRIVATE = [
    (
        row(1, 0, "opened", {**OPENED, "chat": chat_document(None, "private")}),
        ChatCreated(ChatState(Chat(1, None, "private", START, 1, 0, 2), {1: ANNA, 2: BORIS})),
    ),
    (row(2, 0, "asked_for", {"user_id": 2}), ChatOpened(Chat(1, None, "private", START, 1, 0, 2), 2)),
    (row(3, 0, "blocked", {"fields": {"user_id": 2, "blocked": True}}), MemberBlocked(1, 2, True)),
]

FIRST_STAGE = [
    (row(2, 0, "removed", {"user_id": 2, "heir": None, "member_count": 1}), MemberRemoved(1, 2, None)),
    (row(3, 0, "closed", {"user_ids": [1], "deleted": True, "member_count": 0}), ChatDeleted(1, [1])),
]
"""Rows that do not say by whom."""


ACT = {"actor_id": 1, "at": MICROS}
BAN = {"user_id": 2, "reason": "spam", "banned_by": 1, "at": MICROS}
INVITE = {"code": "code", "created_by": 1, "created_at": MICROS, "expires_at": None, "max_uses": 5}
PEOPLE = [
    (
        row(2, 0, "settings", {"values": {"name": "New", "is_public": True}, **ACT}),
        ChatSettingsChanged(
            Chat(1, "New", "group", START, 1, 0, 2, is_public=True), ("name", "is_public"), 1, START
        ),
    ),
    (
        row(3, 0, "invite_made", {"invite": {"chat_id": 1, **INVITE}}),
        InviteMade(Invite("code", 1, 1, START, None, 5)),
    ),
    (
        row(4, 0, "invite_removed", {"fields": {"code": "code", **ACT}}),
        InviteRemoved(1, "code", 1, START),
    ),
    (
        row(5, 0, "muted", {"member": {**member_document(2, "member"), "muted_until": MICROS}, **ACT}),
        MemberMuted(1, replace(BORIS, muted_until=START), 1, START),
    ),
    (
        row(6, 0, "banned", {"ban": BAN, "was_member": True, "member_count": 1}),
        UserBanned(1, Ban(2, "spam", 1, START), True, "New"),
    ),
    (row(7, 0, "unbanned", {"fields": {"user_id": 2, **ACT}}), UserUnbanned(1, 2, 1, START)),
]
"""Kinds of the second format."""

_THUMB = {"reactions": [{"emoji": "a.b👍", "user_ids": [2]}]}
_PIN = {"fields": ACT}
_REACTION = {"fields": {"user_id": 2, "emoji": "a.b👍"}}
_REACTED = replace(MESSAGE, reactions={"a.b👍": [2]}, changed_seq=2)
MARKS = [
    (
        row(3, 2, "reaction_added", _REACTION, message_document(2, "hello", extra=_THUMB)),
        ReactionAdded(_REACTED, 2, "a.b👍"),
    ),
    (
        row(
            4, 3, "pinned", _PIN, message_document(3, "hello", pinned=True, extra={**_THUMB, "pinned_seq": 3})
        ),
        MessagePinned(replace(_REACTED, pinned_seq=3, changed_seq=3), 1, START),
    ),
    (
        row(5, 4, "unpinned", _PIN, message_document(4, "hello", extra=_THUMB)),
        MessageUnpinned(replace(_REACTED, changed_seq=4), 1, START),
    ),
    (
        row(6, 5, "reaction_removed", _REACTION, message_document(5, "hello")),
        ReactionRemoved(replace(MESSAGE, changed_seq=5), 2, "a.b👍"),
    ),
]
"""Kinds of the third format that reactions and pins have."""


_ATTACHED = {"attachments": [{"id": "f", "name": "a.txt", "content_type": "text/plain", "size": 3}]}
FILES = [
    (
        row(2, 1, "sent", None, message_document(1, "", message_type="file", extra=_ATTACHED)),
        MessageCreated(
            replace(
                MESSAGE,
                content="",
                message_type="file",
                attachments=(Attachment("f", "a.txt", "text/plain", 3),),
            )
        ),
    ),
    (
        row(3, 1, "avatar", {"avatar_id": "a", "old_id": None, **ACT}),
        ChatAvatarChanged(replace(LOBBY, head_seq=1, avatar_id="a"), None, 1, START),
    ),
]
"""What the third format has of files."""

_HOOK = {
    "id": 5,
    "chat_id": 1,
    "kind": "outgoing",
    "name": "CI",
    "user_id": 9,
    "created_by": 1,
    "created_at": MICROS,
    "target_url": "https://example.org/",
    "events": ["new_message"],
    "include_bots": False,
    "paused": False,
}
HOOK = Hook(5, 1, "outgoing", "CI", 9, 1, START, "https://example.org/", ("new_message",))
HOOKS = [
    (row(2, 0, "hook_added", {"hook": _HOOK}), HookAdded(HOOK)),
    (
        row(
            3,
            0,
            "hook_changed",
            {"hook": {**_HOOK, "paused": True}, "changed": ["paused"], "resumed": False, **ACT},
        ),
        HookChanged(replace(HOOK, paused=True), ("paused",), False, 1, START),
    ),
    (
        row(4, 0, "hook_removed", {"hook": _HOOK, **ACT}),
        HookRemoved(HOOK, 1, START),
    ),
]
"""Kinds of the fourth format."""


@pytest.mark.parametrize(
    "log",
    [
        LOG,
        PRIVATE,
        [LOG[0], *PEOPLE],
        [LOG[0], PASSED_ON],
        [LOG[0], *FIRST_STAGE],
        [*LOG[:2], *MARKS],
        [LOG[0], *FILES],
        [LOG[0], *HOOKS],
    ],
)
async def test_what_earlier_versions_wrote(mongo_store: MongoStore, log: list[tuple[Any, Any]]) -> None:
    world = World(mongo_store)
    await mongo_store._database.changes.insert_many([document for document, _ in log])
    await mongo_store.chats.load(1)
    expected = [change for _, change in log]
    assert world.published == expected
    # Fields that take no part in comparisons.
    for published, change in zip(world.published, expected, strict=True):
        if isinstance(change, MemberRemoved | ChatDeleted) and log is LOG:
            assert published.name == change.name == "New"  # type: ignore[union-attr]
        if isinstance(change, MemberRemoved):
            assert published.actor_id == change.actor_id  # type: ignore[union-attr]


def test_every_kind_that_is_in_databases_is_here() -> None:
    assert {document["kind"] for document, _ in [*LOG, *PEOPLE, *PRIVATE, *MARKS, *FILES, *HOOKS]} == {
        kind.name for kind in kinds() if kind.logged
    }


async def test_an_insert_ends_at_the_first_row_that_is_taken(mongo_store: MongoStore) -> None:
    """On FerretDB too, which is why no command inserts more than a hundred rows."""
    log = mongo_store._writer.replicas.log
    rows = [Row(9, n, n, "renamed", f"mark{n}") for n in range(1, 301)]
    assert await log.insert([replace(rows[150], mark="another server's")]) == 1
    assert await log.insert(rows) == 150
    assert await mongo_store._database.changes.count_documents({"chat_id": 9}) == 151
    assert await log.insert(rows[151:]) == 149
