"""Two servers react and pin at once; older servers never see a kind that they do not know."""

import asyncio

import pytest

from domain.decisions import pins, reactions
from domain.models import Message
from domain.refusals import NotFound, TooMany
from storage.errors import Unavailable
from storage.mongo import MongoStore, versions
from tests.storage.world import World, at

THUMB = "👍"

BEFORE = 2
"""The format of versions that know no reactions and no pins."""


async def settle(world: World, chat_id: int) -> None:
    """Whatever the other server wrote last, this one publishes when it next looks."""
    await world.store.chats.load(chat_id)


async def test_both_bounds_are_exact_over_two_servers(
    mongo_store: MongoStore, second_store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reactions, "REACTIONS_MAX", 9)
    monkeypatch.setattr(pins, "PINS_MAX", 5)
    worlds = World(mongo_store), World(second_store)
    users = await worlds[0].users(2)
    chat_id = await worlds[0].chat(*users)
    await settle(worlds[1], chat_id)
    messages = [await worlds[0].send(chat_id, users[0]) for _ in range(8)]
    emoji = [chr(0x1F600 + number) for number in range(8)]
    outcomes = await asyncio.gather(
        *(
            world.store.messages.add_reaction(messages[0].id, user_id, one, at(1))
            for one in emoji
            for world, user_id in zip(worlds, users, strict=True)
        ),
        return_exceptions=True,
    )
    assert sorted(map(type, outcomes), key=str) == [Message] * 9 + [TooMany] * 7
    outcomes = await asyncio.gather(
        *(
            worlds[number % 2].store.messages.pin(message.id, users[0], at(1))
            for number, message in enumerate(messages)
        ),
        return_exceptions=True,
    )
    assert sorted(map(type, outcomes), key=str) == [Message] * 5 + [TooMany] * 3
    kept = {outcome.id for outcome in outcomes if isinstance(outcome, Message)}
    for world in worlds:
        await settle(world, chat_id)
        await world.check_published(chat_id)
        page, more = await world.store.messages.pins(chat_id, limit=9)
        assert ({message.id for message in page}, more) == (kept, False)
    assert worlds[0].message_changes(chat_id) == worlds[1].message_changes(chat_id)


async def test_a_recovery_misses_no_message_to_which_the_other_server_adds_a_reaction_meanwhile(
    mongo_store: MongoStore, second_store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event of that reaction tells nothing of an edit before it, nor the message to those who never had it."""
    here, there = World(mongo_store), World(second_store)
    anna = await there.user()
    chat_id = await there.chat(anna)
    first, second = [await there.send(chat_id, anna) for _ in range(2)]
    await there.store.messages.edit(first.id, anna, "edited", at(1))
    await there.store.messages.edit(second.id, anna, "edited too", at(1))
    follower = mongo_store.messages._follower
    catch_up, reacts = follower.catch_up, [first.id, first.id]

    async def catch_up_and_miss_a_reaction(chat_id: int) -> None:
        await catch_up(chat_id)
        if reacts:
            emoji = chr(0x1F600 + len(reacts))
            await there.store.messages.add_reaction(reacts.pop(), anna, emoji, at(2))

    monkeypatch.setattr(follower, "catch_up", catch_up_and_miss_a_reaction)
    missed = await here.store.messages.changed_since(chat_id, 2, limit=10)
    assert [(message.id, message.content, message.changed_seq) for message in missed] == [
        (first.id, "edited", 3),
        (second.id, "edited too", 4),
    ]
    # The first reaction is published by now, and the second is not.
    assert [
        (message.id, message.content, message.changed_seq)
        for message in await here.store.messages.changed_since(chat_id, 2, limit=10)
    ] == [(second.id, "edited too", 4), (first.id, "edited", 5)]


async def test_a_deletion_on_one_server_and_reactions_on_the_other(
    mongo_store: MongoStore, second_store: MongoStore
) -> None:
    here, there = World(mongo_store), World(second_store)
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna, boris)
    for _ in range(4):
        message = await here.send(chat_id, anna)
        await settle(there, chat_id)
        outcomes = await asyncio.gather(
            there.store.messages.add_reaction(message.id, boris, THUMB, at(1)),
            here.store.messages.delete(message.id, anna, at(1)),
            there.store.messages.remove_reaction(message.id, boris, THUMB, at(1)),
            return_exceptions=True,
        )
        assert isinstance(outcomes[1], Message)
        assert {type(outcome) for outcome in outcomes} <= {Message, NotFound}
        for world in (here, there):
            kept = await world.store.messages.get(message.id)
            assert kept is not None
            assert (kept.deleted, kept.reactions) == (True, None)
    for world in (here, there):
        await settle(world, chat_id)
        await world.check_published(chat_id)


async def test_a_pin_that_another_server_has_just_made_counts(
    mongo_store: MongoStore, second_store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pins, "PINS_MAX", 1)
    here, there = World(mongo_store), World(second_store)
    anna = await here.user()
    chat_id = await here.chat(anna)
    one, two = await here.send(chat_id, anna), await here.send(chat_id, anna)
    await settle(there, chat_id)
    await here.store.messages.pin(one.id, anna, at(1))
    with pytest.raises(TooMany):
        await there.store.messages.pin(two.id, anna, at(1))
    await here.store.messages.delete(one.id, anna, at(1))
    await there.store.messages.pin(two.id, anna, at(1))
    page, _ = await here.store.messages.pins(chat_id, limit=9)
    assert [message.id for message in page] == [two.id]


async def test_nothing_is_written_that_a_living_older_server_would_not_know(mongo_store: MongoStore) -> None:
    world = World(mongo_store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    message = await world.send(chat_id, anna)
    assert mongo_store.nodes is not None
    mongo_store.nodes.lowest_format = BEFORE
    for refused in (
        mongo_store.messages.add_reaction(message.id, anna, THUMB, at(1)),
        mongo_store.messages.pin(message.id, anna, at(1)),
    ):
        with pytest.raises(Unavailable) as raised:
            await refused
        assert raised.value.trouble == "newer"
    assert await mongo_store.messages.remove_reaction(message.id, anna, THUMB, at(1)) == message
    assert (await world.send(chat_id, anna)).seq == 2
    mongo_store.nodes.lowest_format = versions.FORMAT
    assert (await mongo_store.messages.pin(message.id, anna, at(1))).changed_seq == 3
    await world.check_published(chat_id)


async def test_a_deleted_message_takes_its_reactions_and_pins_out_of_the_log(mongo_store: MongoStore) -> None:
    world = World(mongo_store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    message = await world.send(chat_id, anna, "secret")
    await mongo_store.messages.add_reaction(message.id, anna, THUMB, at(1))
    await mongo_store.messages.pin(message.id, anna, at(1))
    rows = mongo_store._database.changes
    assert len(await rows.find({"message_id": message.id, "data": {"$ne": None}}).to_list(None)) == 2
    await mongo_store.messages.delete(message.id, anna, at(1))
    left = await rows.find({"message_id": message.id}).to_list(None)
    assert len(left) == 4
    for row in left:
        assert (row["message"]["content"], row["message"]["extra"]) == ("", {})
        assert not (row["data"] or {}).get("fields")
