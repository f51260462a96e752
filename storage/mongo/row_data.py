"""From a change to what its row of the log says; `ChatReplica.apply` leads back."""

from collections.abc import Callable, Mapping
from typing import Any

from domain.changes import (
    Change,
    ChatCreated,
    ChatDeleted,
    ChatRenamed,
    MemberAdded,
    MemberRemoved,
    MessageChange,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    RoleChanged,
)
from storage.mongo.chat_replica import ChatReplica
from storage.mongo.database import Document
from storage.mongo.documents import chat_document, member_document
from storage.mongo.log import Kind, Row

_MESSAGE_KINDS: Mapping[type[Change], Kind] = {
    MessageCreated: "sent",
    MessageEdited: "edited",
    MessageDeleted: "deleted",
}


def message_row(change: MessageChange, n: int, mark: str) -> Row:
    """The row, number `n` of its chat, of a change of a message."""
    message = change.message
    return Row(message.chat_id, n, message.changed_seq, _MESSAGE_KINDS[type(change)], mark, message)


def chat_row(change: Change, replica: ChatReplica, mark: str) -> Row:
    """The next row of the chat, for a change of the chat or of a member, decided on this replica."""
    kind, data_of = _CHAT_KINDS[type(change)]
    return Row(
        replica.chat_id, replica.n + 1, replica.seq, kind, mark, data=data_of(change, len(replica.roles))
    )


def _created(change: ChatCreated, _member_count: int) -> Document:
    members = [member_document(member) for member in change.state.members.values()]
    return {"chat": chat_document(change.state.chat), "members": members}


def _renamed(change: ChatRenamed, _member_count: int) -> Document:
    return {"name": change.chat.name}


def _deleted(change: ChatDeleted, _member_count: int) -> Document:
    user_ids = list(change.member_ids)
    return {"user_ids": user_ids, "left_id": change.left_id, "deleted": True, "member_count": 0}


def _added(change: MemberAdded, member_count: int) -> Document:
    return {"member": member_document(change.member), "member_count": member_count + 1}


def _removed(change: MemberRemoved, member_count: int) -> Document:
    return {
        "user_id": change.user_id,
        "actor_id": change.actor_id,
        "heir": change.heir and member_document(change.heir),
        "member_count": member_count - 1,
    }


def _role_changed(change: RoleChanged, _member_count: int) -> Document:
    return {"member": member_document(change.member), "heir": change.heir and member_document(change.heir)}


_CHAT_KINDS: Mapping[type[Change], tuple[Kind, Callable[[Any, int], Document]]] = {
    ChatCreated: ("opened", _created),
    ChatRenamed: ("renamed", _renamed),
    ChatDeleted: ("closed", _deleted),
    MemberAdded: ("added", _added),
    MemberRemoved: ("removed", _removed),
    RoleChanged: ("role", _role_changed),
}
