"""Reactions: each is one change, kept with its message, and exact however many come at once."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.changes import MessageDeleted
from domain.decisions import reactions
from domain.decisions.settings import SettingsRequest
from domain.models import Message
from domain.reactions import ReactionAdded, ReactionRemoved
from domain.refusals import Forbidden, NotFound, TooMany
from tests.storage.conftest import Place
from tests.storage.world import START, World, at

THUMB, HEART = "👍", "a.$é"


async def add(world: World, message_id: int, user_id: int, emoji: str = THUMB) -> Message:
    return await world.store.messages.add_reaction(message_id, user_id, emoji, at(5))


async def remove(world: World, message_id: int, user_id: int, emoji: str = THUMB) -> Message:
    return await world.store.messages.remove_reaction(message_id, user_id, emoji, at(5))


async def test_each_is_a_change_of_the_message(place: Place) -> None:
    store = await place.open()
    world = World(store)
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    message = await world.send(chat_id, anna)
    first = replace(message, reactions={THUMB: [boris]}, changed_seq=2)
    second = replace(message, reactions={THUMB: [boris, anna]}, changed_seq=3)
    third = replace(message, reactions={THUMB: [boris, anna], HEART: [anna]}, changed_seq=4)
    fourth = replace(message, reactions={THUMB: [anna], HEART: [anna]}, changed_seq=5)
    assert await add(world, message.id, boris) == first
    assert await add(world, message.id, anna) == second
    assert await add(world, message.id, anna, HEART) == third
    assert await remove(world, message.id, boris) == fourth
    assert world.published[-4:] == [
        ReactionAdded(first, boris, THUMB),
        ReactionAdded(second, anna, THUMB),
        ReactionAdded(third, anna, HEART),
        ReactionRemoved(fourth, boris, THUMB),
    ]
    await world.check_published(chat_id)
    await store.close()
    store = await place.open()
    world = World(store)
    assert await store.messages.get(message.id) == fourth
    assert (await store.messages.history(chat_id, limit=5)).messages == [fourth]
    assert await store.messages.changed_since(chat_id, 4, limit=5) == [fourth]
    for emoji in (THUMB, HEART):
        last = await remove(world, message.id, anna, emoji)
    assert last == replace(message, changed_seq=7)
    assert await store.messages.get(message.id) == last
    await store.close()


async def test_what_is_so_already_is_no_change(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    message = await world.send(chat_id, anna)
    assert await remove(world, message.id, boris) == message
    reacted = await add(world, message.id, boris)
    published = len(world.published)
    assert await add(world, message.id, boris) == reacted
    assert await remove(world, message.id, boris, HEART) == reacted
    assert len(world.published) == published
    assert await world.head(chat_id) == 2


async def test_an_edit_keeps_them_and_a_deletion_does_not(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    message = await world.send(chat_id, anna)
    await add(world, message.id, boris)
    edited = await world.store.messages.edit(message.id, anna, "new", at(6))
    assert edited.reactions == {THUMB: [boris]}
    tombstone = await world.store.messages.delete(message.id, anna, at(7))
    assert tombstone.reactions is None
    for refused in (add(world, message.id, boris, HEART), remove(world, message.id, boris)):
        with pytest.raises(NotFound):
            await refused
    assert await world.everything(chat_id) == [tombstone]
    await world.check_published(chat_id)


async def test_who_may_not(world: World) -> None:
    anna, boris, eve = await world.users(3)
    chat_id = await world.chat(anna, boris)
    message = await world.send(chat_id, anna)
    await add(world, message.id, boris)
    for refused in (add(world, message.id, eve), remove(world, message.id, eve), add(world, 999_999, anna)):
        with pytest.raises(NotFound):
            await refused
    await world.store.moderation.mute(chat_id, anna, boris, at(3600), START)
    for refused in (add(world, message.id, boris, HEART), remove(world, message.id, boris)):
        with pytest.raises(Forbidden):
            await refused
    await world.store.moderation.mute(chat_id, anna, boris, None, START)
    await remove(world, message.id, boris)
    await world.check_published(chat_id)


async def test_who_left_keeps_theirs(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    message = await world.send(chat_id, anna)
    await add(world, message.id, boris)
    await world.store.chats.remove_member(chat_id, boris, boris, at(6))
    assert (await add(world, message.id, anna)).reactions == {THUMB: [boris, anna]}
    with pytest.raises(NotFound):
        await remove(world, message.id, boris)


async def test_a_reaction_is_not_unread_and_no_activity(world: World) -> None:
    anna, boris = await world.users(2)
    quiet, busy = await world.chat(anna, boris), await world.chat(anna, boris)
    message = await world.send(quiet, boris)
    await world.send(busy, boris, created_at=START + timedelta(hours=1))
    await world.store.messages.mark_read(quiet, anna, None)
    await world.store.chats.change_settings(busy, anna, SettingsRequest(hidden=True))
    await world.store.messages.add_reaction(message.id, boris, THUMB, START + timedelta(hours=2))
    (newest,) = (await world.store.messages.history(busy, limit=1)).messages
    await world.store.messages.add_reaction(newest.id, boris, THUMB, START + timedelta(hours=2))
    page, _ = await world.store.chats.list_for(boris, cursor=None, limit=5)
    assert [summary.chat.id for summary in page] == [busy, quiet]
    page, _ = await world.store.chats.list_for(anna, cursor=None, limit=5)
    assert [(summary.chat.id, summary.unread_count, summary.chat.head_seq) for summary in page] == [
        (quiet, 0, 2)
    ]
    hidden, _ = await world.store.chats.list_for(anna, cursor=None, limit=5, hidden=True)
    assert [summary.chat.id for summary in hidden] == [busy]


async def test_the_same_reaction_at_once_is_one(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    message = await world.send(chat_id, anna)
    answers = await asyncio.gather(*(add(world, message.id, anna) for _ in range(10)))
    assert {answer.changed_seq for answer in answers} == {2}
    answers = await asyncio.gather(*(remove(world, message.id, anna) for _ in range(10)))
    assert {answer.changed_seq for answer in answers} == {3}
    await world.check_published(chat_id)


async def test_the_bound_is_exact_when_many_react_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reactions, "REACTIONS_MAX", 30)
    users = await world.users(4)
    chat_id = await world.chat(*users)
    message = await world.send(chat_id, users[0])
    emoji = [chr(0x1F600 + number) for number in range(reactions.EMOJI_MAX + 4)]
    asked = [add(world, message.id, user_id, one) for one in emoji for user_id in users]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(outcome, Message) for outcome in outcomes) == 30
    assert {type(one) for one in outcomes if isinstance(one, Exception)} == {TooMany}
    monkeypatch.setattr(reactions, "REACTIONS_MAX", 1000)
    alone = [add(world, message.id, users[0], one) for one in emoji]
    outcomes = await asyncio.gather(*alone, return_exceptions=True)
    assert sum(isinstance(outcome, TooMany) for outcome in outcomes) == 4
    kept = await world.store.messages.get(message.id)
    assert kept is not None
    assert kept.reactions is not None
    assert len(kept.reactions) == reactions.EMOJI_MAX
    await world.check_published(chat_id)


async def test_a_deletion_among_reactions(world: World) -> None:
    """What was asked before it is gone with the message, what was asked after it is refused."""
    users = await world.users(6)
    chat_id = await world.chat(*users)
    message, messages = await world.send(chat_id, users[0]), world.store.messages
    outcomes = await asyncio.gather(
        *(messages.add_reaction(message.id, user_id, THUMB, at(5)) for user_id in users[:3]),
        messages.remove_reaction(message.id, users[0], THUMB, at(5)),
        messages.delete(message.id, users[0], at(6)),
        *(messages.add_reaction(message.id, user_id, THUMB, at(7)) for user_id in users[3:]),
        messages.remove_reaction(message.id, users[1], THUMB, at(7)),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [Message] * 5 + [NotFound] * 4
    assert (
        await messages.get(message.id)
        == outcomes[4]
        == replace(message, content="", deleted=True, changed_seq=6)
    )
    assert isinstance(world.published[-1], MessageDeleted)
    await world.check_published(chat_id)
