"""Who inherits."""

from dataclasses import replace

import pytest

from domain.changes import RoleChanged
from domain.decisions.heirs import has_other_owner, heir_of, pass_on
from domain.models import ChatType, Role
from tests.domain.fake_view import CHAT, NO_CHAT, OWNER, FakeView, at

ACTIVE: dict[str, bool] = {}
BANNED, DELETED, BOT = {"banned": True}, {"deleted": True}, {"is_bot": True}

Others = list[tuple[int, Role, dict[str, bool]]]


def chat_of(others: Others, chat_type: ChatType = "group") -> FakeView:
    """A chat of the owner, who joined first, and others in this order."""
    view = FakeView()
    view.add_chat(CHAT, chat_type)
    view.add_member(CHAT, OWNER, "owner")
    for user_id, role, state in others:
        view.add_member(CHAT, user_id, role)
        view.set_account(user_id, **state)
    return view


@pytest.mark.parametrize(
    ("others", "heir_id"),
    [
        ([], None),
        ([(1, "member", ACTIVE), (2, "member", ACTIVE)], 1),
        ([(2, "member", ACTIVE), (1, "member", ACTIVE)], 2),
        ([(1, "member", ACTIVE), (2, "admin", ACTIVE)], 2),
        ([(1, "member", ACTIVE), (2, "admin", ACTIVE), (3, "owner", ACTIVE)], 3),
        ([(1, "admin", BANNED), (2, "admin", DELETED), (3, "admin", BOT), (4, "admin", ACTIVE)], 4),
        ([(1, "owner", BANNED), (2, "admin", BOT), (3, "member", ACTIVE)], 3),
        ([(1, "owner", BANNED), (2, "admin", BOT), (3, "member", DELETED)], None),
    ],
)
def test_an_owner_else_the_oldest_admin_else_the_oldest_member(others: Others, heir_id: int | None) -> None:
    view = chat_of(others)
    heir = heir_of(view, CHAT, OWNER)
    assert heir == (None if heir_id is None else view.member(CHAT, heir_id))


def test_of_those_who_joined_at_once_the_lowest_id_inherits() -> None:
    view = chat_of([(2, "member", ACTIVE), (1, "member", ACTIVE)])
    for user_id in (1, 2):
        view.members[CHAT][user_id] = replace(view.members[CHAT][user_id], joined_at=at(0))
    heir = heir_of(view, CHAT, OWNER)
    assert heir is not None
    assert heir.user_id == 1


def test_no_more_accounts_are_looked_at_than_needed() -> None:
    view = chat_of([(user_id, "member", ACTIVE) for user_id in range(100, 200)])
    assert heir_of(view, CHAT, OWNER) is not None
    assert view.looked_at == [OWNER, 100]


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([], False),
        ([(1, "admin", ACTIVE)], False),
        ([(1, "owner", ACTIVE)], True),
        ([(1, "owner", BOT)], True),
        ([(1, "owner", BANNED), (2, "owner", DELETED)], False),
    ],
)
def test_which_owners_count(others: Others, expected: bool) -> None:
    assert has_other_owner(chat_of(others), CHAT, OWNER) is expected


@pytest.mark.parametrize(
    ("owner_state", "others", "heir_id"),
    [
        (BANNED, [(1, "member", ACTIVE)], 1),
        (DELETED, [(1, "member", ACTIVE), (2, "admin", ACTIVE)], 2),
        (ACTIVE, [(1, "member", ACTIVE)], None),
        (BANNED, [(1, "owner", ACTIVE)], None),
        (BANNED, [(1, "owner", BOT), (2, "member", ACTIVE)], None),
        (BANNED, [(1, "owner", BANNED), (2, "member", ACTIVE)], 2),
        (BANNED, [(1, "member", BOT)], None),
        (BANNED, [], None),
    ],
)
@pytest.mark.parametrize("chat_type", ["group", "channel"])
def test_what_passes_on_when_an_account_ends(
    chat_type: ChatType, owner_state: dict[str, bool], others: Others, heir_id: int | None
) -> None:
    view = chat_of(others, chat_type)
    view.set_account(OWNER, **owner_state)
    former = replace(view.members[CHAT][OWNER], role="member")
    passed = pass_on(view, CHAT, OWNER, at(9))
    if heir_id is None:
        assert passed is None
    else:
        assert passed == RoleChanged(CHAT, former, replace(view.members[CHAT][heir_id], role="owner"))


def test_roles_of_a_private_chat_stay_and_those_who_own_nothing_pass_on_nothing() -> None:
    view = chat_of([(1, "member", BANNED), (2, "member", ACTIVE)], "private")
    view.set_account(OWNER, banned=True)
    assert pass_on(view, CHAT, OWNER, at(9)) is None
    assert pass_on(chat_of([(1, "member", BANNED), (2, "member", ACTIVE)]), CHAT, 1, at(9)) is None
    assert pass_on(view, CHAT, 77, at(9)) is None
    assert pass_on(view, NO_CHAT, OWNER, at(9)) is None
