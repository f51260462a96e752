"""How read marks move."""

from dataclasses import replace

import pytest

from domain.changes import ReadMoved
from domain.decisions.marks import read
from domain.refusals import BadReference, NotFound
from tests.domain.fake_view import CHAT, MEMBER, NO_CHAT, OTHER_CHAT, OWNER, STRANGER, FakeView, view_of
from tests.domain.outcomes import outcome


@pytest.fixture
def view() -> FakeView:
    """With messages 1, 2, a deleted 3, and one of another chat; the member has read up to 1."""
    view = view_of()
    ids = [view.add_message(CHAT, OWNER, deleted=number == 3).id for number in (1, 2, 3)]
    assert ids == [1000, 1001, 1002]
    view.add_message(OTHER_CHAT, OWNER)
    member = view.members[CHAT][MEMBER]
    view.members[CHAT][MEMBER] = replace(member, read_seq=1, last_read_message_id=1000)
    return view


@pytest.mark.parametrize(
    ("up_to", "expected"),
    [
        (None, ReadMoved(CHAT, MEMBER, 1001, 2)),
        (1001, ReadMoved(CHAT, MEMBER, 1001, 2)),
        (1002, ReadMoved(CHAT, MEMBER, 1002, 3)),
        (1000, "unmoved"),
        (1003, BadReference),
        (7, BadReference),
    ],
    ids=["to the newest", "to one", "to a deleted one", "to where it is", "of another chat", "unknown"],
)
def test_where_a_mark_goes(view: FakeView, up_to: int | None, expected: object) -> None:
    decided = outcome(lambda: read(view, CHAT, MEMBER, up_to))
    assert decided == (view.member(CHAT, MEMBER) if expected == "unmoved" else expected)


def test_a_mark_never_goes_back(view: FakeView) -> None:
    ahead = view.add_member(CHAT, STRANGER, "member", read_seq=3, last_read_message_id=1002)
    for up_to in (None, 1000, 1001, 1002):
        assert read(view, CHAT, STRANGER, up_to) == ahead


def test_a_chat_without_messages_has_nowhere_to_go(view: FakeView) -> None:
    view.add_chat(7)
    member = view.add_member(7, MEMBER, "member")
    assert read(view, 7, MEMBER, None) == member


@pytest.mark.parametrize("up_to", [None, 1000, 7])
@pytest.mark.parametrize(("chat_id", "user_id"), [(CHAT, STRANGER), (NO_CHAT, MEMBER)])
def test_membership_comes_first(view: FakeView, chat_id: int, user_id: int, up_to: int | None) -> None:
    assert outcome(lambda: read(view, chat_id, user_id, up_to)) is NotFound


def test_which_argument_is_bad(view: FakeView) -> None:
    with pytest.raises(BadReference) as bad:
        read(view, CHAT, MEMBER, 7)
    assert bad.value.field == "up_to"
