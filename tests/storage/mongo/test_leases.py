"""The nodes that share a database, and what is left of those that are gone."""

import asyncio

import pytest

from storage.errors import Unavailable
from storage.mongo import MongoStore, hint_writer
from storage.node_ports import Lease
from tests.kinds import declared_kinds
from tests.storage.conftest import MongoPlace
from tests.storage.mongo.nodes import Node
from tests.storage.mongo.throwaway import declare_reacted, react
from tests.storage.world import START, World, at


async def test_a_lease_is_renewed_ended_and_buried(mongo_store: MongoStore, second_store: MongoStore) -> None:
    here, there = mongo_store.nodes, second_store.nodes
    assert here.incarnation != there.incarnation
    assert await there.leases() == []
    for beat in (1, 2):
        lease = Lease(here.incarnation, "http://10.0.0.1:80", here.format, "key", beat, False)
        await here.join(lease)
        assert await there.leases() == [lease]
    await here.leave()
    assert await there.leases() == [Lease(lease.incarnation, lease.url, lease.format, "key", 3, True)]
    await there.bury(here.incarnation)
    assert await there.leases() == []


async def test_a_store_that_nobody_joins_has_a_lease_from_its_first_hint_on(
    mongo_place: MongoPlace, second_store: MongoStore
) -> None:
    """The command line is one. What it wrote is read by the others though it is gone."""
    there = Node(second_store)
    store = await mongo_place.open()
    await store.users.exist()
    assert await there.store.nodes.leases() == []
    await store.users.create(
        username="anna", display_name="Anna", email=None, password_hash="", created_at=START
    )
    user = await store.users.rename(1, "Anna A.")
    (lease,) = await there.store.nodes.leases()
    assert (lease.incarnation, lease.ended) == (store.nodes.incarnation, False)
    await store.close()
    (lease,) = await there.store.nodes.leases()
    assert lease.ended
    await there.look()
    assert [change.user for change in there.published if hasattr(change, "user")] == [user]


async def test_hints_are_kept_for_a_while(
    mongo_store: MongoStore, second_store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then they are removed, and a node that has not read them can see that."""
    monkeypatch.setattr(hint_writer, "HINTS_KEPT_S", 0.3)
    monkeypatch.setattr(hint_writer, "_REMOVE_EVERY_S", 0.1)
    here, there = Node(mongo_store), Node(second_store)
    anna = await here.user()
    chat_id = await here.chat(anna)
    incarnation = mongo_store.nodes.incarnation
    for number in range(40):
        await here.send(chat_id, anna, f"{number}")
    assert await there.store.nodes.oldest_hint(second_store.nodes.incarnation) == 1
    while await mongo_store._database.hints.count_documents({"number": {"$gt": 0}}):
        await asyncio.sleep(0.05)
    assert await there.store.nodes.oldest_hint(incarnation) == 42
    await here.send(chat_id, anna, "last")
    found = await there.store.nodes.hints({incarnation: 41})
    assert [hint.number for hint in found[incarnation]] == [42]


async def test_nothing_is_left_of_a_buried_node(mongo_store: MongoStore, second_store: MongoStore) -> None:
    here = Node(mongo_store)
    anna = await here.user()
    chat_id = await here.chat(anna)
    for _ in range(40):
        await here.send(chat_id, anna)
    await mongo_store.nodes.keep_record("presence", {"1": "online"})
    await second_store.nodes.keep_record("presence", {"2": "away"})
    await mongo_store.nodes.leave()
    await second_store.nodes.bury(mongo_store.nodes.incarnation)
    other = second_store.nodes.incarnation
    assert await second_store.nodes.records("presence") == {other: (0, {"2": "away"})}
    assert [lease.incarnation for lease in await second_store.nodes.leases()] == [other]
    assert await second_store._database.hints.count_documents({"number": {"$gt": 0}}) == 0


async def test_the_first_key_counts_until_it_is_replaced(
    mongo_store: MongoStore, second_store: MongoStore
) -> None:
    here, there = mongo_store.nodes, second_store.nodes
    first, second = await asyncio.gather(here.key_id("one"), there.key_id("two"))
    assert first == second
    assert first in ("one", "two")
    await here.replace_key_id("three")
    assert await there.key_id("two") == "three"


async def test_a_kind_is_written_when_all_know_it(
    mongo_place: MongoPlace, second_store: MongoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next version declares a kind. It writes changes of that kind once no node of this version is left."""
    older = Lease(second_store.nodes.incarnation, "", second_store.nodes.format, "", 1, False)
    await second_store.nodes.join(older)
    with declared_kinds(since=older.format + 1) as declare:
        kind = declare_reacted(declare)
        monkeypatch.setattr("storage.mongo.versions.FORMAT", older.format + 1)
        store = await mongo_place.open()
        world = World(store)
        anna = await world.user()
        message = await world.send(await world.chat(anna), anna)
        assert (store.nodes.format, store.nodes.lowest_format) == (older.format + 1, older.format)
        with pytest.raises(Unavailable, match="older version") as refused:
            await react(store, kind, message.id, anna)
        assert refused.value.trouble == "newer"
        edited = await store.messages.edit(message.id, anna, "edited", at(1))  # all else goes on
        await second_store.nodes.leave()
        store.nodes.lowest_format = min(
            lease.format for lease in await store.nodes.leases() if not lease.ended
        )
        reacted = await react(store, kind, message.id, anna)
        assert reacted.changed_seq == edited.changed_seq + 1
        await store.close()


async def test_a_node_that_meets_an_unknown_kind_says_so(
    mongo_store: MongoStore, second_store: MongoStore
) -> None:
    """Whether it follows the chat or not. If it does, the rows before that are published."""
    for follow in (False, True):
        here, there = Node(mongo_store), Node(second_store)
        names: list[str] = []
        second_store.nodes.on_newer(names.append)
        anna = await here.user(f"anna{follow}")
        chat_id = await here.chat(anna)
        if follow:
            await second_store.chats.load(chat_id)
        with declared_kinds() as declare:
            kind = declare_reacted(declare, f"throwaway_{follow}".lower())
            message = await here.send(chat_id, anna)
            await react(mongo_store, kind, message.id, anna)
            await here.send(chat_id, anna)
        await there.look()
        assert names == [f"throwaway_{follow}".lower()]
        assert [message.changed_seq for message in there.message_changes(chat_id)] == ([1] if follow else [])
