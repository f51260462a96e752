"""The layouts of rows that the first versions wrote, which databases are full of: they stay as they are. And those of
later kinds that hold more than numbers and texts."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from domain.changes import (
    Change,
    ChatCreated,
    ChatDeleted,
    ChatOpened,
    ChatRenamed,
    MemberAdded,
    MemberRemoved,
    RoleChanged,
)
from domain.frozen import frozen
from domain.models import Chat, ChatState, Member
from storage.mongo.database import Document
from storage.mongo.documents import chat_document, chat_of, member_document, member_of
from storage.mongo.log import Row

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
    return {"name": change.chat.name}


def _read_renamed(row: Row, current: CurrentChat) -> Change:
    return ChatRenamed(replace(current(), name=_data(row)["name"]))


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
    return {"member": member_document(change.member), "member_count": member_count + 1}


def _read_added(row: Row, _current: CurrentChat) -> Change:
    return MemberAdded(row.chat_id, member_of(_data(row)["member"]))


def _removed(change: MemberRemoved, member_count: int) -> Document:
    return {
        "user_id": change.user_id,
        "actor_id": change.actor_id,
        "heir": change.heir and member_document(change.heir),
        "member_count": member_count - 1,
    }


def _read_removed(row: Row, current: CurrentChat) -> Change:
    data = _data(row)
    # Rows of the first stage do not say who removed the member.
    return MemberRemoved(row.chat_id, data["user_id"], _heir(data), data.get("actor_id"), current().name)


def _role_changed(change: RoleChanged, _member_count: int) -> Document:
    return {"member": member_document(change.member), "heir": change.heir and member_document(change.heir)}


def _read_role_changed(row: Row, _current: CurrentChat) -> Change:
    data = _data(row)
    return RoleChanged(row.chat_id, member_of(data["member"]), _heir(data))


def _opened(change: ChatOpened, _member_count: int) -> Document:
    return {"user_id": change.user_id}


def _read_opened(row: Row, current: CurrentChat) -> Change:
    return ChatOpened(current(), _data(row)["user_id"])


def _heir(data: Document) -> Member | None:
    return member_of(data["heir"]) if data.get("heir") else None


def _data(row: Row) -> Document:
    assert row.data is not None
    return row.data


LAYOUTS: Mapping[type[Change], Layout] = {
    ChatCreated: Layout(_created, _read_created),
    ChatRenamed: Layout(_renamed, _read_renamed),
    ChatDeleted: Layout(_deleted, _read_deleted),
    MemberAdded: Layout(_added, _read_added),
    MemberRemoved: Layout(_removed, _read_removed),
    RoleChanged: Layout(_role_changed, _read_role_changed),
    ChatOpened: Layout(_opened, _read_opened),
}
