"""Mentions and versions with two servers on one database."""

import asyncio
import random

import pytest

from domain.models import Version
from storage.mongo import MongoStore
from storage.mongo.usernames import Usernames
from tests.storage.conftest import MongoPlace
from tests.storage.world import World, at


async def unread(world: World, chat_id: int, *user_ids: int) -> list[int]:
    return [(await world.store.chats.summary(chat_id, one)).unread_mentions for one in user_ids]


async def test_members_are_those_that_the_log_has(mongo_store: MongoStore, second_store: MongoStore) -> None:
    """What one server has in memory is behind what the other one did, and it decides again."""
    here, there = World(mongo_store), World(second_store)
    anna, boris = await here.user("anna"), await here.user("boris")
    chat_id = await here.chat(anna, boris)
    assert (await here.send(chat_id, anna, "@carl")).mentions == ()
    carl = await there.user("carl")
    await there.store.chats.add_member(chat_id, anna, carl, "member", at(1))
    message = await here.send(chat_id, anna, "@carl @boris")
    assert message.mentions == (carl, boris)
    await there.store.chats.remove_member(chat_id, anna, boris, at(2))
    edited = await here.store.messages.edit(message.id, anna, "@carl, @boris", at(3))
    assert edited.mentions == (carl,)
    assert await unread(there, chat_id, carl) == [1]
    await here.check_published(chat_id)


async def test_the_size_of_a_group_is_that_of_the_log(
    mongo_store: MongoStore, second_store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domain.permissions.ALL_MEMBERS_MAX", 2)
    here, there = World(mongo_store), World(second_store)
    anna, boris, carl = await here.users(3)
    chat_id = await here.chat(anna, boris)
    assert (await here.send(chat_id, boris, "@all")).mentions_all is True
    await there.store.chats.add_member(chat_id, anna, carl, "member", at(1))
    assert (await here.send(chat_id, boris, "@all")).mentions_all is False
    await there.store.chats.set_role(chat_id, anna, boris, "admin", at(2))
    assert (await here.send(chat_id, boris, "@all")).mentions_all is True


async def test_both_servers_count_alike_whatever_both_write(
    mongo_store: MongoStore, second_store: MongoStore
) -> None:
    worlds = [World(mongo_store), World(second_store)]
    script = random.Random(5)
    anna, boris = await worlds[0].user("anna"), await worlds[0].user("boris")
    chat_id = await worlds[0].chat(anna, boris)
    await worlds[1].head(chat_id)  # from here on it publishes the chat
    messages = [await worlds[0].send(chat_id, anna, "hello") for _ in range(4)]

    async def write(world: World, number: int) -> None:
        message = script.choice(messages)
        content = script.choice(["@boris", "@all", "@boris @all", "hello"]) + f" {number}"
        await world.store.messages.edit(message.id, anna, content, at(number))
        await world.send(chat_id, boris, "@anna")

    for turn in range(5):
        await asyncio.gather(*(write(world, 10 * turn + number) for number in range(4) for world in worlds))
        for world in worlds:
            stored = await world.everything(chat_id)
            expected = [
                sum(
                    one.sender_id != user_id and (one.mentions_all or user_id in one.mentions)
                    for one in stored
                )
                for user_id in (anna, boris)
            ]
            assert await unread(world, chat_id, anna, boris) == expected
            preview = await world.store.chats.preview(chat_id, [anna, boris])
            assert preview is not None
            assert [preview.unread_mentions.get(one, 0) for one in (anna, boris)] == expected
    for world in worlds:
        await world.check_published(chat_id)


async def test_the_versions_of_both_servers_are_in_one_order(
    mongo_store: MongoStore, second_store: MongoStore
) -> None:
    here, there = World(mongo_store), World(second_store)
    anna = await here.user()
    chat_id = await here.chat(anna)
    message = await here.send(chat_id, anna, "0")
    for number in range(1, 7):
        world = (here, there)[number % 2]
        await world.store.messages.edit(message.id, anna, str(number), at(number))
        other = (there, here)[number % 2]
        versions = await other.store.messages.versions(message.id)
        assert versions is not None
        assert versions[-1] == Version(str(number), at(number)), "what is acked is read everywhere"
    assert [one.content for one in versions] == [*map(str, range(7))]
    await there.store.messages.delete(message.id, anna, at(9))
    assert await here.store.messages.versions(message.id) is None


async def test_a_row_that_is_projected_once_more_changes_no_count(
    mongo_place: MongoPlace, mongo_store: MongoStore
) -> None:
    """A server that starts projects the last rows again, as those of one that died."""
    world = World(mongo_store)
    anna, boris = await world.user("anna"), await world.user("boris")
    chat_id = await world.chat(anna, boris)
    messages = [await world.send(chat_id, anna, content) for content in ("@boris", "@all", "hello")]
    await mongo_store.messages.edit(messages[0].id, anna, "nobody", at(1))
    await mongo_store.messages.edit(messages[2].id, anna, "@boris", at(2))
    await mongo_store._database.chats.update_one({"_id": str(chat_id)}, {"$set": {"n": 1}})
    again = await mongo_place.open()
    assert await World(again).head(chat_id) == 5
    assert await unread(World(again), chat_id, boris) == [2]
    assert await unread(world, chat_id, boris) == [2]
    await again.close()


async def test_a_chat_of_an_earlier_version_has_no_note_of_mentions(mongo_store: MongoStore) -> None:
    world = World(mongo_store)
    anna, boris = await world.user("anna"), await world.user("boris")
    chat_id = await world.chat(anna, boris)
    await world.send(chat_id, anna, "@boris")
    database = mongo_store._database
    await database.chats.update_one({"_id": str(chat_id)}, {"$unset": {"mentioned_seq": ""}})
    await database.messages.update_many({}, {"$set": {"extra": {}}})
    assert await unread(world, chat_id, boris) == [0]
    await world.send(chat_id, anna, "@boris")
    assert await unread(world, chat_id, boris) == [1]


async def test_a_deleted_message_leaves_no_trace_of_whom_it_mentioned(mongo_store: MongoStore) -> None:
    world = World(mongo_store)
    anna, boris = await world.user("anna"), await world.user("boris")
    chat_id = await world.chat(anna, boris)
    message = await world.send(chat_id, anna, "@boris @all")
    await mongo_store.messages.edit(message.id, anna, "@boris", at(1))
    await mongo_store.messages.delete(message.id, anna, at(2))
    rows = await mongo_store._database.changes.find({"message_id": message.id}).to_list(None)
    assert [row["message"]["extra"] for row in rows] == [{}, {}, {}]
    assert (await mongo_store._database.messages.find_one({"_id": str(message.id)}))["extra"] == {}  # type: ignore[index]


async def test_usernames_that_are_found_are_kept(
    mongo_store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, database = World(mongo_store), mongo_store._database
    anna, boris = await world.user("anna"), await world.user("boris")
    usernames, asked = Usernames(database), []
    find = database.find

    async def watched(collection: object, wanted: dict[str, dict[str, list[str]]], **more: object) -> object:
        asked.append(sorted(wanted["username_key"]["$in"]))
        return await find(collection, wanted, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(database, "find", watched)
    assert await usernames.find({"anna", "nobody"}) == {"anna": anna}
    assert await usernames.find({"anna"}) == {"anna": anna}
    assert await usernames.find({"anna", "nobody", "boris"}) == {"anna": anna, "boris": boris}
    assert asked == [["anna", "nobody"], ["boris", "nobody"]]
    monkeypatch.setattr("storage.mongo.usernames._KEPT", 1)
    assert await usernames.find({"boris", "nobody"}) == {"boris": boris}
    assert await usernames.find({"anna"}) == {"anna": anna}
    assert asked[2:] == [["nobody"], ["anna"]]


async def test_an_index_of_an_earlier_version_is_replaced(mongo_place: MongoPlace) -> None:
    store = await mongo_place.open()
    world = World(store)
    anna = await world.user()
    message = await world.send(await world.chat(anna), anna, "kept")
    changes = store._database.changes
    await changes.create_index([("message_id", 1)])
    assert "message_id_1" in await changes.index_information()
    await store.close()
    stores = await asyncio.gather(*(mongo_place.open() for _ in range(3)))
    for one in stores:
        indexes = await one._database.changes.index_information()
        assert "message_id_1" not in indexes
        assert ("message_id_1_kind_1_n_1" in indexes) == one._database.finds_many
        assert await one.messages.versions(message.id) == [Version("kept", None)]
        await one.close()
