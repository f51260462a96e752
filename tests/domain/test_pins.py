"""Pinning: who may, how many fit in a chat, and what changes nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from domain.decisions.messages import delete, edit
from domain.decisions.pins import PINS_MAX, pin, unpin
from domain.decisions.view import MessageView
from domain.models import ChatType, Message
from domain.pins import MessagePinned, MessageUnpinned
from domain.refusals import Forbidden, NotFound, TooMany
from tests.domain.fake_view import ADMIN, CHAT, MEMBER, OTHER_CHAT, OWNER, STRANGER, at, view_of
from tests.domain.outcomes import outcome

Decision = Callable[[MessageView, int, int, datetime], object]


def test_the_change_is_the_place_among_the_pins() -> None:
    view = view_of()
    view.add_message(CHAT, OWNER)
    message = view.add_message(CHAT, MEMBER)
    pinned = replace(message, pinned_seq=3, changed_seq=3)
    assert pin(view, message.id, ADMIN, at(1)) == MessagePinned(pinned, ADMIN, at(1))
    assert (pinned.pinned, message.pinned) == (True, False)
    view.messages[message.id] = pinned
    unpinned = replace(message, changed_seq=4)
    assert unpin(view, message.id, OWNER, at(2)) == MessageUnpinned(unpinned, OWNER, at(2))


def test_what_is_so_already_changes_nothing() -> None:
    view = view_of()
    pinned, plain = view.add_message(CHAT, MEMBER, pinned_seq=1), view.add_message(CHAT, MEMBER)
    assert pin(view, pinned.id, OWNER, at(1)) is pinned
    assert unpin(view, plain.id, OWNER, at(1)) is plain


def test_a_chat_has_so_many_pins() -> None:
    view = view_of()
    pins = [view.add_message(CHAT, MEMBER, pinned_seq=number) for number in range(1, PINS_MAX + 1)]
    here, there = view.add_message(CHAT, MEMBER), view.add_message(OTHER_CHAT, MEMBER)
    assert outcome(lambda: pin(view, here.id, OWNER, at(1))) is TooMany
    assert pin(view, pins[0].id, OWNER, at(1)) is pins[0]
    assert isinstance(pin(view, there.id, OWNER, at(1)), MessagePinned)
    view.messages[pins[0].id] = delete(view, pins[0].id, OWNER, at(1)).message
    assert isinstance(pin(view, here.id, OWNER, at(1)), MessagePinned), "a deleted message is not pinned"


def test_an_edit_leaves_a_pin_where_it_was() -> None:
    view = view_of()
    message = view.add_message(CHAT, MEMBER, pinned_seq=1)
    view.add_message(CHAT, MEMBER)
    edited = edit(view, message.id, MEMBER, "new", at(1))
    assert not isinstance(edited, Message)
    assert (edited.message.changed_seq, edited.message.pinned_seq) == (3, 1)


@pytest.mark.parametrize("decision", [pin, unpin])
def test_what_is_not_there_is_not_found(decision: Decision) -> None:
    view = view_of()
    message, tombstone = view.add_message(CHAT, OWNER), view.add_message(CHAT, OWNER, deleted=True)
    assert outcome(lambda: decision(view, message.id, STRANGER, at(1))) is NotFound
    assert outcome(lambda: decision(view, tombstone.id, OWNER, at(1))) is NotFound
    assert outcome(lambda: decision(view, 999, OWNER, at(1))) is NotFound


@pytest.mark.parametrize(("decision", "seq"), [(pin, 0), (unpin, 1)])
@pytest.mark.parametrize(
    ("chat_type", "user_id", "may"),
    [
        ("group", OWNER, True),
        ("group", ADMIN, True),
        ("group", MEMBER, False),
        ("channel", ADMIN, True),
        ("channel", MEMBER, False),
        ("private", OWNER, True),
        ("private", MEMBER, True),
    ],
)
def test_who_pins(decision: Decision, seq: int, chat_type: ChatType, user_id: int, may: bool) -> None:
    """Whether something changes or not, and whoever wrote the message."""
    view = view_of(chat_type)
    for pinned_seq in (seq, 1 - seq):
        message = view.add_message(CHAT, MEMBER, pinned_seq=pinned_seq)
        found = outcome(lambda message=message: decision(view, message.id, user_id, at(1)))  # type: ignore[misc]
        assert (found is Forbidden) is not may
