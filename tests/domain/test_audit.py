"""What the audit of a chat tells of each kind of change."""

from dataclasses import replace
from typing import get_args

import pytest

from domain.audit import AuditEntry, ChatAction, entries_of, is_audited
from domain.changes import (
    Change,
    ChatRenamed,
    ChatSettingsChanged,
    MemberAdded,
    MemberRemoved,
    MessageCreated,
    MessageDeleted,
    RoleChanged,
)
from domain.file_changes import ChatAvatarChanged
from domain.hook_changes import HookAdded, HookChanged, HookRemoved
from domain.hooks import Hook
from domain.invites import Invite, InviteMade, InviteRemoved
from domain.models import Ban, Chat, Member, Message
from domain.moderation import MemberMuted, UserBanned, UserUnbanned
from domain.pins import MessagePinned, MessageUnpinned
from domain.reactions import ReactionAdded, ReactionRemoved
from tests.domain.fake_view import ADMIN, CHAT, MEMBER, OWNER, START, at

LUNCH = Chat(CHAT, "Lunch", "group", START, OWNER, 3, 3)
JOINED = Member(MEMBER, "member", at(1))
HEIR = Member(ADMIN, "owner", START)
HOOK = Hook(5, CHAT, "outgoing", "CI", 41, ADMIN, at(1), "https://example.org/secret", ("new_message",))
MESSAGE = Message(31, CHAT, 1, 2, "", MEMBER, START, deleted=True)


def entry(action: str, actor_id: int | None, user_id: int | None = None, **more: object) -> AuditEntry:
    return AuditEntry(0, at(1), actor_id, action, user_id, **more)  # type: ignore[arg-type]


TOLD: list[tuple[Change, list[AuditEntry]]] = [
    (ChatRenamed(LUNCH, ADMIN, at(1)), [entry("renamed", ADMIN, detail="Lunch")]),
    (ChatAvatarChanged(replace(LUNCH, avatar_id="a"), None, ADMIN, at(1)), [entry("avatar_changed", ADMIN)]),
    (ChatAvatarChanged(LUNCH, "a", ADMIN, at(1)), [entry("avatar_removed", ADMIN)]),
    (
        ChatSettingsChanged(replace(LUNCH, is_public=True), ("name", "is_public"), OWNER, at(1)),
        [entry("renamed", OWNER, detail="Lunch"), entry("made_public", OWNER)],
    ),
    (ChatSettingsChanged(LUNCH, ("is_public",), OWNER, at(1)), [entry("made_private", OWNER)]),
    (
        ChatSettingsChanged(replace(LUNCH, slow_mode_s=30), ("slow_mode_s",), ADMIN, at(1)),
        [entry("slow_mode_changed", ADMIN, detail="30")],
    ),
    (
        MemberMuted(CHAT, replace(JOINED, muted_until=at(9)), ADMIN, at(1)),
        [entry("muted", ADMIN, MEMBER, detail=at(9).isoformat())],
    ),
    (MemberMuted(CHAT, JOINED, OWNER, at(1)), [entry("unmuted", OWNER, MEMBER)]),
    (
        UserBanned(CHAT, Ban(MEMBER, "spam", ADMIN, at(1)), was_member=True),
        [entry("banned", ADMIN, MEMBER, detail="spam")],
    ),
    (
        UserBanned(CHAT, Ban(MEMBER, None, OWNER, at(1)), was_member=False),
        [entry("banned", OWNER, MEMBER)],
    ),
    (UserUnbanned(CHAT, MEMBER, ADMIN, at(1)), [entry("unbanned", ADMIN, MEMBER)]),
    (InviteMade(Invite("code", CHAT, ADMIN, at(1), None, 5)), [entry("invite_made", ADMIN)]),
    (InviteRemoved(CHAT, "code", OWNER, at(1)), [entry("invite_removed", OWNER)]),
    (HookAdded(HOOK), [entry("hook_added", ADMIN, 41, detail="CI")]),
    (
        HookChanged(HOOK, ("name", "created_by"), False, OWNER, at(1)),
        [entry("hook_changed", OWNER, 41, detail="CI")],
    ),
    (
        HookChanged(replace(HOOK, paused=True), ("paused",), False, OWNER, at(1)),
        [entry("hook_paused", OWNER, 41, detail="CI")],
    ),
    (
        HookChanged(HOOK, ("created_by", "paused"), True, OWNER, at(1)),
        [entry("hook_resumed", OWNER, 41, detail="CI")],
    ),
    (
        HookChanged(HOOK, ("target_url", "paused"), True, OWNER, at(1)),
        [entry("hook_resumed", OWNER, 41, detail="CI"), entry("hook_changed", OWNER, 41, detail="CI")],
    ),
    (
        HookChanged(HOOK, ("key",), False, OWNER, at(1)),
        [entry("hook_key_renewed", OWNER, 41, detail="CI")],
    ),
    (HookRemoved(HOOK, OWNER, at(1)), [entry("hook_removed", OWNER, 41, detail="CI")]),
    (MemberAdded(CHAT, JOINED, ADMIN), [entry("member_added", ADMIN, MEMBER, detail="member")]),
    (MemberAdded(CHAT, JOINED, MEMBER), [entry("member_joined", MEMBER, MEMBER, detail="member")]),
    (MemberRemoved(CHAT, MEMBER, None, ADMIN, "Lunch", at(1)), [entry("member_removed", ADMIN, MEMBER)]),
    (
        MemberRemoved(CHAT, OWNER, HEIR, OWNER, "Lunch", at(1)),
        [entry("member_left", OWNER, OWNER), entry("role_changed", None, ADMIN, detail="owner")],
    ),
    (
        RoleChanged(CHAT, replace(JOINED, role="admin"), None, OWNER, at(1)),
        [entry("role_changed", OWNER, MEMBER, detail="admin")],
    ),
    (
        RoleChanged(CHAT, Member(OWNER, "member", START), HEIR, None, at(1)),
        [
            entry("role_changed", None, OWNER, detail="member"),
            entry("role_changed", None, ADMIN, detail="owner"),
        ],
    ),
    (
        MessageDeleted(MESSAGE, ADMIN, at(1)),
        [entry("message_deleted", ADMIN, MEMBER, message_id=31)],
    ),
    (MessageDeleted(MESSAGE, MEMBER, at(1)), []),
    (
        MessagePinned(MESSAGE, ADMIN, at(1)),
        [entry("message_pinned", ADMIN, MEMBER, message_id=31)],
    ),
    (
        MessageUnpinned(MESSAGE, MEMBER, at(1)),
        [entry("message_unpinned", MEMBER, MEMBER, message_id=31)],
    ),
    (ReactionAdded(MESSAGE, ADMIN, "👍"), []),
    (ReactionRemoved(MESSAGE, ADMIN, "👍"), []),
    (MessageCreated(MESSAGE), []),
]


@pytest.mark.parametrize(("change", "expected"), TOLD)
def test_what_is_told(change: Change, expected: list[AuditEntry]) -> None:
    assert list(entries_of(change)) == expected


@pytest.mark.parametrize(
    "change",
    [
        ChatRenamed(LUNCH),
        MemberAdded(CHAT, JOINED),
        MemberRemoved(CHAT, MEMBER, HEIR),
        MemberRemoved(CHAT, MEMBER, HEIR, ADMIN, "Lunch"),
        RoleChanged(CHAT, JOINED, HEIR),
        MessageDeleted(MESSAGE),
    ],
)
def test_changes_of_the_first_versions_are_not_told(change: Change) -> None:
    """Their rows lack who made them, or when."""
    assert not entries_of(change)


def test_every_action_and_every_kind_that_leaves_entries_is_here() -> None:
    actions = {one.action for _, expected in TOLD for one in expected}
    assert actions == set(get_args(ChatAction))
    assert all(is_audited(type(change)) or not expected for change, expected in TOLD)
