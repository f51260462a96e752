import asyncio
from contextlib import suppress
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from domain.changes import ChatDeleted
from storage.errors import Unavailable
from storage.mongo import MongoStore
from tests.patience import within
from tests.storage.conftest import MongoPlace
from tests.storage.kept import chats_removed, clean, picture, traces
from tests.storage.world import START, World, at


async def swept(store: MongoStore, chat_id: int) -> None:
    async with within(10):
        while True:
            chat = await store._database.chats.find_one({"_id": f"{chat_id}"})
            assert chat is not None
            if chat["swept"]:
                return
            await asyncio.sleep(0.01)


async def test_a_deleted_chat_leaves_numbers_and_nothing_said(mongo_store: MongoStore) -> None:
    world = World(mongo_store)
    anna = await world.user()
    chat_id, other = await world.chat(anna), await world.chat(anna)
    kept = await world.send(other, anna, "kept")
    for number in range(3):
        await world.send(chat_id, anna, f"secret {number}")
    await mongo_store.chats.delete(chat_id, anna)
    await swept(mongo_store, chat_id)
    database = mongo_store._database
    assert await database.messages.count_documents({"chat_id": chat_id}) == 0
    rows = await database.changes.find({"chat_id": chat_id}).to_list(None)
    assert sorted(row["n"] for row in rows) == [1, 2, 3, 4, 5]
    assert "secret" not in str(rows)
    assert await world.everything(other) == [kept]


async def test_a_removal_that_was_cut_off_goes_on(mongo_place: MongoPlace, mongo_store: MongoStore) -> None:
    world = World(mongo_store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    await world.send(chat_id, anna)
    await mongo_store.chats.delete(chat_id, anna)
    await swept(mongo_store, chat_id)
    await mongo_store._database.chats.update_one({"_id": f"{chat_id}"}, {"$set": {"swept": False}})
    again = await mongo_place.open()
    await swept(again, chat_id)
    assert await again.chats.load(chat_id) is None
    await again.close()


@pytest.mark.parametrize("what", [("members", "update_many"), ("messages", "delete_many")])
async def test_a_node_dies_while_it_deletes_a_chat(
    mongo_place: MongoPlace, mongo_store: MongoStore, monkeypatch: pytest.MonkeyPatch, what: tuple[str, str]
) -> None:
    """Nobody asks for the chat again; the next start finds it all the same."""
    world = World(mongo_store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    await picture(mongo_store, anna, "one")
    await world.send(chat_id, anna, "secret", attachments=["one"])
    dead = await mongo_place.open()
    collection = getattr(dead._database, what[0])

    async def call(*_args: Any, **_options: Any) -> Any:
        dead._database._closed = True
        raise AutoReconnect("dead")

    monkeypatch.setattr(collection, what[1], call)
    with suppress(Unavailable):
        await dead.chats.delete(chat_id, anna)
    await chats_removed(dead)
    await dead.close()
    again = await mongo_place.open()
    await swept(again, chat_id)
    assert (await again.chats.list_for(anna, cursor=None, limit=9))[0] == []
    await clean(again)
    assert await traces(again) == 0
    assert await again.uploads.used_bytes(anna) == 0
    assert "secret" not in str(await again._database.messages.find({}).to_list(None))
    await again.close()


async def test_a_deleted_message_leaves_nothing_in_the_log(mongo_store: MongoStore) -> None:
    world = World(mongo_store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    message = await world.send(chat_id, anna, "secret")
    await mongo_store.messages.edit(message.id, anna, "secret too", at(1))
    await mongo_store.messages.delete(message.id, anna, at(2))
    rows = await mongo_store._database.changes.find({"chat_id": chat_id}).to_list(None)
    assert len(rows) == 4
    assert "secret" not in str(rows)


async def test_a_chat_closed_by_the_last_to_leave(mongo_store: MongoStore) -> None:
    world = World(mongo_store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    await mongo_store.chats.remove_member(chat_id, anna, anna, START)
    assert world.published[-1] == ChatDeleted(chat_id, [anna])
    await swept(mongo_store, chat_id)
