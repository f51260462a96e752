"""Who makes and removes invites, when one works, and who comes into a chat."""

from dataclasses import replace

import pytest

from domain.changes import MemberAdded
from domain.decisions import invites
from domain.invites import INVITES_MAX, Invite, InviteMade, InviteRemoved
from domain.models import ChatType, Member, User
from domain.refusals import Forbidden, NotFound, TooMany, UnknownUsers
from tests.domain.fake_view import (
    ADMIN,
    CHAT,
    MEMBER,
    NO_CHAT,
    NOBODY,
    OTHER_CHAT,
    OWNER,
    START,
    STRANGER,
    FakeView,
    at,
    view_of,
)
from tests.domain.outcomes import outcome

CODE = "code"
NOW = at(10)


def invite(maker: int = ADMIN, **more: object) -> Invite:
    fields = {"created_at": START, "expires_at": at(20), "max_uses": 3} | more
    return Invite(CODE, CHAT, maker, **fields)  # type: ignore[arg-type]


def with_invite(made: Invite, chat_type: ChatType = "group") -> FakeView:
    view = view_of(chat_type)
    view.invites_by_code[made.code] = made
    return view


MAKERS = {
    ("group", OWNER): InviteMade,
    ("group", ADMIN): InviteMade,
    ("group", MEMBER): Forbidden,
    ("group", STRANGER): NotFound,
    ("channel", OWNER): InviteMade,
    ("channel", ADMIN): InviteMade,
    ("channel", MEMBER): Forbidden,
    ("private", OWNER): Forbidden,
    ("private", MEMBER): Forbidden,
    ("private", STRANGER): NotFound,
}


@pytest.mark.parametrize(("chat_type", "user_id"), MAKERS)
def test_who_makes_an_invite(chat_type: ChatType, user_id: int) -> None:
    made = invite(user_id)
    expected = MAKERS[chat_type, user_id]
    assert outcome(lambda: invites.make(view_of(chat_type), made)) == (
        InviteMade(made) if expected is InviteMade else expected
    )


@pytest.mark.parametrize("state", ["banned", "deleted"])
def test_somebody_who_is_not_active_makes_none(state: str) -> None:
    view = view_of()
    view.set_account(ADMIN, **{state: True})
    assert outcome(lambda: invites.make(view, invite())) is NotFound


def test_only_invites_that_work_count_against_the_limit() -> None:
    view = view_of()
    for number in range(INVITES_MAX):
        code = f"code{number}"
        view.invites_by_code[code] = replace(invite(), code=code)
    assert outcome(lambda: invites.make(view, invite())) is TooMany
    first = view.invites_by_code["code0"]
    for dead in (replace(first, ended=True), replace(first, expires_at=START), replace(first, uses=3)):
        view.invites_by_code["code0"] = dead
        assert invites.make(view, invite()) == InviteMade(invite())
    view.invites_by_code["code0"] = replace(first, chat_id=OTHER_CHAT)
    assert invites.make(view, invite()) == InviteMade(invite())


def test_invites_of_a_maker_who_is_banned_leave_room_for_those_of_others() -> None:
    view = view_of()
    for number in range(INVITES_MAX):
        code = f"code{number}"
        view.invites_by_code[code] = replace(invite(), code=code)
    view.set_account(ADMIN, banned=True)
    made = invite(OWNER)
    assert invites.make(view, made) == InviteMade(made)
    view.set_account(ADMIN, banned=False)
    assert outcome(lambda: invites.make(view, made)) is TooMany


REMOVERS = {OWNER: InviteRemoved, ADMIN: InviteRemoved, MEMBER: Forbidden, STRANGER: NotFound}


@pytest.mark.parametrize("user_id", REMOVERS)
def test_who_removes_an_invite(user_id: int) -> None:
    view, expected = with_invite(invite(OWNER)), REMOVERS[user_id]
    removed = InviteRemoved(CHAT, CODE, user_id, NOW)
    assert outcome(lambda: invites.remove(view, CHAT, CODE, user_id, NOW)) == (
        removed if expected is InviteRemoved else expected
    )
    assert invites.remove(view, CHAT, CODE, user_id, NOW, is_server_admin=True) == removed


@pytest.mark.parametrize("is_server_admin", [False, True])
@pytest.mark.parametrize("made", [None, invite(ended=True)])
def test_an_invite_ends_once(made: Invite | None, is_server_admin: bool) -> None:
    view = view_of() if made is None else with_invite(made)
    with pytest.raises(NotFound):
        invites.remove(view, CHAT, CODE, OWNER, NOW, is_server_admin=is_server_admin)


def test_an_invite_that_works_makes_a_plain_member_whose_mark_is_at_the_newest_message() -> None:
    view = with_invite(invite())
    newest = view.add_message(CHAT, OWNER)
    member = Member(STRANGER, "member", NOW, newest.seq, newest.id)
    added = invites.accept(view, CHAT, CODE, STRANGER, NOW)
    assert added == MemberAdded(CHAT, member)
    assert isinstance(added, MemberAdded)
    assert added.actor_id == STRANGER


@pytest.mark.parametrize(
    "made",
    [
        None,
        invite(ended=True),
        invite(expires_at=NOW),
        invite(expires_at=at(9)),
        invite(uses=3),
        invite(uses=4),
        invite(MEMBER),
        invite(STRANGER),
        invite(NOBODY),
    ],
)
@pytest.mark.parametrize("user_id", [STRANGER, OWNER])
def test_an_invite_that_does_not_work_is_not_found_by_members_either(
    made: Invite | None, user_id: int
) -> None:
    view = view_of() if made is None else with_invite(made)
    assert outcome(lambda: invites.accept(view, CHAT, CODE, user_id, NOW)) is NotFound


@pytest.mark.parametrize("made", [invite(expires_at=None), invite(max_uses=0, uses=1000), invite(uses=2)])
def test_an_invite_without_an_end_works(made: Invite) -> None:
    assert isinstance(invites.accept(with_invite(made), CHAT, CODE, STRANGER, NOW), MemberAdded)


def test_who_has_claimed_the_last_use_may_come_in_but_not_by_an_invite_that_has_ended() -> None:
    view = with_invite(invite(uses=3))
    assert outcome(lambda: invites.accept(view, CHAT, CODE, STRANGER, NOW)) is NotFound
    assert isinstance(invites.accept(view, CHAT, CODE, STRANGER, NOW, claimed=True), MemberAdded)
    view = with_invite(invite(uses=3, ended=True))
    assert outcome(lambda: invites.accept(view, CHAT, CODE, STRANGER, NOW, claimed=True)) is NotFound


@pytest.mark.parametrize("state", ["banned", "deleted"])
def test_an_invite_does_not_work_while_its_maker_is_not_active(state: str) -> None:
    view = with_invite(invite())
    view.set_account(ADMIN, **{state: True})
    assert outcome(lambda: invites.accept(view, CHAT, CODE, STRANGER, NOW)) is NotFound
    assert invites.working(view, CHAT, OWNER, NOW) == []


@pytest.mark.parametrize("user_id", [OWNER, ADMIN, MEMBER])
def test_a_member_stays_what_they_are(user_id: int) -> None:
    view = with_invite(invite())
    assert invites.accept(view, CHAT, CODE, user_id, NOW) == view.member(CHAT, user_id)


@pytest.mark.parametrize("state", ["banned", "deleted"])
@pytest.mark.parametrize("user_id", [STRANGER, NOBODY])
def test_nobody_comes_in_without_an_active_account(user_id: int, state: str) -> None:
    view = with_invite(invite())
    view.set_account(STRANGER, **{state: True})
    assert outcome(lambda: invites.accept(view, CHAT, CODE, user_id, NOW)) is UnknownUsers


def test_those_who_may_invite_see_what_works_oldest_first() -> None:
    view = view_of()
    made = [
        replace(invite(), code=code, created_at=at(time)) for code, time in (("b", 1), ("a", 1), ("c", 0))
    ]
    over = replace(invite(expires_at=NOW), code="over")
    view.invites_by_code = {one.code: one for one in (*made, over)}
    for user_id in (OWNER, ADMIN):
        assert [one.code for one in invites.working(view, CHAT, user_id, NOW)] == ["c", "a", "b"]
    assert outcome(lambda: invites.working(view, CHAT, MEMBER, NOW)) is Forbidden
    assert outcome(lambda: invites.working(view, CHAT, STRANGER, NOW)) is NotFound


@pytest.mark.parametrize(
    ("change", "maker", "works"),
    [
        ({}, {"is_admin": True}, True),
        ({}, {}, False),
        ({}, {"is_admin": True, "banned": True}, False),
        ({}, {"is_admin": True, "deleted": True}, False),
        ({"uses": 3}, {"is_admin": True}, False),
        ({"expires_at": NOW}, {"is_admin": True}, False),
        ({"ended": True}, {"is_admin": True}, False),
    ],
)
def test_when_an_invite_to_the_server_works(
    change: dict[str, object], maker: dict[str, bool], works: bool
) -> None:
    made = replace(invite(ADMIN, **change), chat_id=None)
    user = replace(User(ADMIN, "ada", "Ada", None, "hash", START), **maker)  # type: ignore[arg-type]
    assert invites.works_on_server(made, NOW, user) is works


@pytest.mark.parametrize("chat_type", ["group", "channel"])
def test_who_joins_a_public_chat(chat_type: ChatType) -> None:
    view = view_of(chat_type)
    assert outcome(lambda: invites.join(view, CHAT, STRANGER, NOW)) is NotFound
    assert invites.join(view, CHAT, MEMBER, NOW) == view.member(CHAT, MEMBER)
    view.chats[CHAT] = replace(view.chats[CHAT], is_public=True)
    assert invites.join(view, CHAT, STRANGER, NOW) == MemberAdded(CHAT, Member(STRANGER, "member", NOW))
    assert invites.join(view, CHAT, OWNER, NOW) == view.member(CHAT, OWNER)
    assert outcome(lambda: invites.join(view, CHAT, NOBODY, NOW)) is UnknownUsers
    assert outcome(lambda: invites.join(view, NO_CHAT, STRANGER, NOW)) is NotFound


def test_who_does_not_see_a_private_chat_does_not_join_it() -> None:
    view = view_of("private")
    view.members[CHAT][MEMBER] = replace(view.members[CHAT][MEMBER], opened=False)
    assert outcome(lambda: invites.join(view, CHAT, MEMBER, NOW)) is NotFound
    assert invites.join(view, CHAT, OWNER, NOW) == view.member(CHAT, OWNER)
    view.add_message(CHAT, OWNER)
    assert invites.join(view, CHAT, MEMBER, NOW) == view.member(CHAT, MEMBER)
