"""A node dies in the middle of a write, or its connection breaks: what is acked is published by all others, and
nothing twice."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pymongo.errors import AutoReconnect, DuplicateKeyError

from domain.changes import SessionsRevoked, UserChanged
from domain.models import Appended
from storage.errors import Unavailable
from storage.mongo import MongoStore, foreign_rows
from storage.mongo.database import Database
from tests.storage.conftest import MongoPlace
from tests.storage.mongo.nodes import Node, write_hints_apart
from tests.storage.mongo.proxy import WriteConcernProxy
from tests.storage.world import START, at, draft

CALLS = {
    "the hint": ("changes", "insert_one"),
    "the rows": ("changes", "insert_many"),
    "the message": ("messages", "bulk_write"),
    "the head": ("chats", "bulk_write"),
}
"""What a send writes, by the collection and the method."""


def dies(database: Database, what: str, monkeypatch: pytest.MonkeyPatch, *, after: bool) -> None:
    """The node dies when it writes something, before that is written or after: no later call reaches the database."""
    name, method = CALLS[what]
    collection = getattr(database, name)
    original = getattr(collection, method)

    async def call(*args: Any, **options: Any) -> Any:
        if after:
            await original(*args, **options)
        database._closed = True
        raise AutoReconnect("dead")

    monkeypatch.setattr(collection, method, call)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("apart", "what"),
    [(False, "the rows"), (False, "the message"), (False, "the head"), *((True, what) for what in CALLS)],
)
async def test_a_node_dies_while_it_sends(
    here: Node,
    there: Node,
    third: Node,
    monkeypatch: pytest.MonkeyPatch,
    apart: bool,
    what: str,
    after: bool,
) -> None:
    """The sender repeats the message at another node. All publish it once, and so they do with the next. `apart`: the
    hint is inserted by a command of its own, beside that of the rows."""
    monkeypatch.setattr(foreign_rows, "_UNPROJECTED_S", 0.2)
    anna = await here.user()
    chat_id = await here.chat(anna)
    first = await here.send(chat_id, anna, "first")
    for node in (there, third):
        await node.store.chats.load(chat_id)
        node.store.chats.follow(chat_id)
        await node.look()
    if apart:
        write_hints_apart(here.store, monkeypatch)
    dies(here.store._database, what, monkeypatch, after=after)
    lost = draft(chat_id, anna, "lost", client_id="lost")
    with pytest.raises(Unavailable):
        await here.store.messages.append(lost)
    for _ in range(3):
        await third.look()
        await asyncio.sleep(0.15)
    again: Appended = await there.store.messages.append(lost)
    await third.look()
    assert [message.content for message in third.message_changes(chat_id)][-1] == "lost"
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
    write_hints_apart(here.store, monkeypatch)
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


async def test_connections_break_while_rows_and_hints_are_written(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same for a hint that is inserted along with its rows."""
    anna = await here.user()
    chat_id = await here.chat(anna)
    await there.store.chats.load(chat_id)
    rows = here.store._database.changes
    original, calls = rows.insert_many, 0

    async def insert_many(documents: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls % 3 == 1:
            raise AutoReconnect("before")
        inserted = await original(documents, **options)
        if calls % 3 == 2:
            raise AutoReconnect("after")
        return inserted

    monkeypatch.setattr(rows, "insert_many", insert_many)
    for number in range(6):
        await here.send(chat_id, anna, f"{number}")
    await there.look()
    for node in (here, there):
        await node.check_published(chat_id)
        assert len(node.message_changes(chat_id)) == 6
    numbers = [document["number"] async for document in rows.find({"number": {"$gt": 0}})]
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
        proxy.failing = ("changes",)
        await here.send(chat_id, anna, "one")
        assert proxy.failed >= 2  # the rows with their hint, and the hint again
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
    write_hints_apart(here.store, monkeypatch)
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


async def test_a_ban_that_is_repeated_after_the_death_of_its_server(
    here: Node, there: Node, third: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store has it already, but no server knows it, not even the one that acks the repeat."""
    anna = await here.user()
    await here.store.sessions.create(
        session_id="s", user_id=anna, token_hash="t", expires_at=at(60), created_at=START
    )
    await dies_before_its_hint(here, lambda: here.store.users.set_banned(anna, True), monkeypatch)
    user = await there.store.users.set_banned(anna, True)
    await third.look()
    for node in (there, third):
        assert UserChanged(user) in node.published
        assert SessionsRevoked(anna, ["s"]) in node.published


async def test_a_logout_that_is_repeated_after_the_death_of_its_server(
    here: Node, there: Node, third: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await here.user()
    await here.store.sessions.create(
        session_id="s", user_id=anna, token_hash="t", expires_at=at(60), created_at=START
    )
    await dies_before_its_hint(here, lambda: here.store.sessions.revoke("s"), monkeypatch)
    await there.store.sessions.revoke("s")
    await third.look()
    for node in (there, third):
        assert node.published == [SessionsRevoked(anna, ["s"])]


async def dies_before_its_hint(
    node: Node, write: Callable[[], Awaitable[object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server makes a change of an account and dies before others can hear of it."""

    async def call(_document: Any) -> Any:
        node.store._database._closed = True
        raise AutoReconnect("dead")

    monkeypatch.setattr(node.store._database.hints, "insert_one", call)
    with pytest.raises(Unavailable):
        await write()
