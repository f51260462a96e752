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
    ChatSettingsChanged,
    MemberAdded,
    MemberRemoved,
    MessageChange,
    MessageCreated,
    ReadMoved,
    RoleChanged,
    check_served,
)
from domain.file_changes import ChatAvatarChanged
from domain.hook_changes import HookAdded, HookChanged, HookRemoved
from domain.invites import InviteMade, InviteRemoved
from domain.models import Appended
from domain.moderation import MemberMuted, UserBanned, UserUnbanned
from domain.own_settings import OwnSettingsChanged
from domain.private_chats import ChatOpened, MemberBlocked

_RESULTS: Mapping[type[Change], Callable[[Any], object]] = {
    MessageCreated: lambda change: Appended(change.message, duplicate=False),
    ChatCreated: lambda change: (change.state.chat, True),
    ChatOpened: lambda change: (change.chat, False),
    ChatRenamed: lambda change: change.chat,
    ChatSettingsChanged: lambda change: change.chat,
    ChatAvatarChanged: lambda change: change.chat,
    ChatDeleted: lambda change: None,
    MemberAdded: lambda change: change.member,
    MemberBlocked: lambda change: None,
    MemberRemoved: lambda change: None,
    InviteMade: lambda change: change.invite,
    InviteRemoved: lambda change: None,
    ReadMoved: lambda change: None,  # with what is unread, which only the store can count
    RoleChanged: lambda change: change.member,
    OwnSettingsChanged: lambda change: change.member,
    MemberMuted: lambda change: change.member,
    UserBanned: lambda change: (change.ban, True),
    UserUnbanned: lambda change: None,
    HookAdded: lambda change: change.hook,
    HookChanged: lambda change: change.hook,
    HookRemoved: lambda change: None,
}


_MESSAGE_OF = attrgetter("message")


def check_results() -> None:
    """Raises: `UndeclaredChange` for a kind of which this module does not know what the caller gets."""
    check_served(
        _RESULTS,
        "the stores do",
        "storage/results.py what the caller gets for it",
        needed=lambda kind: not issubclass(kind.value, MessageChange | AccountChange),
    )


def result_of(change: Change) -> Any:
    """See the methods of `storage.ports` that return it. For changes of messages it is the message, if nothing else is
    said above."""
    return _RESULTS.get(type(change), _MESSAGE_OF)(change)
