"""Who may have bots, and what becomes of a bot with its owner."""

from dataclasses import replace
from typing import Any

import pytest

from domain.acts import FOLLOW_OWNER, UNAUDITED, AccountUpdate
from domain.decisions.admins import update_account
from domain.decisions.bots import BOTS_MAX, check_bot, check_may_own, check_room
from domain.models import User
from domain.refusals import Forbidden, NotFound, Refusal, TooMany
from tests.storage.world import START

OWNER = User(1, "ann", "Ann", None, "hash", START)
BOT = User(2, "echo", "Echo", None, "", START, is_bot=True, owner_id=1)
HOOK = User(3, "hook", "Hook", None, "", START, is_bot=True)


def updated(bot: User, owner: User | None, update: AccountUpdate = FOLLOW_OWNER) -> User:
    return update_account(bot, update, UNAUDITED, None, lambda: True, owner)


@pytest.mark.parametrize(
    ("owner", "refusal"),
    [
        (None, NotFound),
        (replace(OWNER, deleted=True), NotFound),
        (replace(OWNER, banned=True), Forbidden),
        (BOT, Forbidden),
        (HOOK, Forbidden),
    ],
)
def test_who_may_not_have_bots(owner: User | None, refusal: type[Refusal]) -> None:
    check_may_own(OWNER)
    with pytest.raises(refusal):
        check_may_own(owner)


def test_how_many_bots_a_user_may_have() -> None:
    check_room(BOTS_MAX - 1)
    with pytest.raises(TooMany):
        check_room(BOTS_MAX)


@pytest.mark.parametrize(
    ("user", "refusal"),
    [
        (None, NotFound),
        (OWNER, NotFound),
        (HOOK, NotFound),
        (replace(BOT, deleted=True), NotFound),
        (replace(BOT, banned=True), Forbidden),
        (replace(BOT, banned=True, banned_with_owner=True), Forbidden),
    ],
)
def test_who_gets_no_new_token(user: User | None, refusal: type[Refusal]) -> None:
    assert check_bot(BOT) == BOT
    with pytest.raises(refusal):
        check_bot(user)


WITH_OWNER: dict[str, Any] = {"banned": True, "banned_with_owner": True}


@pytest.mark.parametrize(
    ("bot", "owner", "after"),
    [
        ({}, {}, {}),
        ({}, {"banned": True}, WITH_OWNER),
        (WITH_OWNER, {"banned": True}, WITH_OWNER),
        (WITH_OWNER, {}, {}),
        ({"banned": True}, {"banned": True}, {"banned": True}),
        ({"banned": True}, {}, {"banned": True}),
        ({}, {"deleted": True}, {"deleted": True, "display_name": "echo"}),
        (WITH_OWNER, {"banned": True, "deleted": True}, {**WITH_OWNER, "deleted": True, "display_name": "echo"}),
    ],
)  # fmt: skip
def test_a_bot_follows_its_owner(bot: dict[str, Any], owner: dict[str, Any], after: dict[str, Any]) -> None:
    assert updated(replace(BOT, **bot), replace(OWNER, **owner)) == replace(BOT, **after)


def test_a_bot_without_an_owner_follows_nobody() -> None:
    assert updated(HOOK, None) == HOOK


@pytest.mark.parametrize(
    ("bot", "banned", "owner", "after"),
    [
        ({}, True, {}, {"banned": True}),
        ({"banned": True}, False, {}, {}),
        (WITH_OWNER, True, {"banned": True}, {"banned": True}),
        ({"banned": True}, True, {"banned": True}, {"banned": True}),
        ({"banned": True}, False, {"banned": True}, WITH_OWNER),
    ],
)
def test_a_ban_of_a_bot_is_its_own(
    bot: dict[str, Any], banned: bool, owner: dict[str, Any], after: dict[str, Any]
) -> None:
    found = updated(replace(BOT, **bot), replace(OWNER, **owner), AccountUpdate(banned=banned))
    assert found == replace(BOT, **after)


def test_no_bot_works_whose_owner_is_banned() -> None:
    with pytest.raises(Forbidden):
        updated(replace(BOT, **WITH_OWNER), replace(OWNER, banned=True), AccountUpdate(banned=False))
