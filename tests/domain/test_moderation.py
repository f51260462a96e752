"""Who is muted, banned and let in again."""

from dataclasses import replace
from datetime import datetime

import pytest

from domain.decisions.bans import ban, unban
from domain.decisions.members import new_member
from domain.decisions.mutes import mute
from domain.models import Ban, ChatType, Member
from domain.moderation import MemberMuted, UserBanned, UserUnbanned
from domain.refusals import Forbidden, NotFound, UnknownUsers
from tests.domain.fake_view import (
    ADMIN,
    CHAT,
    MEMBER,
    NO_CHAT,
    NOBODY,
    OWNER,
    STRANGER,
    FakeView,
    at,
    view_of,
)
from tests.domain.outcomes import outcome

OTHER_OWNER, OTHER_ADMIN = 21, 22
NOW, UNTIL = at(60), at(90)

TARGETS = (OWNER, OTHER_OWNER, ADMIN, OTHER_ADMIN, MEMBER)

ACTS_ON = {
    # the actor, and on whom they may act
    OWNER: {OTHER_OWNER, ADMIN, OTHER_ADMIN, MEMBER},
    ADMIN: {MEMBER},
    MEMBER: set(),
}


def full(chat_type: ChatType = "group") -> FakeView:
    """A chat with two owners, two admins and a member."""
    view = view_of(chat_type)
    view.add_member(CHAT, OTHER_OWNER, "owner")
    view.add_member(CHAT, OTHER_ADMIN, "admin")
    return view


@pytest.mark.parametrize("chat_type", ["group", "channel"])
@pytest.mark.parametrize("actor_id", ACTS_ON)
@pytest.mark.parametrize("user_id", TARGETS)
def test_who_mutes_and_bans_whom(chat_type: ChatType, actor_id: int, user_id: int) -> None:
    view = full(chat_type)
    member = view.members[CHAT][user_id]
    muted = outcome(lambda: mute(view, CHAT, actor_id, user_id, UNTIL, NOW))
    banned = outcome(lambda: ban(view, CHAT, actor_id, user_id, "spam", NOW))
    if user_id in ACTS_ON[actor_id]:
        assert muted == MemberMuted(CHAT, replace(member, muted_until=UNTIL), actor_id, NOW)
        assert banned == UserBanned(CHAT, Ban(user_id, "spam", actor_id, NOW), was_member=True)
    else:
        assert (muted, banned) == (Forbidden, Forbidden)


@pytest.mark.parametrize(
    ("actor_id", "allowed"), [(OWNER, True), (ADMIN, True), (MEMBER, Forbidden), (STRANGER, NotFound)]
)
def test_strangers_are_banned_but_not_muted(actor_id: int, allowed: object) -> None:
    view = full()
    if actor_id == STRANGER:
        view.set_account(77)
    user_id = 77 if actor_id == STRANGER else STRANGER
    banned = outcome(lambda: ban(view, CHAT, actor_id, user_id, None, NOW))
    expected = UserBanned(CHAT, Ban(user_id, None, actor_id, NOW), was_member=False)
    assert banned == (expected if allowed is True else allowed)
    assert outcome(lambda: mute(view, CHAT, actor_id, user_id, UNTIL, NOW)) is NotFound


@pytest.mark.parametrize("actor_id", [OWNER, MEMBER])
def test_private_chats_have_no_moderation(actor_id: int) -> None:
    view = view_of("private")
    other = MEMBER if actor_id == OWNER else OWNER
    assert outcome(lambda: mute(view, CHAT, actor_id, other, UNTIL, NOW)) is Forbidden
    assert outcome(lambda: ban(view, CHAT, actor_id, other, None, NOW)) is Forbidden
    assert outcome(lambda: unban(view, CHAT, actor_id, other, NOW)) is Forbidden


@pytest.mark.parametrize(
    ("before", "until", "after"),
    [
        (None, UNTIL, UNTIL),
        (UNTIL, at(91), at(91)),
        (UNTIL, None, None),
        (UNTIL, NOW, None),
        (UNTIL, at(0), None),
        (None, at(60.000001), at(60.000001)),
    ],
)
def test_a_mute_is_changed(before: datetime | None, until: datetime | None, after: datetime | None) -> None:
    view = full()
    member = view.add_member(CHAT, MEMBER, "member", muted_until=before)
    muted = mute(view, CHAT, OWNER, MEMBER, until, NOW)
    assert muted == MemberMuted(CHAT, replace(member, muted_until=after), OWNER, NOW)


@pytest.mark.parametrize(
    ("before", "until"), [(None, None), (None, NOW), (UNTIL, UNTIL), (at(1), None), (NOW, at(2))]
)
def test_a_mute_that_changes_nothing_is_no_change(before: datetime | None, until: datetime | None) -> None:
    """A member whose mute is over is answered without it."""
    view = full()
    view.add_member(CHAT, MEMBER, "member", muted_until=before)
    unchanged = mute(view, CHAT, OWNER, MEMBER, until, NOW)
    assert isinstance(unchanged, Member)
    assert unchanged.muted_until == (before if before == UNTIL else None)


def test_a_second_ban_is_the_first_one() -> None:
    view = full()
    first = view.bans[CHAT, STRANGER] = Ban(STRANGER, "spam", ADMIN, at(1))
    assert ban(view, CHAT, OWNER, STRANGER, "other", NOW) == (first, False)
    assert outcome(lambda: new_member(view, CHAT, STRANGER, "member", NOW)) is Forbidden


@pytest.mark.parametrize(
    ("actor_id", "expected"), [(OWNER, True), (ADMIN, True), (MEMBER, Forbidden), (STRANGER, NotFound)]
)
def test_who_lifts_a_ban(actor_id: int, expected: object) -> None:
    view = full()
    view.set_account(77)
    view.bans[CHAT, 77] = Ban(77, None, OWNER, at(1))
    lifted = outcome(lambda: unban(view, CHAT, actor_id, 77, NOW))
    assert lifted == (UserUnbanned(CHAT, 77, actor_id, NOW) if expected is True else expected)
    if expected is True:
        assert unban(view, CHAT, actor_id, MEMBER, NOW) is None  # who is not banned


def test_the_last_active_owner_is_not_banned() -> None:
    view = full()
    view.set_account(OWNER, banned=True)
    # Whose account is banned asks for nothing; and of two owners the one who is left is the last.
    assert outcome(lambda: ban(view, CHAT, OWNER, OTHER_OWNER, None, NOW)) is NotFound
    view.set_account(OWNER, is_bot=True)
    view.set_account(OTHER_OWNER, banned=True)
    assert outcome(lambda: ban(view, CHAT, OTHER_OWNER, OWNER, None, NOW)) is NotFound
    assert isinstance(outcome(lambda: ban(view, CHAT, OWNER, OTHER_OWNER, None, NOW)), UserBanned)


def test_nobody_bans_from_a_chat_that_is_not_there_or_whom_there_is_not() -> None:
    view = full()
    assert outcome(lambda: ban(view, NO_CHAT, OWNER, STRANGER, None, NOW)) is NotFound
    assert outcome(lambda: unban(view, NO_CHAT, OWNER, STRANGER, NOW)) is NotFound
    assert outcome(lambda: mute(view, NO_CHAT, OWNER, MEMBER, UNTIL, NOW)) is NotFound
    assert outcome(lambda: ban(view, CHAT, OWNER, NOBODY, None, NOW)) is UnknownUsers
    view.set_account(STRANGER, deleted=True)
    assert outcome(lambda: ban(view, CHAT, OWNER, STRANGER, None, NOW)) is UnknownUsers
    view.set_account(STRANGER, banned=True)
    assert isinstance(outcome(lambda: ban(view, CHAT, OWNER, STRANGER, None, NOW)), UserBanned)


def test_a_mute_goes_on_for_who_comes_back() -> None:
    view = full()
    view.earlier_mutes[CHAT, STRANGER] = UNTIL
    assert new_member(view, CHAT, STRANGER, "member", NOW).muted_until == UNTIL
