"""Reacting: who may, how much fits on a message, and what changes nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from domain.decisions.reactions import EMOJI_MAX, REACTIONS_MAX, add, remove
from domain.models import ChatType, Message
from domain.reactions import ReactionAdded, ReactionRemoved
from domain.refusals import Forbidden, NotFound, TooMany
from tests.domain.fake_view import ADMIN, CHAT, MEMBER, OWNER, STRANGER, FakeView, at, view_of
from tests.domain.outcomes import outcome

THUMB, HEART = "👍", "❤"

Reactions = Mapping[str, Sequence[int]] | None


def scene(
    reactions: Reactions = None, chat_type: ChatType = "group", **more: Any
) -> tuple[FakeView, Message]:
    view = view_of(chat_type)
    return view, view.add_message(CHAT, OWNER, reactions=reactions, **more)


def added(before: Reactions, user_id: int, emoji: str) -> Reactions:
    view, message = scene(before)
    change = add(view, message.id, user_id, emoji, at(1))
    assert isinstance(change, ReactionAdded)
    assert change == ReactionAdded(
        replace(message, reactions=change.message.reactions, changed_seq=2), user_id, emoji
    )
    return change.message.reactions


def removed(before: Reactions, user_id: int, emoji: str) -> Reactions:
    view, message = scene(before)
    change = remove(view, message.id, user_id, emoji, at(1))
    assert isinstance(change, ReactionRemoved)
    assert change == ReactionRemoved(
        replace(message, reactions=change.message.reactions, changed_seq=2), user_id, emoji
    )
    return change.message.reactions


def test_users_stand_in_the_order_of_adding() -> None:
    assert added(None, MEMBER, THUMB) == {THUMB: [MEMBER]}
    assert added({THUMB: [MEMBER]}, ADMIN, THUMB) == {THUMB: [MEMBER, ADMIN]}
    assert added({THUMB: [MEMBER]}, MEMBER, HEART) == {THUMB: [MEMBER], HEART: [MEMBER]}


def test_what_is_taken_away_leaves_the_others_where_they_were() -> None:
    everybody: Reactions = {THUMB: [MEMBER, ADMIN, OWNER], HEART: [ADMIN]}
    left = removed(everybody, ADMIN, THUMB)
    assert left is not None
    assert list(left.items()) == [(THUMB, [MEMBER, OWNER]), (HEART, [ADMIN])]
    assert removed(everybody, ADMIN, HEART) == {THUMB: [MEMBER, ADMIN, OWNER]}
    assert removed({HEART: [ADMIN]}, ADMIN, HEART) is None


def test_what_is_so_already_changes_nothing() -> None:
    view, message = scene({THUMB: [MEMBER]})
    assert add(view, message.id, MEMBER, THUMB, at(1)) is message
    assert remove(view, message.id, MEMBER, HEART, at(1)) is message
    assert remove(view, message.id, ADMIN, THUMB, at(1)) is message


def test_the_values_before_are_not_touched() -> None:
    before = {THUMB: [MEMBER]}
    view, message = scene(before)
    add(view, message.id, ADMIN, THUMB, at(1))
    remove(view, message.id, MEMBER, THUMB, at(1))
    assert before == {THUMB: [MEMBER]}


def test_a_message_has_so_many_emoji() -> None:
    full = {chr(0x1F600 + number): [OWNER] for number in range(EMOJI_MAX)}
    view, message = scene(full)
    assert outcome(lambda: add(view, message.id, MEMBER, THUMB, at(1))) is TooMany
    assert isinstance(add(view, message.id, MEMBER, "\U0001f600", at(1)), ReactionAdded)
    del full["\U0001f601"]
    assert isinstance(add(view, message.id, MEMBER, THUMB, at(1)), ReactionAdded)


@pytest.mark.parametrize("spread", [1, 3])
def test_a_message_has_so_many_reactions(spread: int) -> None:
    """All emoji together."""
    crowd = range(1000, 1000 + REACTIONS_MAX)
    full = {chr(0x1F600 + number): [*crowd[number::spread]] for number in range(spread)}
    view, message = scene(full)
    for emoji in ("\U0001f600", THUMB):
        assert outcome(lambda emoji=emoji: add(view, message.id, MEMBER, emoji, at(1))) is TooMany  # type: ignore[misc]
    full["\U0001f600"].pop()
    assert isinstance(add(view, message.id, MEMBER, THUMB, at(1)), ReactionAdded)


Ask = Callable[[FakeView, int, int], object]


def ask_add(view: FakeView, message_id: int, user_id: int) -> object:
    return outcome(lambda: add(view, message_id, user_id, HEART, at(1)))


def ask_remove(view: FakeView, message_id: int, user_id: int) -> object:
    return outcome(lambda: remove(view, message_id, user_id, THUMB, at(1)))


@pytest.mark.parametrize("ask", [ask_add, ask_remove])
def test_what_is_not_there_is_not_found(ask: Ask) -> None:
    view, message = scene({THUMB: [MEMBER, STRANGER]})
    tombstone = view.add_message(CHAT, OWNER, deleted=True)
    assert ask(view, message.id, STRANGER) is NotFound
    assert ask(view, tombstone.id, MEMBER) is NotFound
    assert ask(view, 999, MEMBER) is NotFound


@pytest.mark.parametrize("ask", [ask_add, ask_remove])
@pytest.mark.parametrize("chat_type", ["group", "channel", "private"])
def test_every_member_reacts(ask: Ask, chat_type: ChatType) -> None:
    view, message = scene({THUMB: [MEMBER]}, chat_type)
    assert isinstance(ask(view, message.id, MEMBER), ReactionAdded | ReactionRemoved)


@pytest.mark.parametrize("ask", [ask_add, ask_remove])
@pytest.mark.parametrize("lost", [{"muted_until": at(2)}, {"blocked": True}])
def test_who_has_no_voice_does_not_react(ask: Ask, lost: dict[str, Any]) -> None:
    view, message = scene({THUMB: [MEMBER]})
    view.members[CHAT][MEMBER] = replace(view.members[CHAT][MEMBER], **lost)
    assert ask(view, message.id, MEMBER) is Forbidden
    assert add(view, message.id, MEMBER, THUMB, at(1)) is message, "a repeat is answered as ever"
    assert remove(view, message.id, MEMBER, HEART, at(1)) is message


def test_a_mute_that_is_over_keeps_nobody_from_reacting() -> None:
    view, message = scene()
    view.members[CHAT][MEMBER] = replace(view.members[CHAT][MEMBER], muted_until=at(1))
    assert isinstance(add(view, message.id, MEMBER, THUMB, at(1)), ReactionAdded)


def test_slow_mode_does_not_slow_reactions() -> None:
    view, message = scene()
    view.chats[CHAT] = replace(view.chats[CHAT], slow_mode_s=60)
    view.sent_at[CHAT, MEMBER] = at(0)
    assert isinstance(add(view, message.id, MEMBER, THUMB, at(1)), ReactionAdded)
