"""A database as an earlier version wrote it, without the fields that came later, opens with everything in it."""

import asyncio
from typing import Any

from domain.search import parse
from storage.errors import NotIndexed
from storage.mongo.database import Database
from storage.ports import Store
from storage.search import SearchRequest
from tests.patience import within
from tests.storage.conftest import MongoPlace
from tests.storage.old_chats import check_goes_on, everything, fill

LATER = {
    "users": {"is_admin", "presence", "avatar_id"},
    "sessions": {"address", "user_agent", "last_used_at"},
    "chats": {"is_public", "slow_mode_s", "avatar_id"},
    "messages": {"words", "words_of"},
    "members": {"muted_until", "blocked", "opened", "settings"},
}
"""The fields that came after the first stage, by collection. Documents in rows of the log lack them too."""

LATER_ANYWHERE = frozenset().union(*LATER.values(), {"actor_id", "left_id", "file_ids"})

ROW = (
    "_id",
    "chat_id",
    "n",
    "seq",
    "kind",
    "mark",
    "sender_id",
    "client_id",
    "message_id",
    "message",
    "data",
)
"""The fields of a row of the first stage."""


def without_later(value: Any) -> Any:
    """A value of a row as the first stage wrote it."""
    if isinstance(value, dict):
        return {name: without_later(each) for name, each in value.items() if name not in LATER_ANYWHERE}
    return [without_later(each) for each in value] if isinstance(value, list) else value


async def take_back(database: Database) -> None:
    """Rewrites a database as the first stage wrote it."""
    for name, fields in LATER.items():
        await getattr(database, name).update_many({}, {"$unset": dict.fromkeys(fields, "")})
    async for row in database.changes.find({}):
        if "chat_id" not in row:  # a hint to other nodes, which the first stage did not write
            await database.changes.delete_one({"_id": row["_id"]})
            continue
        old = {name: row[name] for name in ROW if name in row}
        await database.changes.replace_one({"_id": row["_id"]}, without_later(old))
    for collection in (database.leases, database.records):
        await collection.drop()
    await database.meta.delete_many({"_id": {"$in": ["epoch", "search"]}})
    await database.meta.update_one({"_id": "schema"}, {"$set": {"version": 1}})


async def found_again(store: Store) -> None:
    """Returns when the messages of before are found."""
    async with within(20):
        while True:
            try:
                found, _ = await store.search.messages(1, SearchRequest(parse("edited"), 20))
            except NotIndexed:
                await asyncio.sleep(0.05)
                continue
            assert [message.content for message in found] == ["edited twice"]
            return


async def test_everything_is_kept(mongo_place: MongoPlace) -> None:
    store = await mongo_place.open()
    await fill(store)
    before = await everything(store)
    await take_back(store._database)
    await store.close()
    store = await mongo_place.open()
    await found_again(store)
    for name, fields in LATER.items():
        if name == "messages":
            continue  # they have words again
        documents = await getattr(store._database, name).find({}).to_list(None)
        assert documents
        assert not [document for document in documents if fields & document.keys()]
    assert await everything(store) == before
    await check_goes_on(store)
    await store.close()
    store = await mongo_place.open()
    await store.messages.history(1, limit=9)
    await store.close()
