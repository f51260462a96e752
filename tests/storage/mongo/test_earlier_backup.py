"""A database as an earlier version left it is backed up as it is, and restored as the new version would have it."""

from pathlib import Path

import pytest

from storage.errors import StorageError
from storage.mongo.connection import as_it_is, connect
from storage.open import open_snapshot, open_store
from tests.backup.answers import answers
from tests.guarantees.earlier_release import write_database
from tests.storage.conftest import MongoPlace, close
from tests.storage.mongo.test_restored import backup_of, parts, restore


@pytest.mark.long
async def test_a_database_of_an_earlier_version(mongo_place: MongoPlace, tmp_path: Path) -> None:
    await write_database(mongo_place.url)
    database = await connect(mongo_place.url, 5, as_it_is)
    before = await database.messages.find({}).sort("_id", 1).to_list(None)
    backup = await backup_of(mongo_place.url)
    assert await database.messages.find({}).sort("_id", 1).to_list(None) == before
    database.close()
    url = f"sqlite:///{tmp_path}/restored.db"
    await restore(backup, url)
    assert await parts(url) == await parts(mongo_place.url)
    restored, upgraded = await open_store(url), await mongo_place.open()
    after, expected = await answers(restored), await answers(upgraded)
    for what, answer in expected.items():
        if what != "found":  # the older messages are being indexed
            assert after[what] == answer, what
    await close(restored)
    await close(upgraded)


async def test_what_is_no_database_of_a_chat_is_refused(mongo_place: MongoPlace) -> None:
    with pytest.raises(StorageError, match="has no data of a chat server"):
        await open_snapshot(mongo_place.url)
    store = await mongo_place.open()
    await store._database.meta.update_one({"_id": "schema"}, {"$set": {"version": 1}})
    with pytest.raises(StorageError, match="version 1: start a server of this version on it first"):
        await open_snapshot(mongo_place.url)
    await store._database.meta.update_one({"_id": "schema"}, {"$set": {"version": 99}})
    with pytest.raises(StorageError, match="or a newer one"):
        await open_snapshot(mongo_place.url)
    await close(store)
