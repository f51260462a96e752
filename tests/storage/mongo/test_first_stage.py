"""What the first stage wrote is read as it was meant."""

from domain.changes import ChatDeleted, MemberRemoved
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
