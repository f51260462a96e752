"""What becomes of accounts, and that an admin stays."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.acts import UNAUDITED, AccountUpdate, Act, entries_of_update
from domain.audit import AuditEntry
from domain.decisions.admins import update_account
from domain.models import User
from domain.refusals import Forbidden, LastAdmin, NotFound, Refusal

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ADA = User(1, "ada", "Ada", "ada@example.org", "$2b$", NOW, is_admin=True)
BOB = User(2, "bob", "Bob", None, "$2b$", NOW)
SHELL = Act(None, NOW)

TAKE = AccountUpdate(is_admin=False)
BAN = AccountUpdate(banned=True)
END = AccountUpdate(deleted=True)


def by(user: User) -> Act:
    return Act(user.id, NOW)


def decide(
    user: User | None, update: AccountUpdate, actor: User | None = None, *, others: bool = True
) -> User:
    return update_account(user, update, SHELL if actor is None else by(actor), actor, lambda: others)


@pytest.mark.parametrize("update", [TAKE, BAN, END, AccountUpdate(is_admin=False, banned=True)])
@pytest.mark.parametrize("actor", [None, ADA])
def test_the_last_active_admin_stays_one(update: AccountUpdate, actor: User | None) -> None:
    with pytest.raises(LastAdmin):
        decide(ADA, update, actor, others=False)
    after = decide(ADA, update, actor, others=True)
    assert not (after.is_admin and after.active)


def test_others_may_go_whoever_is_left() -> None:
    for user in (BOB, replace(ADA, banned=True)):
        for update in (TAKE, BAN, END):
            decide(user, update, others=False)
    assert decide(ADA, AccountUpdate(is_admin=True, banned=False, display_name="A"), others=False) == replace(
        ADA, display_name="A"
    )


@pytest.mark.parametrize("user", [None, replace(BOB, deleted=True)])
def test_who_is_not_there_is_not_found(user: User | None) -> None:
    for update in (TAKE, BAN, END):
        with pytest.raises(NotFound):
            decide(user, update)


@pytest.mark.parametrize(
    "actor", [BOB, replace(ADA, banned=True), replace(ADA, deleted=True), replace(ADA, id=3, is_admin=False)]
)
def test_who_is_no_active_admin_changes_nobody_else(actor: User) -> None:
    other = replace(BOB, id=9)
    for update in (TAKE, BAN, END, AccountUpdate(is_admin=True), AccountUpdate(display_name="x")):
        with pytest.raises(Forbidden):
            decide(other, update, actor)


def test_everybody_may_end_their_account_or_give_up_the_right_and_no_more() -> None:
    assert decide(BOB, END, BOB).deleted
    assert not decide(ADA, TAKE, ADA).is_admin
    former = replace(ADA, is_admin=False)
    for update in (
        AccountUpdate(is_admin=True),
        AccountUpdate(display_name="x"),
        AccountUpdate(banned=False),
    ):
        with pytest.raises(Forbidden):
            decide(former, update, former)


def test_an_unknown_actor_is_refused() -> None:
    with pytest.raises(Forbidden):
        update_account(BOB, BAN, Act(77, NOW), None, lambda: True)


def test_a_bot_is_no_admin() -> None:
    with pytest.raises(Forbidden):
        decide(replace(BOB, is_bot=True), AccountUpdate(is_admin=True))


def test_a_refused_update_says_the_first_reason() -> None:
    with pytest.raises(Refusal) as refused:
        decide(ADA, TAKE, BOB, others=False)
    assert type(refused.value) is Forbidden


def test_an_ended_account_keeps_its_username_alone() -> None:
    assert decide(ADA, END) == replace(
        ADA, deleted=True, is_admin=False, email=None, password_hash="", display_name="ada"
    )


def test_the_audit_says_what_changed() -> None:
    act = by(ADA)
    after = replace(BOB, is_admin=True, banned=True, display_name="Bobby")
    assert entries_of_update(BOB, after, act) == [
        AuditEntry(0, NOW, 1, "user_renamed", 2, detail="Bobby"),
        AuditEntry(0, NOW, 1, "user_banned", 2),
        AuditEntry(0, NOW, 1, "admin_added", 2),
    ]
    assert [entry.action for entry in entries_of_update(after, BOB, act)] == [
        "user_renamed",
        "user_unbanned",
        "admin_removed",
    ]
    assert entries_of_update(BOB, decide(BOB, END), act) == [
        AuditEntry(0, NOW, 1, "user_deleted", 2, detail="bob")
    ]
    assert entries_of_update(BOB, BOB, act) == []
    assert entries_of_update(BOB, after, UNAUDITED) == []
