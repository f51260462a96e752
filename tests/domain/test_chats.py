"""Creating, naming and deleting chats."""

from dataclasses import replace

import pytest

from domain.changes import ChatCreated, ChatDeleted, ChatRenamed, ChatSettingsChanged
from domain.decisions.chats import change, create, delete
from domain.models import Chat, ChatState, ChatType, Member
from domain.refusals import Forbidden, NotFound, UnknownUsers
from tests.domain.fake_view import (
    ADMIN,
    CHAT,
    MEMBER,
    NO_CHAT,
    NOBODY,
    OTHER_CHAT,
    OWNER,
    STRANGER,
    FakeView,
    at,
    view_of,
)
from tests.domain.outcomes import outcome


@pytest.mark.parametrize("chat_type", ["group", "channel", "private"])
@pytest.mark.parametrize("member_ids", [[STRANGER], [STRANGER, OWNER], (STRANGER, STRANGER)])
def test_a_new_chat_has_its_creator_as_owner(chat_type: ChatType, member_ids: list[int]) -> None:
    created = create(view_of(), "News", chat_type, OWNER, member_ids, at(7))
    chat = Chat(100, "News", chat_type, at(7), OWNER, head_seq=0, member_count=2)
    members = {OWNER: Member(OWNER, "owner", at(7)), STRANGER: Member(STRANGER, "member", at(7))}
    assert created == ChatCreated(ChatState(chat, members))


def test_two_users_share_one_private_chat() -> None:
    view = view_of("private")
    assert create(view, None, "private", OWNER, [MEMBER], at(7)) == (view.chat(CHAT), False)
    assert create(view, None, "private", MEMBER, [OWNER], at(7)) == (view.chat(CHAT), False)
    assert isinstance(create(view, None, "private", ADMIN, [OWNER], at(7)), ChatCreated)
    assert isinstance(create(view, "Two", "group", OWNER, [MEMBER], at(7)), ChatCreated)


@pytest.mark.parametrize(
    ("owner_state", "member_state", "unknown"),
    [
        ({}, {}, []),
        ({}, {"banned": True}, []),
        ({}, {"is_bot": True}, []),
        ({"is_bot": True}, {}, []),
        ({"banned": True}, {}, [OWNER]),
        ({"deleted": True}, {}, [OWNER]),
        ({}, {"deleted": True}, [MEMBER]),
        ({"banned": True}, {"deleted": True}, [MEMBER]),
        ({"deleted": True}, {"deleted": True}, [OWNER, MEMBER]),
    ],
)
@pytest.mark.parametrize("chat_type", ["group", "private"])
def test_whose_accounts_do_not_serve(
    chat_type: ChatType, owner_state: dict[str, bool], member_state: dict[str, bool], unknown: list[int]
) -> None:
    view = view_of("private")
    view.set_account(OWNER, **owner_state)
    view.set_account(MEMBER, **member_state)
    if unknown:
        with pytest.raises(UnknownUsers) as refusal:
            create(view, "News", chat_type, OWNER, [MEMBER], at(7))
        assert refusal.value.user_ids == unknown
    else:
        create(view, "News", chat_type, OWNER, [MEMBER], at(7))


def test_users_whom_nobody_knows() -> None:
    with pytest.raises(UnknownUsers) as refusal:
        create(view_of(), "News", "group", OWNER, [NOBODY, MEMBER, NOBODY - 1], at(7))
    assert refusal.value.user_ids == [NOBODY - 1, NOBODY]


RENAMES = {
    ("group", OWNER): ChatRenamed,
    ("group", ADMIN): ChatRenamed,
    ("group", MEMBER): Forbidden,
    ("group", STRANGER): NotFound,
    ("channel", OWNER): ChatRenamed,
    ("channel", ADMIN): ChatRenamed,
    ("channel", MEMBER): Forbidden,
    ("channel", STRANGER): NotFound,
    ("private", OWNER): Forbidden,
    ("private", MEMBER): Forbidden,
    ("private", STRANGER): NotFound,
}


@pytest.mark.parametrize(("chat_type", "user_id"), RENAMES)
def test_who_names_a_chat(chat_type: ChatType, user_id: int) -> None:
    view = view_of(chat_type)
    decided = outcome(lambda: change(view, CHAT, user_id, at(7), name="Dinner"))
    expected = RENAMES[chat_type, user_id]
    renamed = ChatRenamed(replace(view.chat(CHAT), name="Dinner"))
    assert decided == (renamed if expected is ChatRenamed else expected)


def test_the_same_name_changes_nothing_for_who_may_change_it() -> None:
    view = view_of()
    assert change(view, CHAT, OWNER, at(7), name="Lunch") == view.chat(CHAT)
    assert outcome(lambda: change(view, CHAT, MEMBER, at(7), name="Lunch")) is Forbidden


MAKING_PUBLIC = {
    ("group", OWNER): ChatSettingsChanged,
    ("group", ADMIN): Forbidden,
    ("group", MEMBER): Forbidden,
    ("group", STRANGER): NotFound,
    ("channel", OWNER): ChatSettingsChanged,
    ("channel", ADMIN): Forbidden,
    ("private", OWNER): Forbidden,
    ("private", MEMBER): Forbidden,
    ("private", STRANGER): NotFound,
}


@pytest.mark.parametrize(("chat_type", "user_id"), MAKING_PUBLIC)
def test_who_makes_a_chat_public(chat_type: ChatType, user_id: int) -> None:
    view = view_of(chat_type)
    decided = outcome(lambda: change(view, CHAT, user_id, at(7), is_public=True))
    expected = MAKING_PUBLIC[chat_type, user_id]
    public = replace(view.chat(CHAT), is_public=True)
    made = ChatSettingsChanged(public, ("is_public",), user_id, at(7))
    assert decided == (made if expected is ChatSettingsChanged else expected)


def test_a_change_of_several_fields_is_one_or_none() -> None:
    view = view_of()
    changed = change(view, CHAT, OWNER, at(7), name="Dinner", is_public=True)
    both = replace(view.chat(CHAT), name="Dinner", is_public=True)
    assert changed == ChatSettingsChanged(both, ("name", "is_public"), OWNER, at(7))
    assert outcome(lambda: change(view, CHAT, ADMIN, at(7), name="Dinner", is_public=True)) is Forbidden
    assert outcome(lambda: change(view, CHAT, ADMIN, at(7), name="Dinner", is_public=False)) is Forbidden


def test_only_what_is_new_counts_as_changed() -> None:
    view = view_of()
    assert change(view, CHAT, OWNER, at(7), name="Lunch", is_public=False) == view.chat(CHAT)
    renamed = change(view, CHAT, OWNER, at(7), name="Dinner", is_public=False)
    assert renamed == ChatRenamed(replace(view.chat(CHAT), name="Dinner"))


@pytest.mark.parametrize("chat_type", ["group", "channel", "private"])
@pytest.mark.parametrize(
    ("user_id", "expected"),
    [(OWNER, ChatDeleted), (ADMIN, Forbidden), (MEMBER, Forbidden), (STRANGER, NotFound)],
)
def test_who_deletes_a_chat(chat_type: ChatType, user_id: int, expected: type) -> None:
    view = view_of(chat_type)
    decided = outcome(lambda: delete(view, CHAT, user_id))
    if user_id == ADMIN and chat_type == "private":
        expected = NotFound
    assert (decided if isinstance(decided, type) else type(decided)) is expected


def test_a_deletion_says_what_the_chat_was() -> None:
    deleted = delete(view_of("channel"), CHAT, OWNER)
    assert list(deleted.member_ids) == [OWNER, ADMIN, MEMBER]
    assert (deleted.chat_id, deleted.name, deleted.chat_type, deleted.left_id) == (
        CHAT,
        "Lunch",
        "channel",
        None,
    )


@pytest.mark.parametrize("chat_id", [NO_CHAT, OTHER_CHAT])
def test_a_chat_that_is_not_the_users_is_not_found(chat_id: int) -> None:
    view: FakeView = view_of()
    assert outcome(lambda: change(view, chat_id, STRANGER, at(7), name="x")) is NotFound
    assert outcome(lambda: delete(view, chat_id, STRANGER)) is NotFound
