"""The layouts of rows that the fields of their kinds cannot make. Databases are full of such rows: the layouts stay as
they are."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from domain.changes import (
    Change,
    ChatCreated,
    ChatDeleted,
    ChatRenamed,
    ChatSettingsChanged,
    MemberAdded,
    MemberRemoved,
    RoleChanged,
)
from domain.file_changes import ChatAvatarChanged
from domain.frozen import frozen
from domain.hook_changes import HookAdded, HookChanged, HookRemoved
from domain.invites import InviteMade
from domain.models import Chat, ChatState, Member
from domain.moderation import MemberMuted, UserBanned
from domain.private_chats import ChatOpened
from storage.mongo.bans import ban_document, ban_of
from storage.mongo.database import Document
from storage.mongo.documents import chat_document, chat_of, member_document, member_of
from storage.mongo.hook_documents import hook_document, hook_of
from storage.mongo.invite_documents import invite_document, invite_of
from storage.mongo.log import Row
from storage.times import from_micros, to_micros

CurrentChat = Callable[[], Chat]
"""Returns the chat as the rows before one left it."""


@frozen
class Layout:
    """The codec of a kind whose data is made and read by functions of its own."""

    data_of: Callable[[Any, int], Document | None]
    change_of: Callable[[Row, CurrentChat], Change]


def _created(change: ChatCreated, _member_count: int) -> Document:
    members = [member_document(member) for member in change.state.members.values()]
    return {"chat": chat_document(change.state.chat), "members": members}


def _read_created(row: Row, _current: CurrentChat) -> Change:
    data = _data(row)
    members = map(member_of, data["members"])
    return ChatCreated(ChatState(chat_of(data["chat"]), {member.user_id: member for member in members}))


def _renamed(change: ChatRenamed, _member_count: int) -> Document:
    return {"name": change.chat.name, **_act(change)}


def _read_renamed(row: Row, current: CurrentChat) -> Change:
    data = _data(row)
    return ChatRenamed(replace(current(), name=data["name"]), data.get("actor_id"), _at(data))


def _settings_changed(change: ChatSettingsChanged, _member_count: int) -> Document:
    values = {field: getattr(change.chat, field) for field in change.changed}
    return {"values": values, **_act(change)}


def _read_settings_changed(row: Row, current: CurrentChat) -> Change:
    data = _data(row)
    chat = replace(current(), **data["values"])
    return ChatSettingsChanged(chat, tuple(data["values"]), data["actor_id"], from_micros(data["at"]))


def _avatar_changed(change: ChatAvatarChanged, _member_count: int) -> Document:
    return {"avatar_id": change.chat.avatar_id, "old_id": change.old_id, **_act(change)}


def _read_avatar_changed(row: Row, current: CurrentChat) -> Change:
    data = _data(row)
    chat = replace(current(), avatar_id=data["avatar_id"])
    return ChatAvatarChanged(chat, data["old_id"], data["actor_id"], from_micros(data["at"]))


def _invite_made(change: InviteMade, _member_count: int) -> Document:
    return {"invite": invite_document(change.invite)}


def _read_invite_made(row: Row, _current: CurrentChat) -> Change:
    return InviteMade(invite_of(_data(row)["invite"], uses=0))


def _hook_added(change: HookAdded, _member_count: int) -> Document:
    return {"hook": hook_document(change.hook)}


def _read_hook_added(row: Row, _current: CurrentChat) -> Change:
    return HookAdded(hook_of(_data(row)["hook"]))


def _hook_changed(change: HookChanged, _member_count: int) -> Document:
    return {
        "hook": hook_document(change.hook),
        "changed": list(change.changed),
        "resumed": change.resumed,
        **_act(change),
    }


def _read_hook_changed(row: Row, _current: CurrentChat) -> Change:
    data = _data(row)
    hook, at = hook_of(data["hook"]), from_micros(data["at"])
    return HookChanged(hook, tuple(data["changed"]), data["resumed"], data["actor_id"], at)


def _hook_removed(change: HookRemoved, _member_count: int) -> Document:
    return {"hook": hook_document(change.hook), **_act(change)}


def _read_hook_removed(row: Row, _current: CurrentChat) -> Change:
    data = _data(row)
    return HookRemoved(hook_of(data["hook"]), data["actor_id"], from_micros(data["at"]))


def _deleted(change: ChatDeleted, _member_count: int) -> Document:
    user_ids = list(change.member_ids)
    return {
        "user_ids": user_ids,
        "left_id": change.left_id,
        "unseen_by": change.unseen_by,
        "deleted": True,
        "member_count": 0,
    }


def _read_deleted(row: Row, current: CurrentChat) -> Change:
    data, chat = _data(row), current()
    # Rows of the first versions do not say who left, nor who never saw the chat.
    left_id, unseen_by = data.get("left_id"), data.get("unseen_by")
    return ChatDeleted(row.chat_id, data["user_ids"], chat.name, chat.chat_type, left_id, unseen_by)


def _added(change: MemberAdded, member_count: int) -> Document:
    return {
        "member": member_document(change.member),
        "actor_id": change.actor_id,
        "member_count": member_count + 1,
    }


def _read_added(row: Row, _current: CurrentChat) -> Change:
    data = _data(row)
    return MemberAdded(row.chat_id, member_of(data["member"]), data.get("actor_id"))


def _removed(change: MemberRemoved, member_count: int) -> Document:
    return {
        "user_id": change.user_id,
        **_act(change),
        "heir": change.heir and member_document(change.heir),
        "member_count": member_count - 1,
    }


def _read_removed(row: Row, current: CurrentChat) -> Change:
    data = _data(row)
    # Rows of the first stage do not say who removed the member.
    return MemberRemoved(
        row.chat_id, data["user_id"], _heir(data), data.get("actor_id"), current().name, _at(data)
    )


def _role_changed(change: RoleChanged, _member_count: int) -> Document:
    return {
        "member": member_document(change.member),
        "heir": change.heir and member_document(change.heir),
        **_act(change),
    }


def _read_role_changed(row: Row, _current: CurrentChat) -> Change:
    data = _data(row)
    return RoleChanged(row.chat_id, member_of(data["member"]), _heir(data), data.get("actor_id"), _at(data))


def _act(
    change: (
        ChatRenamed
        | ChatSettingsChanged
        | ChatAvatarChanged
        | MemberRemoved
        | RoleChanged
        | MemberMuted
        | HookChanged
        | HookRemoved
    ),
) -> Document:
    """Who made the change, and when. Rows of the first stage do not say it."""
    return {"actor_id": change.actor_id, "at": None if change.at is None else to_micros(change.at)}


def _at(data: Document) -> datetime | None:
    at = data.get("at")
    return None if at is None else from_micros(at)


def _opened(change: ChatOpened, _member_count: int) -> Document:
    return {"user_id": change.user_id}


def _read_opened(row: Row, current: CurrentChat) -> Change:
    return ChatOpened(current(), _data(row)["user_id"])


def _muted(change: MemberMuted, _member_count: int) -> Document:
    return {"member": member_document(change.member), **_act(change)}


def _read_muted(row: Row, _current: CurrentChat) -> Change:
    data = _data(row)
    return MemberMuted(row.chat_id, member_of(data["member"]), data["actor_id"], from_micros(data["at"]))


def _banned(change: UserBanned, member_count: int) -> Document:
    return {
        "ban": ban_document(change.ban),
        "was_member": change.was_member,
        "member_count": member_count - change.was_member,
    }


def _read_banned(row: Row, current: CurrentChat) -> Change:
    data = _data(row)
    return UserBanned(row.chat_id, ban_of(data["ban"]), data["was_member"], current().name)


def _heir(data: Document) -> Member | None:
    return member_of(data["heir"]) if data.get("heir") else None


def _data(row: Row) -> Document:
    assert row.data is not None
    return row.data


LAYOUTS: Mapping[type[Change], Layout] = {
    ChatCreated: Layout(_created, _read_created),
    ChatRenamed: Layout(_renamed, _read_renamed),
    ChatSettingsChanged: Layout(_settings_changed, _read_settings_changed),
    ChatAvatarChanged: Layout(_avatar_changed, _read_avatar_changed),
    ChatDeleted: Layout(_deleted, _read_deleted),
    MemberAdded: Layout(_added, _read_added),
    MemberRemoved: Layout(_removed, _read_removed),
    RoleChanged: Layout(_role_changed, _read_role_changed),
    MemberMuted: Layout(_muted, _read_muted),
    UserBanned: Layout(_banned, _read_banned),
    InviteMade: Layout(_invite_made, _read_invite_made),
    HookAdded: Layout(_hook_added, _read_hook_added),
    HookChanged: Layout(_hook_changed, _read_hook_changed),
    HookRemoved: Layout(_hook_removed, _read_hook_removed),
    ChatOpened: Layout(_opened, _read_opened),
}
