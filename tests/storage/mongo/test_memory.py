"""What the store keeps of chats in memory is bounded, and forgetting one changes nothing."""

import asyncio
from collections.abc import Mapping

import pytest

from storage.errors import Unavailable
from storage.mongo import MongoStore
from storage.mongo.projection import Projection
from tests.storage.world import START, World, at

_MAX_CHATS = 4


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.mongo.chat_replicas._MAX_CHATS", _MAX_CHATS)


def kept(store: MongoStore) -> int:
    return len(store._writer.replicas._replicas)


async def test_chats_used_long_ago_are_forgotten_and_go_on(mongo_store: MongoStore) -> None:
    world = World(mongo_store)
    anna, boris = await world.users(2)
    chats = [await world.chat(anna, boris) for _ in range(3 * _MAX_CHATS)]
    for number in range(4):
        for chat_id in chats:
            message = await world.send(chat_id, anna, f"{number}")
            assert mongo_store.published_head(chat_id, 1000) == message.seq
            if number == 2:
                await mongo_store.messages.edit(message.id, anna, "edited", at(1))
            assert kept(mongo_store) <= _MAX_CHATS + 1  # and the one this batch has brought
    for chat_id in chats:
        changed = await mongo_store.messages.changed_since(chat_id, 0, limit=10)
        assert [message.seq for message in changed] == [1, 2, 3, 5]
        assert await world.head(chat_id) == 5
        await world.check_published(chat_id)


@pytest.mark.long
async def test_a_batch_over_more_chats_than_are_kept(mongo_store: MongoStore) -> None:
    world = World(mongo_store)
    anna = await world.user()
    chats = [await world.chat(anna) for _ in range(5 * _MAX_CHATS)]
    for number in range(3):
        await asyncio.gather(*(world.send(chat_id, anna, f"{number}") for chat_id in chats))
    await world.send(chats[0], anna, "one more")
    assert kept(mongo_store) <= _MAX_CHATS + 1
    for chat_id in chats:
        await world.check_published(chat_id)


async def test_what_another_server_wrote_meanwhile_is_published_once(
    mongo_store: MongoStore, second_store: MongoStore
) -> None:
    world, there = World(mongo_store), World(second_store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    await world.send(chat_id, anna, "here")
    for _ in range(2 * _MAX_CHATS):
        await world.chat(anna)
    assert mongo_store._writer.replicas._replicas.get(chat_id) is None
    await there.send(chat_id, anna, "there")
    await world.send(chat_id, anna, "here again")
    assert [message.content for message in world.message_changes(chat_id)] == ["here", "there", "here again"]


async def test_a_chat_stays_while_it_cannot_be_noted_how_far_it_is(
    mongo_store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(mongo_store)
    anna = await world.user()
    chats = [await world.chat(anna) for _ in range(_MAX_CHATS)]
    for chat_id in chats:
        await world.send(chat_id, anna, "one")

    async def broken(_self: Projection, saved: Mapping[int, int]) -> None:
        if saved:
            raise Unavailable("not now")

    with monkeypatch.context() as patch:
        patch.setattr(Projection, "save", broken)
        chats += [await world.chat(anna) for _ in range(_MAX_CHATS)]
        assert kept(mongo_store) == 2 * _MAX_CHATS
    for chat_id in chats:
        await world.send(chat_id, anna, "two")
        await world.check_published(chat_id)
    assert kept(mongo_store) <= _MAX_CHATS + 1


async def test_chats_are_bounded_by_their_members_too(
    mongo_store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.mongo.chat_replicas._MAX_CHATS", 1_000)
    monkeypatch.setattr("storage.mongo.chat_replicas._MAX_MEMBERS", 20)
    replicas = mongo_store._writer.replicas
    world = World(mongo_store)
    users = await world.users(6)
    chats = []
    for _ in range(8):
        chats.append(await world.chat(*users[:5]))
        assert (
            replicas._member_count == sum(len(replica.roles) for replica in replicas._replicas.values()) <= 25
        )
    for chat_id in chats:
        await world.store.chats.add_member(chat_id, users[0], users[5], "member", at(1))
        await world.store.chats.remove_member(chat_id, users[0], users[1], START)
        await world.send(chat_id, users[0], "hi")
        assert (
            replicas._member_count == sum(len(replica.roles) for replica in replicas._replicas.values()) <= 26
        )
    for chat_id in chats:
        await world.check_published(chat_id)
        await world.store.chats.delete(chat_id, users[0])
    assert replicas._member_count == sum(len(replica.roles) for replica in replicas._replicas.values()) <= 20
