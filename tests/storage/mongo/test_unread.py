"""Unread counts of users who write much without reading: the second way to count."""

import pytest

from storage.mongo import MongoStore
from tests.storage.world import World, at


async def test_ones_own_are_not_counted_however_many(
    mongo_store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.mongo.history.LOOK_BACK", 4)
    world = World(mongo_store)
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    for _ in range(6):
        await world.send(chat_id, anna)
    messages = [await world.send(chat_id, boris) for _ in range(3)]
    await mongo_store.messages.delete(messages[0].id, boris, at(1))
    assert (await mongo_store.chats.summary(chat_id, anna)).unread_count == 2
    assert (await mongo_store.chats.summary(chat_id, boris)).unread_count == 6
    await mongo_store.messages.mark_read(chat_id, anna, messages[1].id)
    assert (await mongo_store.chats.summary(chat_id, anna)).unread_count == 1
