"""What the caller of a store gets for a change that is made."""

from collections.abc import Callable, Mapping
from typing import Any

from domain.changes import (
    Change,
    ChatCreated,
    ChatDeleted,
    ChatRenamed,
    MemberAdded,
    MemberRemoved,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    ReadMoved,
    RoleChanged,
)
from domain.models import Appended

_RESULTS: Mapping[type[Change], Callable[[Any], object]] = {
    MessageCreated: lambda change: Appended(change.message, duplicate=False),
    MessageEdited: lambda change: change.message,
    MessageDeleted: lambda change: change.message,
    ChatCreated: lambda change: (change.state.chat, True),
    ChatRenamed: lambda change: change.chat,
    ChatDeleted: lambda change: None,
    MemberAdded: lambda change: change.member,
    MemberRemoved: lambda change: None,
    ReadMoved: lambda change: None,  # with what is unread, which only the store can count
    RoleChanged: lambda change: change.member,
}


def result_of(change: Change) -> Any:
    """See the methods of `storage.ports` that return it."""
    return _RESULTS[type(change)](change)
