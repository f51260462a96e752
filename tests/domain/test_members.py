"""Who comes into a chat, who goes, and who becomes what."""

from dataclasses import replace

import pytest

from domain.changes import ChatDeleted, MemberAdded, MemberRemoved, RoleChanged
from domain.decisions.members import add, remove, set_role
from domain.models import ChatType, Member, Role
from domain.refusals import Duplicate, Forbidden, LastOwner, NotFound, UnknownUsers
from tests.domain.fake_view import ADMIN, CHAT, MEMBER, NO_CHAT, NOBODY, OWNER, STRANGER, at, view_of
from tests.domain.outcomes import outcome

OTHER_OWNER = 21


@pytest.mark.parametrize("chat_type", ["group", "channel"])
@pytest.mark.parametrize(
    ("actor_id", "role", "expected"),
    [
        (OWNER, "member", MemberAdded),
        (OWNER, "admin", MemberAdded),
        (OWNER, "owner", MemberAdded),
        (ADMIN, "member", MemberAdded),
        (ADMIN, "admin", Forbidden),
        (ADMIN, "owner", Forbidden),
        (MEMBER, "member", Forbidden),
        (MEMBER, "owner", Forbidden),
        (STRANGER, "member", NotFound),
    ],
)
def test_who_adds_members(chat_type: ChatType, actor_id: int, role: Role, expected: type) -> None:
    view = view_of(chat_type)
    decided = outcome(lambda: add(view, CHAT, actor_id, STRANGER, role, at(9)))
    added = MemberAdded(CHAT, Member(STRANGER, role, at(9)))
    assert decided == (added if expected is MemberAdded else expected)


@pytest.mark.parametrize("actor_id", [OWNER, MEMBER])
def test_the_members_of_a_private_chat_are_fixed(actor_id: int) -> None:
    view = view_of("private")
    assert outcome(lambda: add(view, CHAT, actor_id, STRANGER, "member", at(9))) is Forbidden
    assert outcome(lambda: set_role(view, CHAT, actor_id, MEMBER, "owner", at(9))) is Forbidden
    assert outcome(lambda: remove(view, CHAT, actor_id, MEMBER, at(9))) is Forbidden
    assert outcome(lambda: remove(view, CHAT, actor_id, actor_id, at(9))) is Forbidden


@pytest.mark.parametrize(
    ("actor_id", "actor_is_banned", "user_id", "expected"),
    [
        (STRANGER, True, NOBODY, NotFound),
        (MEMBER, True, NOBODY, Forbidden),
        (ADMIN, True, NOBODY, NotFound),
        (ADMIN, False, NOBODY, UnknownUsers),
        (ADMIN, False, MEMBER, Duplicate),
    ],
)
def test_which_refusal_of_adding_comes_first(
    actor_id: int, actor_is_banned: bool, user_id: int, expected: type
) -> None:
    view = view_of()
    view.set_account(actor_id, banned=actor_is_banned)
    assert outcome(lambda: add(view, CHAT, actor_id, user_id, "member", at(9))) is expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({}, MemberAdded),
        ({"banned": True}, MemberAdded),
        ({"is_bot": True}, MemberAdded),
        ({"deleted": True}, UnknownUsers),
    ],
)
def test_who_can_be_added(state: dict[str, bool], expected: type) -> None:
    view = view_of()
    view.set_account(STRANGER, **state)
    decided = outcome(lambda: add(view, CHAT, OWNER, STRANGER, "member", at(9)))
    assert (decided if isinstance(decided, type) else type(decided)) is expected


def test_the_mark_of_a_new_member_stands_at_the_newest_message_that_is_alive() -> None:
    view = view_of()
    newest = view.add_message(CHAT, OWNER)
    view.add_message(CHAT, OWNER, deleted=True)
    added = add(view, CHAT, OWNER, STRANGER, "member", at(9))
    assert added.member == Member(STRANGER, "member", at(9), newest.seq, newest.id)


@pytest.mark.parametrize(
    ("actor_id", "user_id", "expected"),
    [
        (OWNER, MEMBER, RoleChanged),
        (OWNER, STRANGER, NotFound),
        (ADMIN, MEMBER, Forbidden),
        (ADMIN, STRANGER, NotFound),
        (MEMBER, MEMBER, Forbidden),
        (STRANGER, MEMBER, NotFound),
    ],
)
def test_who_gives_roles(actor_id: int, user_id: int, expected: type) -> None:
    view = view_of()
    member = view.members[CHAT][MEMBER]
    decided = outcome(lambda: set_role(view, CHAT, actor_id, user_id, "admin", at(9)))
    changed = RoleChanged(CHAT, replace(member, role="admin"))
    assert decided == (changed if expected is RoleChanged else expected)


def test_the_role_a_member_has_changes_nothing() -> None:
    view = view_of()
    assert set_role(view, CHAT, OWNER, ADMIN, "admin", at(9)) == view.member(CHAT, ADMIN)
    assert set_role(view, CHAT, OWNER, OWNER, "owner", at(9)) == view.member(CHAT, OWNER)


@pytest.mark.parametrize(
    ("other_owner", "expected"),
    [
        (None, LastOwner),
        ({}, RoleChanged),
        ({"is_bot": True}, RoleChanged),
        ({"banned": True}, LastOwner),
        ({"deleted": True}, LastOwner),
    ],
)
def test_the_last_owner_stays_one(other_owner: dict[str, bool] | None, expected: type) -> None:
    """Those who are not active do not count, bots do."""
    view = view_of()
    if other_owner is not None:
        view.add_member(CHAT, OTHER_OWNER, "owner")
        view.set_account(OTHER_OWNER, **other_owner)
    decided = outcome(lambda: set_role(view, CHAT, OWNER, OWNER, "member", at(9)))
    assert (decided if isinstance(decided, type) else type(decided)) is expected


def test_an_owner_who_is_not_active_can_be_made_a_member() -> None:
    view = view_of()
    view.add_member(CHAT, OTHER_OWNER, "owner")
    view.set_account(OTHER_OWNER, banned=True)
    assert isinstance(set_role(view, CHAT, OWNER, OTHER_OWNER, "member", at(9)), RoleChanged)


@pytest.mark.parametrize(
    ("actor_id", "user_id", "expected"),
    [
        (OWNER, ADMIN, MemberRemoved),
        (OWNER, MEMBER, MemberRemoved),
        (OWNER, OTHER_OWNER, MemberRemoved),
        (OWNER, OWNER, MemberRemoved),
        (ADMIN, MEMBER, MemberRemoved),
        (ADMIN, ADMIN, MemberRemoved),
        (ADMIN, OWNER, Forbidden),
        (MEMBER, MEMBER, MemberRemoved),
        (MEMBER, ADMIN, Forbidden),
        (MEMBER, STRANGER, NotFound),
        (OWNER, STRANGER, NotFound),
        (STRANGER, STRANGER, NotFound),
        (STRANGER, MEMBER, NotFound),
    ],
)
def test_who_removes_whom(actor_id: int, user_id: int, expected: type) -> None:
    view = view_of("channel")
    view.add_member(CHAT, OTHER_OWNER, "owner")
    decided = outcome(lambda: remove(view, CHAT, actor_id, user_id, at(9)))
    if expected is MemberRemoved:
        assert isinstance(decided, MemberRemoved)
        assert (decided.chat_id, decided.user_id, decided.heir) == (CHAT, user_id, None)
        assert (decided.actor_id, decided.name) == (actor_id, "Lunch")
    else:
        assert decided is expected


def test_an_admin_does_not_remove_another() -> None:
    view = view_of()
    view.add_member(CHAT, STRANGER, "admin")
    assert outcome(lambda: remove(view, CHAT, ADMIN, STRANGER, at(9))) is Forbidden


def test_somebody_inherits_from_the_last_owner() -> None:
    view = view_of()
    admin = view.members[CHAT][ADMIN]
    assert remove(view, CHAT, OWNER, OWNER, at(9)) == MemberRemoved(CHAT, OWNER, replace(admin, role="owner"))


def test_nobody_inherits_from_one_of_two_owners_and_a_bot_counts() -> None:
    view = view_of()
    view.add_member(CHAT, OTHER_OWNER, "owner")
    view.set_account(OTHER_OWNER, is_bot=True)
    assert remove(view, CHAT, OWNER, OWNER, at(9)) == MemberRemoved(CHAT, OWNER, None)


def test_an_owner_who_is_banned_leaves_and_somebody_inherits() -> None:
    view = view_of()
    view.set_account(OWNER, banned=True)
    removed = remove(view, CHAT, OWNER, OWNER, at(9))
    assert isinstance(removed, MemberRemoved)
    assert removed.heir is not None
    assert removed.heir.user_id == ADMIN


@pytest.mark.parametrize("last", [OWNER, MEMBER])
def test_with_the_last_who_can_inherit_the_chat_goes(last: int) -> None:
    view = view_of()
    for user_id in {OWNER, ADMIN, MEMBER} - {last}:
        view.set_account(user_id, banned=True)
    view.add_member(CHAT, STRANGER, "owner")
    view.set_account(STRANGER, is_bot=True)
    gone = remove(view, CHAT, last, last, at(9))
    assert gone == ChatDeleted(CHAT, [OWNER, ADMIN, MEMBER, STRANGER])
    assert isinstance(gone, ChatDeleted)
    assert (gone.left_id, gone.name, gone.chat_type) == (last, "Lunch", "group")


@pytest.mark.parametrize("actor_id", [OWNER, STRANGER])
def test_in_a_chat_that_is_not_there(actor_id: int) -> None:
    view = view_of()
    assert outcome(lambda: add(view, NO_CHAT, actor_id, MEMBER, "member", at(9))) is NotFound
    assert outcome(lambda: set_role(view, NO_CHAT, actor_id, MEMBER, "admin", at(9))) is NotFound
    assert outcome(lambda: remove(view, NO_CHAT, actor_id, MEMBER, at(9))) is NotFound
