import asyncio
import time

import pytest

from storage.errors import StorageError, Unavailable
from storage.mongo import MongoStore, schema
from storage.open import open_store
from tests.patience import SLACK
from tests.storage.conftest import MongoPlace
from tests.storage.mongo.server import Server
from tests.storage.world import START, World


async def test_the_url_chooses_this_store(mongo_place: MongoPlace) -> None:
    store = await open_store(mongo_place.url, connect_timeout_s=5)
    assert isinstance(store, MongoStore)
    await store.ping()
    await store.close()


async def test_a_server_that_cannot_be_reached_is_waited_for_and_no_longer() -> None:
    start = time.monotonic()
    with pytest.raises(Unavailable) as error:
        await MongoStore.open("mongodb://anna:se%3Acret@127.0.0.1:1/chat", connect_timeout_s=1)
    assert 1 <= time.monotonic() - start < 4 * SLACK
    text = str(error.value)
    assert "127.0.0.1:1" in text
    assert "within 1 s" in text
    assert "\n" not in text
    assert "cret" not in text


async def test_a_server_that_comes_late_is_found(own_server: Server) -> None:
    own_server.kill()
    opening = asyncio.create_task(MongoStore.open(own_server.url, connect_timeout_s=20))
    await asyncio.sleep(0.5)
    assert not opening.done()
    await asyncio.to_thread(own_server.start)
    store = await opening
    await store.ping()
    await store.close()


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://anna:se@cret@db/chat",
        "mongodb://anna:cret",
        "mongodb://",
        "mongodb://db:cret/chat",
    ],
)
async def test_a_url_that_is_none(url: str) -> None:
    with pytest.raises(StorageError) as error:
        await MongoStore.open(url, connect_timeout_s=0.1)
    assert "cret" not in str(error.value)


async def test_without_a_name_it_is_vestnik(own_server: Server) -> None:
    store = await MongoStore.open(own_server.url)
    assert store._database.name == "vestnik"
    await store.close()


async def test_a_newer_schema_is_refused(mongo_place: MongoPlace, mongo_store: MongoStore) -> None:
    meta = mongo_store._database.meta
    await meta.update_one({"_id": "schema"}, {"$set": {"version": schema.VERSION + 1}})
    with pytest.raises(StorageError) as error:
        await mongo_place.open()
    assert f"version {schema.VERSION + 1}" in str(error.value)


async def test_a_server_that_goes_and_comes_back(own_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.health.PROOF_S", -1)
    store = await MongoStore.open(own_server.url)
    world = World(store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    own_server.kill()
    start = time.monotonic()
    results = await asyncio.gather(
        store.ping(),
        store.chats.load(chat_id),
        store.users.rename(anna, "New"),
        store.chats.change(chat_id, anna, START, name="New"),
        world.send(chat_id, anna),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [Unavailable] * 5
    assert time.monotonic() - start < 20 * SLACK
    await asyncio.to_thread(own_server.start)
    async with asyncio.timeout(30):
        while store.health.failing:
            await asyncio.sleep(0.01)
    await store.ping()
    await world.send(chat_id, anna, "after")
    await world.check_published(chat_id)
    await store.close()


async def test_documents_are_read_by_one_query_where_that_is_quick(
    mongo_store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is the same."""
    database = mongo_store._database
    about = await database.client.admin.command("buildInfo")
    assert database.finds_many == ("ferretdbVersion" not in about)
    users = [await World(mongo_store).user(f"user {number}") for number in range(3)]
    keys = [str(users[2]), "none", str(users[0]), str(users[1])]
    for finds_many in (False, True):
        monkeypatch.setattr(database, "finds_many", finds_many)
        found = await database.get_each(database.users, keys)
        assert [one and one["_id"] for one in found] == [keys[0], None, *keys[2:]]
        assert await database.get_each(database.users, []) == []
