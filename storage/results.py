"""What the caller of a store gets for a change that is made."""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from domain.changes import (
    AccountChange,
    Change,
    ChatCreated,
    ChatDeleted,
    ChatRenamed,
    MemberAdded,
    MemberRemoved,
    MessageChange,
    MessageCreated,
    ReadMoved,
    RoleChanged,
    UndeclaredChange,
    kinds,
)
from domain.models import Appended

_RESULTS: Mapping[type[Change], Callable[[Any], object]] = {
    MessageCreated: lambda change: Appended(change.message, duplicate=False),
    ChatCreated: lambda change: (change.state.chat, True),
    ChatRenamed: lambda change: change.chat,
    ChatDeleted: lambda change: None,
    MemberAdded: lambda change: change.member,
    MemberRemoved: lambda change: None,
    ReadMoved: lambda change: None,  # with what is unread, which only the store can count
    RoleChanged: lambda change: change.member,
}


_MESSAGE_OF = attrgetter("message")


def check_results() -> None:
    """Raises: `UndeclaredChange` for a kind of which this module does not know what the caller gets."""
    for kind in kinds():
        if kind.value not in _RESULTS and not issubclass(kind.value, MessageChange | AccountChange):
            raise UndeclaredChange(
                f"the stores do not know the change kind {kind.name!r} ({kind.value.__name__}): say in "
                "storage/results.py what the caller gets for it"
            )


def result_of(change: Change) -> Any:
    """See the methods of `storage.ports` that return it. For changes of messages it is the message, if nothing else is
    said above."""
    return _RESULTS.get(type(change), _MESSAGE_OF)(change)
