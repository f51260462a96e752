"""What a hook tells, and in which order."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from domain.decisions.notices import Notice, due, event_of
from domain.hooks import HOOK_EVENTS, HookEvent
from domain.models import Message

AT = datetime(2025, 11, 23, 10, tzinfo=UTC)


def message(
    seq: int, changed_seq: int | None = None, *, edited: bool = False, deleted: bool = False
) -> Message:
    return Message(
        id=1000 + seq,
        chat_id=1,
        seq=seq,
        changed_seq=changed_seq or seq,
        content="" if deleted else "x",
        sender_id=5,
        created_at=AT,
        edited_at=AT if edited else None,
        deleted=deleted,
    )


def notices_of(
    messages: Sequence[Message], position: int, covered: int, events: Sequence[HookEvent] = HOOK_EVENTS
) -> list[tuple[int, str | None]]:
    return [
        (notice.seq, event_of(notice, events)) for notice in due(messages, position, covered, events).notices
    ]


def test_new_messages_come_by_their_creation_whatever_became_of_them() -> None:
    messages = [message(2), message(1, 3, edited=True)]
    assert notices_of(messages, 0, 3) == [(1, "new_message"), (2, "new_message"), (3, "message_updated")]
    assert notices_of(messages, 1, 3) == [(2, "new_message"), (3, "message_updated")]
    assert notices_of(messages, 0, 3, ["new_message"]) == [(1, "new_message"), (2, "new_message")]


def test_what_is_covered_ends_where_it_says() -> None:
    messages = [message(1), message(2, 9, edited=True), message(3)]
    assert notices_of(messages, 0, 3) == [(1, "new_message"), (2, "new_message"), (3, "new_message")]


def test_a_deleted_message_comes_as_deleted_if_that_is_wanted() -> None:
    messages = [message(1, 3, deleted=True), message(2)]
    assert notices_of(messages, 0, 3) == [(1, "message_deleted"), (2, "new_message"), (3, "message_deleted")]
    assert notices_of(messages, 0, 3, ["new_message"]) == [(2, "new_message")]
    assert notices_of(messages, 0, 3, ["message_deleted"]) == [(3, "message_deleted")]
    assert notices_of(messages, 1, 3) == [(2, "new_message"), (3, "message_deleted")]


def test_reactions_and_pins_are_no_edits() -> None:
    assert notices_of([message(1, 2)], 0, 2) == [(1, "new_message")]
    assert notices_of([message(1, 2)], 1, 2) == []
    assert notices_of([message(1, 2, edited=True)], 1, 2) == [(2, "message_updated")]


@pytest.mark.parametrize("events", [["message_updated"], ["message_updated", "message_deleted"]])
def test_creations_do_not_go_to_those_who_do_not_want_them(events: Sequence[HookEvent]) -> None:
    assert notices_of([message(1), message(2, 3, edited=True)], 0, 3, events) == [(3, "message_updated")]
    assert event_of(Notice(1, message(1), is_new=True), events) is None
    assert event_of(Notice(1, message(1, 2, deleted=True), is_new=True), events) is None
