"""The kinds of durable changes, each declared once, and the registry of them.

Those of reactions and pins, invites, mutes and bans, private chats, own settings and files are in `domain.reactions`
and `domain.pins`, `domain.invites`, `domain.moderation`, `domain.private_chats`, `domain.own_settings` and
`domain.file_changes`.

A store hands a value of one of these classes to its subscribers for each change that it has committed, in the order of
the commits. What has to know all kinds asks the registry, and fails at start for a kind that it cannot serve.

A new kind of change of a message needs its class here, its event (`room_event` in `handlers.wire.events`), and what it
does to the tables of SQLite (`storage.sqlite.changes`). The log of MongoDB, the publisher and replays follow from that.
A new kind of change of a chat also needs what the caller gets (`storage.results`), what it does to the replica of the
chat (`storage.mongo.chat_replica`) and to the documents (`storage.mongo.chat_projection`), which may be nothing, and a
method of `handlers.live.publisher` if others than the room are to hear of it. Either names the next format, to which
`storage.mongo.versions.FORMAT` rises.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import field
from datetime import datetime
from typing import ClassVar, TypeVar, dataclass_transform

from domain.frozen import frozen
from domain.models import Chat, ChatState, ChatType, Member, Message, User


@frozen
class ChangeKind:
    """What holds for all changes of one class.

    `name` is stored in logs, so the name of a kind never changes. `takes_seq`: each change takes the next number of its
    chat, and is replayed to clients that recover. `logged`: a store with a log keeps a row for each change. `since` is
    the format of stored data that introduced the kind: where servers of several versions share a store, changes of the
    kind are written only while all of them know that format (`storage.mongo.versions`).
    """

    name: str
    value: "type[Change]"
    takes_seq: bool
    logged: bool
    since: int


class Change:
    """A durable change. Each kind also has `chat_id`, the chat that is changed, 0 for a change of an account.

    Kinds of which admins read in the audit (`domain.audit`) also have `actor_id`, the user who made the change, None if
    nobody did or that is not known; and `at`, the time of the change, None if that is not known, as in rows that the
    first versions wrote.
    """

    __slots__ = ()

    kind: ClassVar[ChangeKind]


class UndeclaredChange(Exception):
    """A kind of change lacks a part of its declaration. The text says which kind, and what to add where."""


ChangeT = TypeVar("ChangeT", bound=Change)

_KINDS: dict[str, ChangeKind] = {}


@dataclass_transform(frozen_default=True)
def change(name: str, *, logged: bool, since: int = 1) -> Callable[[type[ChangeT]], type[ChangeT]]:
    """Declares a class as a kind of change: makes it a frozen dataclass and enters it into the registry.

    Raises: `UndeclaredChange`.
    """

    def declare(cls: type[ChangeT]) -> type[ChangeT]:
        value = frozen(cls)
        if name in _KINDS:
            raise UndeclaredChange(
                f"two kinds of change are named {name!r}: {_KINDS[name].value.__name__} and {value.__name__}"
            )
        if not hasattr(value, "chat_id"):
            raise UndeclaredChange(
                f"the change kind {name!r} ({value.__name__}) does not say which chat it changes: "
                "give it a field or property chat_id, or make it an AccountChange"
            )
        takes_seq = issubclass(value, MessageChange)
        if takes_seq and not logged:
            raise UndeclaredChange(
                f"the change kind {name!r} ({value.__name__}) takes a number of its chat, so it has to be logged"
            )
        value.kind = _KINDS[name] = ChangeKind(name, value, takes_seq, logged, since)
        return value

    return declare


def kinds() -> Collection[ChangeKind]:
    """All declared kinds."""
    return _KINDS.values()


def check_served(
    table: Collection["type[Change]"], who: str, hint: str, *, needed: Callable[[ChangeKind], bool]
) -> None:
    """Raises: `UndeclaredChange` for a kind that is needed and that the table lacks.

    `who` has the table, with the verb ("the stores do"); `hint` says what to add where.
    """
    for kind in kinds():
        if needed(kind) and kind.value not in table:
            raise UndeclaredChange(
                f"{who} not know the change kind {kind.name!r} ({kind.value.__name__}): say in {hint}"
            )


def kind_named(name: str) -> ChangeKind | None:
    """The kind of this name; None if this version declares none, as for a row that a newer version wrote."""
    return _KINDS.get(name)


@frozen
class MessageChange(Change):
    """A change of a message, which takes the next number of its chat. `message` is the state after the change, and
    `message.changed_seq` the number."""

    message: Message

    @property
    def chat_id(self) -> int:
        return self.message.chat_id


@change("sent", logged=True)
class MessageCreated(MessageChange):
    """`message.seq` is the number of this change, too."""


@change("edited", logged=True)
class MessageEdited(MessageChange):
    """The content of the message is another one."""


@change("deleted", logged=True)
class MessageDeleted(MessageChange):
    """`message` is the tombstone. `file_ids` are the files that the message had."""

    actor_id: int | None = field(default=None, compare=False)
    at: datetime | None = field(default=None, compare=False)
    file_ids: Sequence[str] = field(default=(), compare=False)


def replay_of(message: Message, *, known: bool) -> MessageChange:
    """The one change that brings a recovering client to the message's current state, whatever happened to the message.
    `known`: the client has seen the message before."""
    if message.deleted:
        return MessageDeleted(message)
    return MessageEdited(message) if known else MessageCreated(message)


@change("read", logged=False)
class ReadMoved(Change):
    """A member's mark moved forward, to the message `up_to` at position `read_seq`."""

    chat_id: int
    user_id: int
    up_to: int
    read_seq: int


@change("opened", logged=True)
class ChatCreated(Change):
    """A new chat with its first members."""

    state: ChatState

    @property
    def chat_id(self) -> int:
        return self.state.chat.id


@change("renamed", logged=True)
class ChatRenamed(Change):
    """`chat` has its new name."""

    chat: Chat
    actor_id: int | None = field(default=None, compare=False)
    at: datetime | None = field(default=None, compare=False)

    @property
    def chat_id(self) -> int:
        return self.chat.id


@change("settings", logged=True, since=2)
class ChatSettingsChanged(Change):
    """Fields of a chat other than its name alone have other values, all at once. `chat` has the new values, and
    `changed` names the fields of `Chat` that are new. `actor_id` is the member who did it."""

    chat: Chat
    changed: Sequence[str]
    actor_id: int
    at: datetime

    @property
    def chat_id(self) -> int:
        return self.chat.id


@change("closed", logged=True)
class ChatDeleted(Change):
    """The chat, its members and its messages are gone. `member_ids` are those who were in it.

    `left_id` is the member whose leaving ended the chat, None if it was deleted. `name` and `chat_type` are what the
    chat was: the store no longer knows. `unseen_by` is the member of a private chat who never knew of it, if there is
    one.
    """

    chat_id: int
    member_ids: Sequence[int]
    name: str | None = field(default=None, compare=False)
    chat_type: ChatType = field(default="group", compare=False)
    left_id: int | None = field(default=None, compare=False)
    unseen_by: int | None = field(default=None, compare=False)


@change("added", logged=True)
class MemberAdded(Change):
    """A user became a member of a chat that existed before. `actor_id` is the user who added them, the member
    themselves if they came by themselves. The time is that of `member.joined_at`."""

    chat_id: int
    member: Member
    actor_id: int | None = field(default=None, compare=False)


@change("removed", logged=True)
class MemberRemoved(Change):
    """A user is no longer a member. `heir` is the member who became owner because the last owner left, as they are
    now; else None.

    `actor_id` is the user who removed the member, the member themselves if they left; None if that is not known.
    `name` is that of the chat.
    """

    chat_id: int
    user_id: int
    heir: Member | None = None
    actor_id: int | None = field(default=None, compare=False)
    name: str | None = field(default=None, compare=False)
    at: datetime | None = field(default=None, compare=False)


@change("role", logged=True)
class RoleChanged(Change):
    """A member has another role. `heir` is the member who became owner because the account of the last owner is no
    longer active, `member` then being that former owner; else None."""

    chat_id: int
    member: Member
    heir: Member | None = None
    actor_id: int | None = field(default=None, compare=False)
    at: datetime | None = field(default=None, compare=False)


class AccountChange(Change):
    """A change of an account, which is not of any chat."""

    __slots__ = ()

    chat_id: ClassVar[int] = 0


@change("sessions_revoked", logged=False)
class SessionsRevoked(AccountChange):
    """Sessions of one user that ended: logout, a password change elsewhere, a refresh token used twice."""

    user_id: int
    session_ids: Sequence[str]


@change("user_changed", logged=False)
class UserChanged(AccountChange):
    """An account changed: name, password, last seen, banned, deleted, presence, the right of an admin. `user` is the
    account as it is now.

    `shown`: others see the change, as it is one of the display name or of whether the account is active. `own`: the
    user sees it, as it is one of their presence or of `is_admin`; others do not.
    """

    user: User
    shown: bool = field(default=False, compare=False)
    own: bool = field(default=False, compare=False)


Subscriber = Callable[[Sequence[Change]], None]
"""Called on the event loop with each batch, once it is on disk and before anybody who waits for it resumes. The changes
of a chat that take a number come in the order of their numbers, without a hole."""

LaggingSubscriber = Callable[[Sequence[Change]], Awaitable[None]]
"""Awaited with each batch, in order, some time after it is on disk; see `storage.ports.Store.subscribe_lagging`."""
