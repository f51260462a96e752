"""Databases of an older schema are brought up to date, with everything in them."""

import asyncio

import pytest

from storage.mongo import MongoStore, schema
from storage.mongo.database import Database, Document
from storage.node_ports import Lease
from tests.storage.conftest import MongoPlace
from tests.storage.old_accounts import OLD_ACCOUNTS, check_upgraded
from tests.storage.world import World


async def old_database(place: MongoPlace) -> list[Document]:
    """A database as the server wrote it in version 1; the documents of its accounts, without the keys."""
    store = await place.open()
    world, database = World(store), store._database
    for username, display_name, banned, deleted in OLD_ACCOUNTS:
        # Names that were no conflict then.
        user_id = await world.user(
            f"user{username.encode().hex()}", email=f"E{len(username)}{display_name}@x.y"
        )
        names = {"username": username, "username_key": username.casefold()}
        shown = {"display_name": display_name, "display_name_key": display_name.casefold()}
        email = {"email": None, "email_key": f"#{user_id}"}
        if not deleted:
            email = {"email": f"E{user_id}@x.y", "email_key": f"e{user_id}@x.y"}
        ended = {"banned": bool(banned), "deleted": bool(deleted)}
        await database.users.update_one({"id": user_id}, {"$set": {**names, **shown, **email, **ended}})
    await database.meta.update_one({"_id": "schema"}, {"$set": {"version": 1}})
    documents = await accounts(database)
    await store.close()
    return documents


async def accounts(database: Database) -> list[Document]:
    found = await database.users.find({}).sort("id", 1).to_list(None)
    assert [user["id"] for user in found] == list(range(1, len(OLD_ACCOUNTS) + 1))
    return [{name: value for name, value in user.items() if not name.endswith("name_key")} for user in found]


async def check(store: MongoStore, before: list[Document]) -> None:
    assert await accounts(store._database) == before
    await check_upgraded(store)
    version = await store._database.meta.find_one({"_id": "schema"})
    assert version is not None
    assert version["version"] == schema.VERSION


async def test_an_upgrade_makes_names_comparable_and_keeps_all_else(
    mongo_place: MongoPlace, caplog: pytest.LogCaptureFixture
) -> None:
    before = await old_database(mongo_place)
    with caplog.at_level("INFO", logger="storage.mongo.schema"):
        store = await mongo_place.open()
        await check(store, before)
        await store.close()
        again = await mongo_place.open()
        await check(again, before)
        await again.close()
    assert [record.getMessage() for record in caplog.records if record.name == "storage.mongo.schema"] == [
        "the database went from schema version 1 to 2: usernames and display names compare without case and whatever"
        " their Unicode form (NFKC) (7 keys changed)",
        "the database went from schema version 2 to 3: nodes learn from each other what they write; stop the servers of"
        " earlier versions that still run on this database, as no other node learns what those write, and they cannot"
        " start on it again",
    ]


async def test_several_servers_upgrade_at_once(mongo_place: MongoPlace) -> None:
    before = await old_database(mongo_place)
    stores = await asyncio.gather(*(mongo_place.open() for _ in range(4)))
    for store in stores:
        await check(store, before)
        await store.close()


async def test_an_upgrade_that_was_stopped_in_the_middle_goes_on(
    mongo_place: MongoPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await old_database(mongo_place)
    calls = 0

    def stopping(name: str) -> str:
        nonlocal calls
        calls += 1
        if calls == 9:
            raise KeyboardInterrupt
        return name.casefold()

    with monkeypatch.context() as patch:
        patch.setattr(schema, "name_key", stopping)
        with pytest.raises(KeyboardInterrupt):
            await mongo_place.open()
    store = await mongo_place.open()
    await check(store, before)
    await store.close()


@pytest.mark.parametrize(
    "_round", [0, 1, *(pytest.param(number, marks=pytest.mark.long) for number in range(2, 10))]
)
async def test_several_servers_start_on_an_empty_database(mongo_place: MongoPlace, _round: int) -> None:
    stores = await asyncio.gather(*(mongo_place.open() for _ in range(4)))
    assert len({(store.id, store.epoch) for store in stores}) == 1
    nodes = [store.nodes for store in stores]
    await asyncio.gather(
        *(one.join(Lease(one.incarnation, "", one.format, "key", 1, False)) for one in nodes),
        *(one.keep_record("presence", {}) for one in nodes),
        *(one.key_id("key") for one in nodes),
    )
    users = await asyncio.gather(*(World(store).user(f"user{place}") for place, store in enumerate(stores)))
    renamed = (store.users.rename(user_id, "Anna") for user_id, store in zip(users, stores, strict=True))
    assert {user.display_name for user in await asyncio.gather(*renamed)} == {"Anna"}
    assert len(await nodes[0].leases()) == len(await nodes[0].records("presence")) == 4
    for store in stores:
        await store.close()
