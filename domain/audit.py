"""What was done to chats and accounts, by whom and when: what admins read of it.

An entry of a chat is made from a change of the chat, by the function that the table at the end has for the kind of the
change; the store writes it with the change. Changes of other kinds leave no entry. Nor does a change of which it is not
known when it was made or, where somebody has to have made it, by whom: first versions did not note that. Acts on
accounts are entries of the server, which the store writes with the act.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from domain.changes import (
    Change,
    ChatRenamed,
    ChatSettingsChanged,
    MemberAdded,
    MemberRemoved,
    MessageDeleted,
    RoleChanged,
)
from domain.file_changes import ChatAvatarChanged
from domain.frozen import frozen
from domain.hook_changes import HookAdded, HookChanged, HookRemoved
from domain.invites import InviteMade, InviteRemoved
from domain.models import Member
from domain.moderation import MemberMuted, UserBanned, UserUnbanned
from domain.pins import MessagePinned, MessageUnpinned

ChatAction = Literal[
    "renamed",
    "member_added",
    "member_joined",
    "member_removed",
    "member_left",
    "role_changed",
    "muted",
    "unmuted",
    "banned",
    "unbanned",
    "message_deleted",
    "message_pinned",
    "message_unpinned",
    "made_public",
    "made_private",
    "slow_mode_changed",
    "avatar_changed",
    "avatar_removed",
    "invite_made",
    "invite_removed",
    "hook_added",
    "hook_changed",
    "hook_paused",
    "hook_resumed",
    "hook_key_renewed",
    "hook_removed",
]
"""What is told of a chat. Stored: a name never changes."""


@frozen
class AuditEntry:
    """One act. `id` orders the entries of one chat, or of the server; 0 as long as the store has not numbered it.

    `actor_id` is None for acts of the command line, and where it is not known. `user_id` is the user whom the act
    concerns, `message_id` the message; `detail` is what else there is to say, such as the new name or role.
    """

    id: int
    at: datetime
    actor_id: int | None
    action: str
    user_id: int | None = None
    message_id: int | None = None
    detail: str | None = None


Entries = Sequence[AuditEntry]


def entries_of(change: Change) -> Entries:
    """What the audit of the chat tells of a change, unnumbered; the consequence after its cause."""
    make = _ENTRIES.get(type(change))
    return () if make is None else make(change)


def is_audited(kind: type[Change]) -> bool:
    """Whether changes of a kind may leave entries."""
    return kind in _ENTRIES


def _entry(
    at: datetime,
    actor_id: int | None,
    action: ChatAction,
    *,
    user_id: int | None = None,
    message_id: int | None = None,
    detail: str | None = None,
) -> AuditEntry:
    return AuditEntry(0, at, actor_id, action, user_id, message_id, detail)


def _renamed(change: ChatRenamed) -> Entries:
    if change.at is None:
        return ()
    return [_entry(change.at, change.actor_id, "renamed", detail=change.chat.name)]


def _settings_changed(change: ChatSettingsChanged) -> Entries:
    """An entry for each field."""
    chat, at, actor_id = change.chat, change.at, change.actor_id
    entries = {
        "name": _entry(at, actor_id, "renamed", detail=chat.name),
        "is_public": _entry(at, actor_id, "made_public" if chat.is_public else "made_private"),
        "slow_mode_s": _entry(at, actor_id, "slow_mode_changed", detail=str(chat.slow_mode_s)),
    }
    return [entries[field] for field in change.changed]


def _avatar_changed(change: ChatAvatarChanged) -> Entries:
    """Without the id, which gives the picture to anybody who has it."""
    action: ChatAction = "avatar_removed" if change.chat.avatar_id is None else "avatar_changed"
    return [_entry(change.at, change.actor_id, action)]


def _invite_made(change: InviteMade) -> Entries:
    """Without the code, which would let the readers in."""
    return [_entry(change.at, change.actor_id, "invite_made")]


def _invite_removed(change: InviteRemoved) -> Entries:
    return [_entry(change.at, change.actor_id, "invite_removed")]


def _hook_added(change: HookAdded) -> Entries:
    """The name, and neither where an outgoing hook goes, which may be a secret address, nor what authenticates it. So
    it is with the others."""
    return [
        _entry(change.at, change.actor_id, "hook_added", user_id=change.hook.user_id, detail=change.hook.name)
    ]


def _hook_changed(change: HookChanged) -> Entries:
    """An entry for each kind of change that the change is."""
    hook = change.hook
    actions: list[ChatAction] = []
    if change.resumed:
        actions.append("hook_resumed")
    elif "paused" in change.changed:
        actions.append("hook_paused")
    if "key" in change.changed:
        actions.append("hook_key_renewed")
    if not {"paused", "created_by", "key"}.issuperset(change.changed):
        actions.append("hook_changed")
    return [
        _entry(change.at, change.actor_id, action, user_id=hook.user_id, detail=hook.name)
        for action in actions
    ]


def _hook_removed(change: HookRemoved) -> Entries:
    hook = change.hook
    return [_entry(change.at, change.actor_id, "hook_removed", user_id=hook.user_id, detail=hook.name)]


def _member_added(change: MemberAdded) -> Entries:
    member, actor_id = change.member, change.actor_id
    if actor_id is None:
        return ()
    action: ChatAction = "member_joined" if actor_id == member.user_id else "member_added"
    return [_entry(member.joined_at, actor_id, action, user_id=member.user_id, detail=member.role)]


def _member_removed(change: MemberRemoved) -> Entries:
    if change.at is None:
        return ()
    action: ChatAction = "member_left" if change.actor_id == change.user_id else "member_removed"
    removed = _entry(change.at, change.actor_id, action, user_id=change.user_id)
    return [removed, *_inherited(change.heir, change.at)]


def _role_changed(change: RoleChanged) -> Entries:
    member = change.member
    if change.at is None:
        return ()
    changed = _entry(change.at, change.actor_id, "role_changed", user_id=member.user_id, detail=member.role)
    return [changed, *_inherited(change.heir, change.at)]


def _inherited(heir: Member | None, at: datetime) -> Entries:
    """The new role of a member to whom ownership passed on, which nobody gave them."""
    return () if heir is None else [_entry(at, None, "role_changed", user_id=heir.user_id, detail=heir.role)]


def _muted(change: MemberMuted) -> Entries:
    until, user_id = change.member.muted_until, change.member.user_id
    if until is None:
        return [_entry(change.at, change.actor_id, "unmuted", user_id=user_id)]
    return [_entry(change.at, change.actor_id, "muted", user_id=user_id, detail=until.isoformat())]


def _banned(change: UserBanned) -> Entries:
    ban = change.ban
    return [_entry(ban.at, ban.banned_by, "banned", user_id=ban.user_id, detail=ban.reason)]


def _unbanned(change: UserUnbanned) -> Entries:
    return [_entry(change.at, change.actor_id, "unbanned", user_id=change.user_id)]


def _message_deleted(change: MessageDeleted) -> Entries:
    """Only of messages of others: what people do with their own messages is theirs."""
    message, actor_id = change.message, change.actor_id
    if change.at is None or actor_id is None or actor_id == message.sender_id:
        return ()
    return [_entry(change.at, actor_id, "message_deleted", user_id=message.sender_id, message_id=message.id)]


def _message_pinned(change: MessagePinned) -> Entries:
    message = change.message
    return [
        _entry(change.at, change.actor_id, "message_pinned", user_id=message.sender_id, message_id=message.id)
    ]


def _message_unpinned(change: MessageUnpinned) -> Entries:
    message = change.message
    return [
        _entry(
            change.at, change.actor_id, "message_unpinned", user_id=message.sender_id, message_id=message.id
        )
    ]


_ENTRIES: Mapping[type[Change], Callable[[Any], Entries]] = {
    ChatRenamed: _renamed,
    ChatSettingsChanged: _settings_changed,
    ChatAvatarChanged: _avatar_changed,
    InviteMade: _invite_made,
    InviteRemoved: _invite_removed,
    HookAdded: _hook_added,
    HookChanged: _hook_changed,
    HookRemoved: _hook_removed,
    MemberAdded: _member_added,
    MemberRemoved: _member_removed,
    RoleChanged: _role_changed,
    MemberMuted: _muted,
    UserBanned: _banned,
    UserUnbanned: _unbanned,
    MessageDeleted: _message_deleted,
    MessagePinned: _message_pinned,
    MessageUnpinned: _message_unpinned,
}
