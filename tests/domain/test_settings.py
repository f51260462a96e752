"""What members set in a chat for themselves."""

from dataclasses import replace

import pytest

from domain.decisions.settings import SettingsRequest, after_read, change_settings
from domain.models import UNSET, OwnSettings
from domain.own_settings import OwnSettingsChanged
from domain.refusals import NotFound
from tests.domain.fake_view import CHAT, MEMBER, NO_CHAT, OWNER, STRANGER, FakeView, view_of
from tests.domain.outcomes import outcome


@pytest.fixture
def view() -> FakeView:
    view = view_of()
    view.add_message(CHAT, OWNER)
    return view


@pytest.mark.parametrize(
    ("before", "request_", "after"),
    [
        (UNSET, SettingsRequest(), None),
        (
            UNSET,
            SettingsRequest(notifications="all", favorite=False, hidden=False, marked_unread=False),
            None,
        ),
        (UNSET, SettingsRequest(notifications="none"), OwnSettings("none")),
        (UNSET, SettingsRequest(favorite=True), OwnSettings(favorite=True)),
        (UNSET, SettingsRequest(hidden=True), OwnSettings(hidden_seq=1)),
        (UNSET, SettingsRequest(marked_unread=True), OwnSettings(marked_unread=True)),
        (OwnSettings("mentions", True), SettingsRequest(favorite=False), OwnSettings("mentions")),
        (OwnSettings(hidden_seq=0), SettingsRequest(hidden=True), None),
        (OwnSettings(hidden_seq=0), SettingsRequest(favorite=True), OwnSettings(favorite=True, hidden_seq=0)),
        (OwnSettings(hidden_seq=0), SettingsRequest(hidden=False), UNSET),
    ],
)
def test_what_a_request_changes(
    view: FakeView, before: OwnSettings, request_: SettingsRequest, after: OwnSettings | None
) -> None:
    member = view.members[CHAT][MEMBER] = replace(view.members[CHAT][MEMBER], settings=before)
    decided = change_settings(view, CHAT, MEMBER, request_)
    if after is None:
        assert decided == member
    else:
        assert decided == OwnSettingsChanged(CHAT, replace(member, settings=after))


def test_a_stranger_sets_nothing(view: FakeView) -> None:
    for request in (SettingsRequest(favorite=True), SettingsRequest()):
        assert outcome(lambda request=request: change_settings(view, CHAT, STRANGER, request)) is NotFound  # type: ignore[misc]
        assert outcome(lambda request=request: change_settings(view, NO_CHAT, MEMBER, request)) is NotFound  # type: ignore[misc]


def test_a_read_ends_the_mark_of_an_unread_chat(view: FakeView) -> None:
    member = replace(view.members[CHAT][MEMBER], settings=OwnSettings("none", True, 1, True))
    assert after_read(CHAT, member) == OwnSettingsChanged(
        CHAT, replace(member, settings=OwnSettings("none", True, 1, False))
    )
    assert after_read(CHAT, view.members[CHAT][MEMBER]) is None
