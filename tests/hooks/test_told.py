"""What a receiver gets next, by what it has got."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.decisions.notices import Notice
from domain.hooks import HOOK_EVENTS, HookEvent
from domain.models import Message
from handlers.hooks import told
from handlers.hooks.edits import Edits
from handlers.hooks.told import Told

AT = datetime(2025, 11, 23, 10, tzinfo=UTC)
EDITED = Message(id=7, chat_id=1, seq=1, changed_seq=5, content="x", sender_id=5, created_at=AT, edited_at=AT)


def known(edit_at: int, last: int) -> Told:
    """With an unbroken run of changes from 1, one of which edits the message."""
    edits = Edits()
    for seq in range(1, last + 1):
        edits.published(seq, EDITED.id if seq == edit_at else None)
    return Told(edits)


def event(found: Told, seq: int, message: Message = EDITED, *, repeats: bool = False) -> HookEvent | None:
    return found.event_of(Notice(seq, message, is_new=False), HOOK_EVENTS, repeats=repeats)


def test_an_edit_is_told_at_the_last_change_of_its_message() -> None:
    found = known(edit_at=3, last=5)
    assert event(found, 3) is None
    assert event(found, 5) == "message_updated"
    assert event(found, 3, repeats=True) == "message_updated"


def test_a_reaction_after_an_edit_that_is_told_is_none() -> None:
    found = known(edit_at=3, last=5)
    found.taken(
        Notice(3, replace(EDITED, changed_seq=3), is_new=False), "message_updated", maybe_before=False
    )
    assert event(found, 5) is None
    found.clear()
    assert event(found, 5) == "message_updated"


def test_all_is_told_once_a_hook_has_caught_up() -> None:
    found = known(edit_at=3, last=5)
    found.caught_up(4)
    assert event(found, 5) is None


def test_an_edit_whose_last_change_is_not_published_yet_is_not_forgotten() -> None:
    found = known(edit_at=3, last=5)
    assert event(found, 3) is None
    found.caught_up(4)
    assert event(found, 5) == "message_updated"


def test_a_deletion_told_in_place_of_the_message_is_not_told_again() -> None:
    found, gone = Told(Edits()), replace(EDITED, deleted=True)
    for maybe_before, expected in ((True, "message_deleted"), (False, None)):
        found.taken(Notice(1, gone, is_new=True), "message_deleted", maybe_before=maybe_before)
        found.caught_up(4)
        assert event(found, 5, gone) == expected


def test_what_is_forgotten_is_told_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told, "EDITS_MAX", 1)
    found = known(edit_at=3, last=5)
    for message_id in (EDITED.id, 8):
        message = replace(EDITED, id=message_id, changed_seq=3)
        found.taken(Notice(3, message, is_new=False), "message_updated", maybe_before=False)
    assert event(found, 5) == "message_updated"
