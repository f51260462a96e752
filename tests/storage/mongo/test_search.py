"""Words of messages on MongoDB: given to old messages by any node, up to date after each change, and gone with them."""

import asyncio
from typing import Any

import pytest

from domain.search import RULES
from storage.errors import NotIndexed, Unavailable
from storage.mongo import MongoStore, search_fill, search_words
from storage.mongo.database import Database
from storage.mongo.leases import Leases
from storage.node_ports import Lease
from tests.patience import within
from tests.storage.conftest import MongoPlace
from tests.storage.contract.test_search import page, search
from tests.storage.mongo.nodes import Node
from tests.storage.world import World, at


async def take_words(database: Database) -> None:
    """As a version without search left it."""
    await database.messages.update_many({}, {"$unset": {"words": "", "words_of": ""}})
    await database.meta.delete_one({"_id": search_fill.KEY})


async def indexed(store: MongoStore, user_id: int, text: str) -> list[str]:
    async with within(20):
        while True:
            try:
                return await search(store, user_id, text)
            except NotIndexed:
                await asyncio.sleep(0.02)


async def document(store: MongoStore, message_id: int) -> Any:
    return await store._database.messages.find_one({"_id": str(message_id)})


async def test_words_follow_every_change(mongo_store: MongoStore) -> None:
    world = World(mongo_store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    message = await world.send(chat_id, anna, "Hello https://x")
    found = await document(mongo_store, message.id)
    assert (found["words"], found["words_of"]) == (["!link", "hello", "https", "x"], f"{RULES}:1")
    await mongo_store.messages.edit(message.id, anna, "other", at(1))
    found = await document(mongo_store, message.id)
    assert (found["words"], found["words_of"]) == (["other"], f"{RULES}:2")
    await mongo_store.messages.delete(message.id, anna, at(2))
    assert (await document(mongo_store, message.id))["words"] == []
    rows = await mongo_store._database.changes.find({"chat_id": chat_id}).to_list(None)
    assert not any("words" in (row.get("message") or ()) for row in rows), "the log does without"


async def test_old_messages_get_words_over_restarts(
    mongo_place: MongoPlace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = await mongo_place.open()
    world = World(store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    for number in range(7):
        await world.send(chat_id, anna, f"word n{number}", created_at=at(number))
    deleted = await world.send(chat_id, anna, "word gone")
    await store.messages.delete(deleted.id, anna, at(9))
    await store.close()
    store = await mongo_place.open()
    await take_words(store._database)
    await store.close()

    monkeypatch.setattr(search_fill, "_AT_ONCE", 2)
    monkeypatch.setattr(search_fill, "_PAUSE_S", 0.3)
    store = await mongo_place.open()
    async with within(10):
        while await store._database.meta.count_documents({"_id": search_fill.KEY}) == 0:
            await asyncio.sleep(0.01)
    with pytest.raises(NotIndexed):
        await search(store, anna, "word")
    await store.close()
    monkeypatch.setattr(search_fill, "_PAUSE_S", 0.0)
    store = await mongo_place.open()
    note = await store._database.meta.find_one({"_id": search_fill.KEY})
    assert note["after"] != ""
    assert len(await indexed(store, anna, "word")) == 7
    assert (await document(store, deleted.id))["words"] == []
    assert (await store._database.meta.find_one({"_id": search_fill.KEY}))["done"] is True
    assert "old messages are being indexed for search" in capsys.readouterr().out
    await store.close()


async def test_while_a_node_of_an_earlier_version_writes_nothing_is_found(
    mongo_place: MongoPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_fill, "_LOOK_AGAIN_S", 0.02)
    store = await mongo_place.open()
    world = World(store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    message = await world.send(chat_id, anna, "before")
    other = await world.send(chat_id, anna, "other")
    assert await search(store, anna, "before") == ["before"]
    store.nodes.lowest_format = search_words.WORDS_FORMAT - 1
    with pytest.raises(NotIndexed):
        await search(store, anna, "before")
    # Such a node edits a message, and writes another without words.
    messages = store._database.messages
    await messages.update_one({"_id": str(message.id)}, {"$set": {"content": "after", "changed_seq": 3}})
    await messages.update_one({"_id": str(other.id)}, {"$unset": {"words": "", "words_of": ""}})
    with pytest.raises(NotIndexed):
        await search(store, anna, "after")
    async with within(10):  # such a node lives longer than it takes to note it
        while (await store._database.meta.find_one({"_id": search_fill.KEY}) or {})["done"]:
            await asyncio.sleep(0.01)
    store.nodes.lowest_format = search_words.WORDS_FORMAT
    assert await indexed(store, anna, "after") == ["after"]
    assert await search(store, anna, "before") == []
    assert await search(store, anna, "other") == ["other"]
    await store.close()


async def test_a_node_that_starts_beside_one_of_an_earlier_version_waits(mongo_place: MongoPlace) -> None:
    store = await mongo_place.open()
    anna = await World(store).user()
    old = Leases(store._database, "old")
    await old.join(Lease("old", "", search_words.WORDS_FORMAT - 1, "", 1, False))
    other = await mongo_place.open()
    with pytest.raises(NotIndexed):
        await search(other, anna, "word")
    await other.close()
    await store.close()


async def test_what_another_node_wrote_is_found(here: Node, there: Node) -> None:
    anna = await here.user()
    chat_id = await here.chat(anna)
    message = await there.send(chat_id, anna, "word of there")
    assert await search(here.store, anna, "there") == ["word of there"]
    await there.store.messages.edit(message.id, anna, "changed", at(1))
    assert await search(here.store, anna, "there") == []
    assert await search(here.store, anna, "changed") == ["changed"]
    boris = await here.user()
    await there.store.chats.add_member(chat_id, anna, boris, "member", at(2))
    assert await search(here.store, boris, "changed") == ["changed"]
    await there.store.chats.remove_member(chat_id, anna, boris, at(3))
    assert await search(here.store, boris, "changed") == []
    await there.store.messages.delete(message.id, anna, at(4))
    assert await search(here.store, anna, "changed") == []


async def test_a_page_compares_a_bounded_number_of_messages(
    mongo_store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from storage.mongo import search as module

    monkeypatch.setattr(module, "LOOKED_AT_MAX", 3)
    world = World(mongo_store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    await world.send(chat_id, anna, "one two", created_at=at(0))
    for second in range(1, 6):
        await world.send(chat_id, anna, "two one", created_at=at(second))
    found, following = await page(mongo_store, anna, '"one two"')
    assert (list(found), following is None) == ([], False)
    found, following = await page(mongo_store, anna, '"one two"', cursor=following)
    assert [message.content for message in found] == ["one two"]


async def test_chats_that_only_newer_nodes_serve_are_left_out(mongo_store: MongoStore) -> None:
    world = World(mongo_store)
    anna = await world.user()
    chat_id, newer = await world.chat(anna), await world.chat(anna)
    for one in (chat_id, newer):
        await world.send(one, anna, "word")
    await mongo_store._database.chats.update_one({"_id": str(newer)}, {"$set": {"kinds": {"unheard_of": 2}}})
    with pytest.raises(Unavailable):
        await search(mongo_store, anna, "word", chat_id=newer)
    assert await search(mongo_store, anna, "word") == ["word"]
