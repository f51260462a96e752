"""Blocks: whom one may block, and how many."""

from dataclasses import replace
from typing import Any

import pytest

from domain.changes import ChatCreated
from domain.decisions.blocks import BLOCKS_MAX, check_block
from domain.decisions.chats import create
from domain.decisions.members import add
from domain.decisions.messages import delete, edit, send
from domain.models import Account, Appended, Ban, Draft
from domain.refusals import (
    BadContent,
    ClientIdTaken,
    Duplicate,
    Forbidden,
    NotFound,
    TooMany,
    UnknownUsers,
)
from tests.domain.fake_view import (
    ADMIN,
    CHAT,
    MEMBER,
    NO_CHAT,
    NOBODY,
    OTHER_CHAT,
    OWNER,
    STRANGER,
    at,
    view_of,
)
from tests.domain.outcomes import outcome

GONE, NO_MESSAGE = 77, 4711


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


def test_why_somebody_is_not_added_in_this_order() -> None:
    view = view_of()
    view.blocks |= {(STRANGER, OWNER), (ADMIN, OWNER), (STRANGER, MEMBER), (NOBODY, OWNER), (GONE, OWNER)}
    view.set_account(GONE, deleted=True)
    view.bans[CHAT, STRANGER] = Ban(STRANGER, None, OWNER, at(1))

    def adding(actor_id: int, user_id: int) -> object:
        return outcome(lambda: add(view, CHAT, actor_id, user_id, "member", at(7)))

    assert adding(STRANGER, ADMIN) is NotFound, "of a chat that the actor is not in"
    assert adding(MEMBER, STRANGER) is Forbidden
    assert adding(MEMBER, NOBODY) is Forbidden, "who may not add does not hear who exists"
    assert [adding(OWNER, one) for one in (NOBODY, GONE)] == [UnknownUsers] * 2
    assert adding(OWNER, ADMIN) is Duplicate, "a member is one, whatever they have blocked"
    with pytest.raises(Forbidden, match="has blocked you"):  # and not that they are banned
        add(view, CHAT, OWNER, STRANGER, "member", at(7))
    view.blocks.clear()
    with pytest.raises(Forbidden, match="banned"):
        add(view, CHAT, OWNER, STRANGER, "member", at(7))


def test_why_a_chat_is_not_made_in_this_order() -> None:
    view = view_of()
    view.blocks.add((STRANGER, OWNER))
    for members, refusal in (([STRANGER, NOBODY], UnknownUsers), ([STRANGER, MEMBER], Forbidden)):
        made = outcome(lambda members=members: create(view, "Lunch", "group", OWNER, members, at(7)))  # type: ignore[misc]
        assert made is refusal
    assert isinstance(create(view, "Lunch", "group", STRANGER, [OWNER], at(7)), ChatCreated)


def test_why_a_blocked_person_does_not_send_in_this_order() -> None:
    view = view_of("private")
    first = view.add_message(CHAT, MEMBER, client_id="one")
    gone = view.add_message(CHAT, MEMBER, client_id="two", deleted=True)
    view.members[CHAT][MEMBER] = replace(view.members[CHAT][MEMBER], blocked=True)

    def sending(chat_id: int = CHAT, **more: Any) -> object:
        return outcome(lambda: send(view, Draft(chat_id, MEMBER, "hello", at(7), **more)))

    assert sending(NO_CHAT, client_id="one") is NotFound
    assert sending(client_id="one", content_fault="too long") == Appended(first, duplicate=True)
    assert sending(OTHER_CHAT, client_id="one") is ClientIdTaken
    assert sending(client_id="two") is NotFound
    assert sending(content_fault="too long", reply_to=NO_MESSAGE) is BadContent
    assert sending(reply_to=NO_MESSAGE) is Forbidden
    assert sending(reply_to=gone.id) is Forbidden
    assert outcome(lambda: edit(view, gone.id, MEMBER, "x", at(7))) is NotFound
    assert outcome(lambda: edit(view, first.id, MEMBER, "x", at(7))) is Forbidden
    assert edit(view, first.id, MEMBER, first.content, at(7)) == first, "a repeat of what was accepted"
    assert outcome(lambda: edit(view, first.id, OWNER, first.content, at(7))) is Forbidden
    assert outcome(lambda: delete(view, first.id, MEMBER, at(7))) is not Forbidden


def test_who_is_blocked_does_not_add_the_blocker() -> None:
    view = view_of()
    view.blocks.add((STRANGER, OWNER))
    assert outcome(lambda: add(view, CHAT, OWNER, STRANGER, "member", at(7))) is Forbidden
    assert add(view, CHAT, ADMIN, STRANGER, "member", at(7)).member.user_id == STRANGER
