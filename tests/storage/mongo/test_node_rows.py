"""Rows of others are published once and in order, whatever this server has in memory of the chat."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from storage.mongo import MongoStore, positions
from tests.storage.conftest import MongoPlace
from tests.storage.mongo.nodes import Node


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


async def evict(node: Node, user_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the store forget all replicas but that of a chat that is created for this."""
    with monkeypatch.context() as patch:
        patch.setattr("storage.mongo.chat_replicas._MAX_CHATS", 1)
        for _ in range(3):
            await node.chat(user_id)
    assert len(node.store._writer.replicas._replicas) <= 2


async def test_a_replica_that_is_gone_leaves_no_hole(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What others write to a chat that somebody has joined here is published by the next load, though by then the
    projection has it all."""
    anna = await here.user()
    chat_id = await here.chat(anna)
    await here.store.chats.load(chat_id)
    await here.send(chat_id, anna, "here")
    await evict(here, anna, monkeypatch)
    assert here.store._writer.replicas.peek(chat_id) is None
    for number in range(3):
        await there.send(chat_id, anna, f"there {number}")
    await here.store.chats.load(chat_id)
    await here.check_published(chat_id)
    assert len(here.message_changes(chat_id)) == 4


async def test_a_replica_that_is_gone_is_not_needed(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await here.user()
    chat_id = await here.chat(anna)
    await here.store.chats.load(chat_id)
    await evict(here, anna, monkeypatch)
    await there.send(chat_id, anna, "there")
    await here.look()
    assert [message.content for message in here.message_changes(chat_id)] == ["there"]
    assert here.store._writer.replicas.peek(chat_id) is None
    await here.send(chat_id, anna, "here")
    await there.send(chat_id, anna, "there again")
    await here.look()
    await here.check_published(chat_id)


async def test_positions_of_followed_chats_stay(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the others, those used last do; and a chat that nobody follows is one of the others."""
    monkeypatch.setattr(positions, "POSITIONS_KEPT", 3)
    anna = await here.user()
    followed, dropped = await here.chat(anna), await here.chat(anna)
    for chat_id in (followed, dropped):
        await here.store.chats.load(chat_id)
    here.store.chats.unfollow(dropped)
    for _ in range(4):
        await here.chat(anna)
    kept = here.store.nodes._publication.positions
    assert kept.followed() == [followed]
    assert kept.get(followed) is not None
    assert kept.get(dropped) is None
    await there.send(followed, anna)
    await there.send(dropped, anna)
    await here.look()
    assert len(here.message_changes(followed)) == len(here.message_changes(dropped)) == 1


async def test_two_servers_write_to_one_chat_at_once(here: Node, there: Node, third: Node) -> None:
    """All three publish the same rows, in order and each once, though two write and look at the same time, and one
    only looks."""
    anna, boris = await here.users(2)
    chat_id = await here.chat(anna, boris)
    for node in (here, there, third):
        await node.store.chats.load(chat_id)
    done = asyncio.Event()

    async def write(node: Node, user_id: int) -> None:
        for number in range(12):
            await asyncio.gather(*(node.send(chat_id, user_id, f"{number}") for _ in range(4)))

    async def look(node: Node) -> None:
        while not done.is_set():
            await node.look()
            await asyncio.sleep(0.01)

    looking = [asyncio.create_task(look(node)) for node in (here, there, third)]
    await asyncio.gather(write(here, anna), write(there, boris))
    done.set()
    await asyncio.gather(*looking)
    for node in (here, there, third):
        await node.look()
    published = [[message.id for message in node.message_changes(chat_id)] for node in (here, there, third)]
    assert published[0] == published[1] == published[2]
    assert len(published[0]) == 96
    await third.check_published(chat_id)


async def test_rows_that_come_to_the_log_after_their_hint(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hint is written while the rows are inserted, and whoever reads it looks for them until they are there."""
    anna = await here.user()
    chat_id = await here.chat(anna)
    await there.store.chats.load(chat_id)
    log, gate, inserting = here.store._writer.replicas.log, asyncio.Event(), asyncio.Event()
    original = log.insert

    async def insert(rows: Sequence[object]) -> int:
        inserting.set()
        await gate.wait()
        return await original(rows)

    monkeypatch.setattr(log, "insert", insert)
    sending = asyncio.create_task(here.send(chat_id, anna, "slow"))
    await inserting.wait()
    while not any(hint.rows == {chat_id: (2, 2)} for hint in await there.look()):
        await asyncio.sleep(0.01)
    assert there.message_changes(chat_id) == []
    gate.set()
    await sending
    assert await there.look() == []
    assert [message.content for message in there.message_changes(chat_id)] == ["slow"]


async def test_a_send_is_not_acked_before_its_hint(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await here.user()
    chat_id = await here.chat(anna)
    hints, gate = here.store._database.hints, asyncio.Event()
    original = hints.insert_one

    async def insert_one(document: object) -> object:
        await gate.wait()
        return await original(document)

    monkeypatch.setattr(hints, "insert_one", insert_one)
    sending = asyncio.create_task(here.send(chat_id, anna))
    while not await here.store._database.messages.find_one({"chat_id": chat_id}):
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    assert not sending.done()
    assert here.message_changes(chat_id) == []
    gate.set()
    await sending
    await there.look()
    assert len(there.message_changes(chat_id)) == 1
