"""Private chats: who sees them, who gets one with whom, and when they may be deleted."""

from dataclasses import replace

import pytest

from domain.changes import ChatCreated, ChatDeleted
from domain.decisions.chats import create, delete
from domain.decisions.private_chats import follow_block
from domain.models import Chat, ChatState, ChatType, Member
from domain.private_chats import ChatOpened, MemberBlocked, newcomer_of, sees
from domain.refusals import Forbidden, NotFound, UnknownUsers
from tests.domain.fake_view import (
    CHAT,
    MEMBER,
    NO_CHAT,
    NOBODY,
    OWNER,
    START,
    STRANGER,
    FakeView,
    at,
    view_of,
)
from tests.domain.outcomes import outcome


@pytest.mark.parametrize(
    ("chat_type", "head_seq", "member", "expected"),
    [
        ("private", 0, Member(OWNER, "owner", START), True),
        ("private", 0, Member(MEMBER, "member", START), False),
        ("private", 0, Member(MEMBER, "member", START, opened=True), True),
        ("private", 1, Member(MEMBER, "member", START), True),
        ("group", 0, Member(MEMBER, "member", START), True),
        ("channel", 0, Member(MEMBER, "member", START), True),
    ],
)
def test_who_sees_a_chat(chat_type: ChatType, head_seq: int, member: Member, expected: bool) -> None:
    assert sees(Chat(CHAT, None, chat_type, START, OWNER, head_seq, 2), member) is expected


@pytest.mark.parametrize(
    ("chat_type", "opened", "expected"),
    [("private", False, MEMBER), ("private", True, None), ("group", False, None)],
)
def test_who_comes_to_see_a_chat_later(chat_type: ChatType, opened: bool, expected: int | None) -> None:
    members = {OWNER: Member(OWNER, "owner", START), MEMBER: Member(MEMBER, "member", START, opened=opened)}
    assert newcomer_of(Chat(CHAT, None, chat_type, START, OWNER, 0, 2), members) == expected


def unseen_view() -> FakeView:
    """A private chat that its owner has created, and of which the member does not know."""
    view = view_of("private")
    view.members[CHAT][MEMBER] = replace(view.members[CHAT][MEMBER], opened=False)
    return view


def ask(view: FakeView, user_id: int, other_id: int) -> object:
    return create(view, None, "private", user_id, [other_id], at(7))


@pytest.mark.parametrize("member_ids", [[STRANGER], [STRANGER, OWNER], (STRANGER, STRANGER)])
def test_a_new_one_has_its_creator_as_owner(member_ids: list[int]) -> None:
    chat = Chat(100, None, "private", at(7), OWNER, head_seq=0, member_count=2)
    members = {OWNER: Member(OWNER, "owner", at(7)), STRANGER: Member(STRANGER, "member", at(7))}
    created = create(view_of(), None, "private", OWNER, member_ids, at(7))
    assert created == ChatCreated(ChatState(chat, members))


def test_an_empty_one_is_opened_by_the_other_once() -> None:
    view = unseen_view()
    assert ask(view, OWNER, MEMBER) == (view.chat(CHAT), False)
    assert ask(view, MEMBER, OWNER) == ChatOpened(view.chat(CHAT), MEMBER)
    view.members[CHAT][MEMBER] = replace(view.members[CHAT][MEMBER], opened=True)
    assert ask(view, MEMBER, OWNER) == (view.chat(CHAT), False)


def test_one_with_a_message_is_found_by_both() -> None:
    view = unseen_view()
    view.add_message(CHAT, OWNER, deleted=True)
    assert ask(view, MEMBER, OWNER) == (view.chat(CHAT), False)


@pytest.mark.parametrize("state", [{"banned": True}, {"deleted": True}])
def test_an_existing_one_is_given_whatever_became_of_the_other_and_no_new_one(state: dict[str, bool]) -> None:
    view = view_of("private")
    view.set_account(MEMBER, **state)
    view.set_account(STRANGER, **state)
    view.blocks.add((MEMBER, OWNER))
    assert ask(view, OWNER, MEMBER) == (view.chat(CHAT), False)
    assert outcome(lambda: ask(view, OWNER, STRANGER)) is UnknownUsers
    assert outcome(lambda: ask(view, OWNER, NOBODY)) is UnknownUsers


def test_why_there_is_none_with_somebody_in_this_order() -> None:
    view = view_of("private")
    view.blocks |= {(STRANGER, OWNER), (NOBODY, OWNER), (MEMBER, OWNER)}
    for user_id in (STRANGER, MEMBER):
        view.set_account(user_id, banned=True)
    assert ask(view, OWNER, MEMBER) == (view.chat(CHAT), False), "one that exists comes before all else"
    assert outcome(lambda: ask(view, OWNER, NOBODY)) is UnknownUsers
    assert outcome(lambda: ask(view, OWNER, STRANGER)) is UnknownUsers, "not active comes before the block"
    view.set_account(STRANGER)
    assert outcome(lambda: ask(view, OWNER, STRANGER)) is Forbidden
    view.set_account(OWNER, banned=True)
    for other_id in (MEMBER, STRANGER, NOBODY):
        with pytest.raises(UnknownUsers) as refused:
            ask(view, OWNER, other_id)
        assert refused.value.user_ids == [OWNER], "one's own end comes first"


@pytest.mark.parametrize(
    ("user_id", "expected"), [(STRANGER, NotFound), (MEMBER, Forbidden), (OWNER, Forbidden)]
)
def test_who_may_not_delete_it_once_both_have_written(user_id: int, expected: type) -> None:
    view = unseen_view()
    assert outcome(lambda: delete(view, CHAT, MEMBER)) is NotFound, "who does not see it hears of no right"
    for writer in (OWNER, MEMBER):
        view.add_message(CHAT, writer)
    assert outcome(lambda: delete(view, CHAT, user_id)) is expected


def test_no_new_one_with_somebody_who_has_blocked_the_user() -> None:
    view = view_of()
    view.blocks.add((STRANGER, OWNER))
    assert outcome(lambda: ask(view, OWNER, STRANGER)) is Forbidden
    created = ask(view, STRANGER, OWNER)
    assert isinstance(created, ChatCreated)
    blocked = {user_id: member.blocked for user_id, member in created.state.members.items()}
    assert blocked == {STRANGER: False, OWNER: True}, "the chat of the blocker begins with the block"


@pytest.mark.parametrize(
    ("writers", "expected"),
    [([], ChatDeleted), ([OWNER], ChatDeleted), ([MEMBER], ChatDeleted), ([OWNER, MEMBER], Forbidden)],
)
def test_one_in_which_both_have_written_is_not_deleted(writers: list[int], expected: type) -> None:
    view = unseen_view()
    for user_id in writers:
        view.add_message(CHAT, user_id, deleted=user_id == MEMBER)
    decided = outcome(lambda: delete(view, CHAT, OWNER))
    assert (decided if isinstance(decided, type) else type(decided)) is expected


def test_a_deletion_names_who_never_saw_it() -> None:
    view = unseen_view()
    assert delete(view, CHAT, OWNER).unseen_by == MEMBER
    view.members[CHAT][MEMBER] = replace(view.members[CHAT][MEMBER], opened=True)
    assert delete(view, CHAT, OWNER).unseen_by is None
    view = unseen_view()
    view.add_message(CHAT, OWNER)
    assert delete(view, CHAT, OWNER).unseen_by is None
    assert delete(view_of("group"), CHAT, OWNER).unseen_by is None


def test_the_chat_says_what_the_block_says() -> None:
    view = view_of("private")
    assert follow_block(view, CHAT, (OWNER, MEMBER)) is None
    view.blocks.add((OWNER, MEMBER))
    assert follow_block(view, CHAT, (OWNER, MEMBER)) == MemberBlocked(CHAT, MEMBER, True)
    assert follow_block(view, CHAT, (MEMBER, OWNER)) is None
    view.members[CHAT][MEMBER] = replace(view.members[CHAT][MEMBER], blocked=True)
    assert follow_block(view, CHAT, (OWNER, MEMBER)) is None
    view.blocks.clear()
    assert follow_block(view, CHAT, (OWNER, MEMBER)) == MemberBlocked(CHAT, MEMBER, False)
    assert follow_block(view, NO_CHAT, (OWNER, MEMBER)) is None
