"""A server dies in the middle of a write, or its connection breaks: what is acked is published by all others, and
nothing twice."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import pytest
from pymongo.errors import AutoReconnect, DuplicateKeyError

from domain.models import Appended
from storage.errors import Unavailable
from storage.mongo import MongoStore, foreign_rows
from storage.mongo.database import Database
from tests.storage.conftest import MongoPlace
from tests.storage.mongo.nodes import Node
from tests.storage.mongo.proxy import WriteConcernProxy
from tests.storage.world import draft

ResultT = TypeVar("ResultT")


@pytest.fixture
def here(mongo_store: MongoStore) -> Node:
    return Node(mongo_store)


@pytest.fixture
def there(second_store: MongoStore) -> Node:
    return Node(second_store)


@pytest.fixture
async def third(mongo_place: MongoPlace) -> AsyncIterator[Node]:
    store = await mongo_place.open()
    yield Node(store)
    await store.close()


class Death:
    """Kills a server at a call of its database: the call is made or not, and all later ones fail."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.at: Callable[[str], bool] = lambda _call: False
        self.after = False

    def install(self, monkeypatch: pytest.MonkeyPatch, collection: Any, method: str) -> None:
        original = getattr(collection, method)

        async def call(*args: Any, **options: Any) -> Any:
            if not self.at(collection.name):
                return await original(*args, **options)
            if self.after:
                await original(*args, **options)
            self._database._closed = True
            raise AutoReconnect("dead")

        monkeypatch.setattr(collection, method, call)


DEATHS = {
    "before the hint, with the row": ("hints", False),
    "after the hint": ("hints", True),
    "before the row": ("changes", False),
    "after the row": ("changes", True),
    "before the message is projected": ("messages", False),
    "after the message is projected": ("messages", True),
    "before the head is projected": ("chats", False),
    "after the head is projected": ("chats", True),
}


@pytest.mark.parametrize(("collection", "after"), DEATHS.values(), ids=DEATHS)
async def test_a_server_dies_while_it_sends(
    here: Node,
    there: Node,
    third: Node,
    monkeypatch: pytest.MonkeyPatch,
    collection: str,
    after: bool,
) -> None:
    """The sender repeats the message at another server. All publish it once, and so they do with the next."""
    monkeypatch.setattr(foreign_rows, "_UNPROJECTED_S", 0.2)
    anna = await here.user()
    chat_id = await here.chat(anna)
    first = await here.send(chat_id, anna, "first")
    for node in (there, third):
        await node.store.chats.load(chat_id)
        node.store.chats.follow(chat_id)
        await node.look()
    database = here.store._database
    death = Death(database)
    for name, method in (
        ("hints", "insert_one"),
        ("changes", "insert_many"),
        ("messages", "bulk_write"),
        ("chats", "bulk_write"),
    ):
        death.install(monkeypatch, getattr(database, name), method)
    death.after, death.at = after, lambda name: name == collection
    lost = draft(chat_id, anna, "lost", client_id="lost")
    with pytest.raises(Unavailable):
        await here.store.messages.append(lost)
    for _ in range(3):
        await third.look()
        await asyncio.sleep(0.15)
    again: Appended = await there.store.messages.append(lost)
    for node in (third, there):
        await node.look()
    assert [message.content for message in third.message_changes(chat_id)] in (
        ["lost"],
        ["first", "lost"],
    )
    await there.send(chat_id, anna, "next")
    for node in (third, there):
        await node.look()
        published = node.message_changes(chat_id)
        assert [message.content for message in published if message.id != first.id] == ["lost", "next"]
        assert published[-2].id == again.message.id
        assert await node.head(chat_id) == 3
    assert [message.changed_seq for message in await third.everything(chat_id)] == [1, 2, 3]


async def test_connections_break_while_hints_are_written(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before or after the insert: there is one hint of each number, and none is missing."""
    anna = await here.user()
    chat_id = await here.chat(anna)
    await there.store.chats.load(chat_id)
    there.store.chats.follow(chat_id)
    hints = here.store._database.hints
    original, calls = hints.insert_one, 0

    async def insert_one(document: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls % 3 == 1:
            raise AutoReconnect("before")
        inserted = await original(document)
        if calls % 3 == 2:
            raise AutoReconnect("after")
        return inserted

    monkeypatch.setattr(hints, "insert_one", insert_one)
    for number in range(6):
        await here.send(chat_id, anna, f"{number}")
        here.store.nodes.tell("topic", number)
    await asyncio.sleep(0.5)
    await there.look()
    await there.check_published(chat_id)
    assert there.told == [("topic", number) for number in range(6)]
    numbers = [document["number"] async for document in hints.find({"number": {"$gt": 0}})]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))


async def test_a_hint_found_by_a_majority_read_counts(mongo_place: MongoPlace, there: Node) -> None:
    """Its insert was not confirmed, and the repeat finds it."""
    proxy = WriteConcernProxy(mongo_place.url)
    store = await MongoStore.open(await proxy.start())
    here = Node(store)
    try:
        anna = await here.user()
        chat_id = await here.chat(anna)
        await there.store.chats.load(chat_id)
        there.store.chats.follow(chat_id)
        proxy.failing = ("hints",)
        await here.send(chat_id, anna, "one")
        assert proxy.failed
        proxy.failing = ()
        await here.send(chat_id, anna, "two")
        await there.look()
        for node in (here, there):
            await node.check_published(chat_id)
            assert len(node.message_changes(chat_id)) == 2
    finally:
        await store.close()
        await proxy.close()


async def test_a_hint_that_no_majority_has_is_no_ack(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await here.user()
    chat_id = await here.chat(anna)
    await there.store.chats.load(chat_id)
    there.store.chats.follow(chat_id)
    hints = here.store._database.hints

    async def taken(_document: Any) -> Any:
        raise DuplicateKeyError("taken")

    with monkeypatch.context() as patch:
        patch.setattr(hints, "insert_one", taken)
        with pytest.raises(Unavailable) as refused:
            await here.send(chat_id, anna, "one")
    assert refused.value.trouble == "unconfirmed"
    assert here.message_changes(chat_id) == []
    await here.send(chat_id, anna, "two")
    await there.look()
    for node in (here, there):
        assert [message.content for message in node.message_changes(chat_id)] == ["one", "two"]


async def test_an_account_whose_hint_is_not_written(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change is made and published here, and not acked; the hint follows."""
    anna = await here.user()
    await here.chat(anna)
    hints = here.store._database.hints
    original = hints.insert_one

    async def broken(_document: Any) -> Any:
        raise AutoReconnect("away")

    monkeypatch.setattr("storage.mongo.database.RETRY_S", 0.2)
    monkeypatch.setattr(hints, "insert_one", broken)
    with pytest.raises(Unavailable):
        await here.store.users.rename(anna, "Anna")
    monkeypatch.setattr(hints, "insert_one", original)
    await asyncio.sleep(1.0)
    await there.look()
    assert [change.user.display_name for change in there.published if hasattr(change, "user")] == ["Anna"]
