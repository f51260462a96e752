"""The registry of changes: what a declaration says, and what it must not lack."""

from typing import Any

import pytest

from domain.changes import (
    Change,
    MessageChange,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    SessionsRevoked,
    UndeclaredChange,
    UserChanged,
    change,
    kind_named,
    kinds,
)
from domain.file_changes import ChatAvatarChanged, FilesRemoved
from domain.hook_changes import HookAdded
from domain.invites import InviteMade, InviteRemoved
from domain.models import Message
from domain.pins import MessagePinned, MessageUnpinned
from domain.reactions import ReactionAdded, ReactionRemoved
from tests.kinds import declared_kinds
from tests.storage.world import START

STORED = {
    *("sent", "edited", "deleted", "opened", "renamed", "added", "removed", "role", "closed"),
    *("asked_for", "blocked"),
    *("settings", "invite_made", "invite_removed", "muted", "banned", "unbanned"),
    *("reaction_added", "reaction_removed", "pinned", "unpinned"),
    "avatar",
    *("hook_added", "hook_changed", "hook_removed"),
}
"""The names that stand in the logs of databases."""

MESSAGE = Message(1, 2, 3, 4, "text", 5, START)


def test_the_names_in_logs_stay() -> None:
    assert {InviteMade.kind, InviteRemoved.kind, ChatAvatarChanged.kind, HookAdded.kind} < set(kinds())
    assert {kind.name for kind in kinds() if kind.logged} == STORED


def test_changes_of_messages_take_a_number() -> None:
    assert {kind.value for kind in kinds() if kind.takes_seq} == {
        MessageCreated,
        MessageEdited,
        MessageDeleted,
        ReactionAdded,
        ReactionRemoved,
        MessagePinned,
        MessageUnpinned,
    }
    assert {kind.value for kind in kinds() if not kind.logged} > {
        SessionsRevoked,
        UserChanged,
        FilesRemoved,
    }


def test_a_kind_knows_its_class_and_a_class_its_kind() -> None:
    for kind in kinds():
        assert kind.value.kind is kind
        assert kind_named(kind.name) is kind
    assert kind_named("throwaway_reacted") is None


def test_every_change_says_which_chat_it_changes() -> None:
    assert MessageCreated(MESSAGE).chat_id == 2
    assert SessionsRevoked(7, ["s"]).chat_id == 0


def test_a_declared_kind_is_a_frozen_dataclass_in_the_registry() -> None:
    with declared_kinds() as declare:

        @declare("throwaway_reacted")
        class MessageReacted(MessageChange):
            user_id: int
            emoji: str | None = None

        made: Any = MessageReacted
        kind = kind_named("throwaway_reacted")
        assert kind is not None
        assert (kind.value, kind.takes_seq, kind.logged) == (MessageReacted, True, True)
        assert made(MESSAGE, 5, "x") == made(MESSAGE, 5, "x") != made(MESSAGE, 5)
        assert made(MESSAGE, 5).chat_id == 2
    assert kind_named("throwaway_reacted") is None


def test_two_kinds_of_one_name_are_refused() -> None:
    with declared_kinds(), pytest.raises(UndeclaredChange, match=r"'sent': MessageCreated and Sent"):

        @change("sent", logged=True)
        class Sent(MessageChange):
            pass


def test_a_kind_without_a_chat_is_refused() -> None:
    with declared_kinds(), pytest.raises(UndeclaredChange, match=r"'throwaway_muted' \(Muted\).*chat_id"):

        @change("throwaway_muted", logged=True)
        class Muted(Change):
            user_id: int


def test_a_change_that_takes_a_number_has_to_be_logged() -> None:
    with declared_kinds(), pytest.raises(UndeclaredChange, match=r"'throwaway_seen' \(Seen\).*logged"):

        @change("throwaway_seen", logged=False)
        class Seen(MessageChange):
            pass
