"""Blocks: whom one may block, and how many."""

import pytest

from domain.decisions.blocks import BLOCKS_MAX, check_block
from domain.decisions.members import add
from domain.models import Account
from domain.refusals import Forbidden, NotFound, TooMany
from tests.domain.fake_view import ADMIN, CHAT, OWNER, STRANGER, at, view_of
from tests.domain.outcomes import outcome


@pytest.mark.parametrize(
    ("account", "blocks", "expected"),
    [
        (None, 0, NotFound),
        (Account(7, deleted=True), 0, NotFound),
        (Account(7, banned=True), 0, None),
        (Account(7, is_bot=True), BLOCKS_MAX - 1, None),
        (Account(7), BLOCKS_MAX, TooMany),
        (None, BLOCKS_MAX, NotFound),
    ],
)
def test_whom_one_may_block(account: Account | None, blocks: int, expected: type | None) -> None:
    assert outcome(lambda: check_block(account, 7, blocks)) is expected


def test_who_is_blocked_does_not_add_the_blocker() -> None:
    view = view_of()
    view.blocks.add((STRANGER, OWNER))
    assert outcome(lambda: add(view, CHAT, OWNER, STRANGER, "member", at(7))) is Forbidden
    assert add(view, CHAT, ADMIN, STRANGER, "member", at(7)).member.user_id == STRANGER
