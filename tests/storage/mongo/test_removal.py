import asyncio

from domain.changes import ChatDeleted
from storage.mongo import MongoStore
from tests.storage.conftest import MongoPlace
from tests.storage.world import START, World, at


async def swept(store: MongoStore, chat_id: int) -> None:
    async with asyncio.timeout(10):
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
