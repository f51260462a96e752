"""Writes that were made, but not on as many disks as asked for: such a write is no ack."""

from collections.abc import AsyncIterator

import pytest

from domain.refusals import ClientIdTaken, Duplicate
from storage.errors import Unavailable
from storage.mongo import MongoStore
from tests.storage.conftest import MongoPlace
from tests.storage.mongo.proxy import WriteConcernProxy
from tests.storage.world import World, draft


@pytest.fixture
async def proxy(mongo_place: MongoPlace) -> AsyncIterator[WriteConcernProxy]:
    proxy = WriteConcernProxy(mongo_place.url)
    yield proxy
    await proxy.close()


@pytest.fixture
async def store(proxy: WriteConcernProxy, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MongoStore]:
    monkeypatch.setattr("storage.mongo.database.RETRY_S", 0.2)
    monkeypatch.setattr("storage.mongo.retry_budget.RETRY_S", 0.2)
    store = await MongoStore.open(await proxy.start())
    yield store
    proxy.failing = ()
    await store.close()


async def test_a_row_found_by_a_majority_read_is_acked_once(
    store: MongoStore, proxy: WriteConcernProxy
) -> None:
    world = World(store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    proxy.failing = ("changes",)
    assert (await world.send(chat_id, anna, "one")).seq == 1
    assert proxy.failed == 2  # the row with its hint, and the hint once more
    proxy.failing = ()
    await world.send(chat_id, anna, "two")
    assert [message.content for message in world.message_changes(chat_id)] == ["one", "two"]
    await world.check_published(chat_id)


async def test_nothing_is_acked_or_published_before_the_concern_is_met(
    store: MongoStore, proxy: WriteConcernProxy
) -> None:
    world = World(store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    proxy.failing = ("changes", "messages", "chats")
    with pytest.raises(Unavailable):
        await world.send(chat_id, anna, "one", client_id="a")
    assert proxy.failed
    assert world.message_changes(chat_id) == []
    proxy.failing = ()
    assert (await world.send(chat_id, anna, "two")).seq == 2
    assert [message.content for message in world.message_changes(chat_id)] == ["one", "two"]
    again = await store.messages.append(draft(chat_id, anna, "one", client_id="a"))
    assert (again.duplicate, again.message.seq) == (True, 1)
    await world.check_published(chat_id)


async def test_a_duplicate_is_a_duplicate_even_then(store: MongoStore, proxy: WriteConcernProxy) -> None:
    world = World(store)
    anna = await world.user("anna")
    chat_id, other = await world.chat(anna), await world.chat(anna)
    await world.send(chat_id, anna, "one", client_id="a")
    proxy.failing = ("changes",)
    with pytest.raises(ClientIdTaken):
        await world.send(other, anna, "one", client_id="a")
    with pytest.raises(Duplicate):
        await world.user("Anna")
