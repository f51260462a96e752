"""What the first stage wrote is read as it was meant."""

import pytest

from domain.changes import ChatDeleted, MemberRemoved
from domain.decisions.settings import SettingsRequest
from domain.refusals import Forbidden
from storage.mongo import MongoStore
from storage.mongo.chat_replica import ChatReplica
from storage.mongo.log import Row
from tests.storage.conftest import MongoPlace
from tests.storage.world import START, World


async def test_a_database_without_an_epoch_gets_one(mongo_place: MongoPlace) -> None:
    store = await mongo_place.open()
    await store._database.meta.delete_one({"_id": "epoch"})
    await store.close()
    stores = [await mongo_place.open() for _ in range(3)]
    assert len({store.epoch for store in stores}) == 1
    for store in stores:
        await store.close()


async def test_rows_that_do_not_say_who_removed_or_left(mongo_store: MongoStore) -> None:
    world = World(mongo_store)
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris, name="Lunch")
    await world.store.chats.remove_member(chat_id, anna, boris, START)
    await world.store.chats.delete(chat_id, anna)
    replica, published = ChatReplica(chat_id), []
    for row in await mongo_store._writer.replicas.log.after(chat_id, 0):
        data = {key: value for key, value in (row.data or {}).items() if key not in ("actor_id", "left_id")}
        published.append(replica.apply(Row(row.chat_id, row.n, row.seq, row.kind, row.mark, data=data)))
    removed, deleted = published[1:]
    assert isinstance(removed, MemberRemoved)
    assert (removed.user_id, removed.actor_id, removed.name) == (boris, None, "Lunch")
    assert isinstance(deleted, ChatDeleted)
    assert (deleted.left_id, deleted.name, deleted.chat_type) == (None, "Lunch", "group")


async def test_members_without_the_fields_of_private_chats(mongo_place: MongoPlace) -> None:
    """An empty private chat is seen by its creator alone; blocks and own settings are set as in a new one."""
    store = await mongo_place.open()
    world = World(store)
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris, chat_type="private")
    gone = dict.fromkeys(("muted_until", "blocked", "opened", "settings"), "")
    await store._database.members.update_many({}, {"$unset": gone})
    await store.close()
    store = await mongo_place.open()
    world = World(store)
    assert list(await store.chats.ids_of(boris)) == []
    chat, created = await world.make_chat(boris, anna, chat_type="private")
    assert (chat.id, created) == (chat_id, False)
    assert list(await store.chats.ids_of(boris)) == [chat_id]
    member = await store.chats.change_settings(chat_id, boris, SettingsRequest(favorite=True))
    assert member.settings.favorite
    await store.blocks.block(boris, anna, START)
    with pytest.raises(Forbidden):
        await world.send(chat_id, anna)
    await store.close()
