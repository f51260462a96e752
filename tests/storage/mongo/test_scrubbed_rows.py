"""What a kind of change keeps in its rows is out of the log once the message or the chat is deleted; the rows that lost
it are still read."""

from collections.abc import Iterator
from typing import Any

import pytest

from domain.changes import ChatDeleted, MessageChange, MessageCreated, MessageDeleted, UndeclaredChange
from storage.mongo import MongoStore
from storage.mongo.row_codecs import _CODECS, check_codecs
from storage.mongo.row_layouts import Layout
from tests.kinds import declared_kinds
from tests.storage.conftest import MongoPlace
from tests.storage.mongo.test_removal import swept
from tests.storage.mongo.throwaway import declare_reacted, react
from tests.storage.world import World, at


@pytest.fixture
def reacted() -> Iterator[type[MessageChange]]:
    with declared_kinds() as declare:
        yield declare_reacted(declare)


async def data_of_rows(store: MongoStore, chat_id: int) -> dict[int, Any]:
    rows = await store._database.changes.find({"chat_id": chat_id, "n": {"$gt": 1}}).to_list(None)
    return {row["n"]: row["data"] for row in rows}


async def test_a_deleted_message_takes_the_fields_of_its_changes_along(
    mongo_store: MongoStore, reacted: Any
) -> None:
    world = World(mongo_store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    message, other = await world.send(chat_id, anna), await world.send(chat_id, anna)
    for message_id in (message.id, other.id):
        await react(mongo_store, reacted, message_id, anna)
    kept = {"fields": {"user_id": anna, "emoji": "+1"}}
    assert await data_of_rows(mongo_store, chat_id) == {2: None, 3: None, 4: kept, 5: kept}
    await mongo_store.messages.delete(message.id, anna, at(1))
    assert await data_of_rows(mongo_store, chat_id) == {2: None, 3: None, 4: {}, 5: kept, 6: {}}
    scrubbed = await mongo_store._database.changes.find_one({"chat_id": chat_id, "n": 4})
    assert scrubbed is not None
    assert scrubbed["message"]["extra"] == {}


async def test_a_deleted_chat_takes_the_fields_of_its_messages_along(
    mongo_store: MongoStore, reacted: Any
) -> None:
    world = World(mongo_store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    message = await world.send(chat_id, anna)
    await react(mongo_store, reacted, message.id, anna)
    await mongo_store.chats.delete(chat_id, anna)
    await swept(mongo_store, chat_id)
    data = await data_of_rows(mongo_store, chat_id)
    assert data.keys() == {2, 3, 4}
    assert (data[2], data[3]) == (None, {})


async def test_another_server_reads_a_scrubbed_row_as_a_deletion(
    mongo_store: MongoStore, second_store: MongoStore, reacted: Any
) -> None:
    here, there = World(mongo_store), World(second_store)
    anna = await here.user()
    chat_id = await here.chat(anna)
    message = await here.send(chat_id, anna)
    assert await there.head(chat_id) == 1
    await react(mongo_store, reacted, message.id, anna)
    await mongo_store.messages.delete(message.id, anna, at(1))
    assert [one.changed_seq for one in await there.everything(chat_id)] == [3]
    last = there.published[-3:]
    assert [type(change) for change in last] == [MessageCreated, MessageDeleted, MessageDeleted]
    await there.check_published(chat_id)
    assert (await there.send(chat_id, anna)).seq == 4
    await there.check_published(chat_id)


async def test_a_server_that_starts_reads_a_scrubbed_row_as_a_deletion(
    mongo_place: MongoPlace, reacted: Any
) -> None:
    store = await mongo_place.open()
    world = World(store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    message = await world.send(chat_id, anna)
    await react(store, reacted, message.id, anna)
    await store.messages.delete(message.id, anna, at(1))
    await store.close()

    # A server that died after the deletion was in the log and before that was noted.
    store = await mongo_place.open()
    await store._database.chats.update_one({"_id": str(chat_id)}, {"$set": {"n": 2}})
    again = World(store)
    assert await again.head(chat_id) == 3
    assert [type(change) for change in again.published] == [MessageDeleted, MessageDeleted]
    assert [one.changed_seq for one in again.message_changes(chat_id)] == [2, 3]
    assert all(one.deleted and one.reactions is None for one in again.message_changes(chat_id))
    (tombstone,) = await again.everything(chat_id)
    assert (tombstone.deleted, tombstone.changed_seq) == (True, 3)
    await store.close()


async def test_a_server_that_starts_reads_the_rows_of_a_removed_chat(
    mongo_place: MongoPlace, mongo_store: MongoStore, reacted: Any
) -> None:
    world = World(mongo_store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    message = await world.send(chat_id, anna)
    await react(mongo_store, reacted, message.id, anna)
    await mongo_store.chats.delete(chat_id, anna)
    await swept(mongo_store, chat_id)
    await mongo_store._database.chats.update_one({"_id": str(chat_id)}, {"$set": {"n": 1}})
    store = await mongo_place.open()
    again = World(store)
    assert await store.chats.load(chat_id) is None
    assert [type(change) for change in again.published] == [MessageCreated, MessageDeleted, ChatDeleted]
    await store.close()


def test_a_change_of_a_message_has_no_layout_that_would_stay(
    reacted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_codecs()
    layout = Layout(lambda change, _: {"emoji": change.emoji}, lambda row, _: reacted(row.message, 0))
    monkeypatch.setitem(_CODECS, reacted, layout)
    with pytest.raises(UndeclaredChange, match=r"'throwaway_reacted' \(MessageReacted\).*row_layouts.py"):
        check_codecs()
