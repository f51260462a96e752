"""A restored database is as one that was never restored: it answers the same, and goes on the same."""

import io
from pathlib import Path

from storage.backup.filling import fill as fill_from
from storage.backup.filling import verify
from storage.backup.making import make_backup
from storage.mongo.backup.restoration import MongoRestoration
from storage.open import open_snapshot
from storage.ports import Store
from tests.backup.answers import answers
from tests.backup.content import fill
from tests.backup.goes_on import GoesOn
from tests.storage.conftest import MongoPlace, SqlitePlace, close


async def backup_of(url: str) -> io.BytesIO:
    snapshot, out = await open_snapshot(url), io.BytesIO()
    try:
        await make_backup(snapshot, out, version="tests")
    finally:
        await snapshot.close()
    out.seek(0)
    return out


async def restore(backup: io.BytesIO, url: str) -> None:
    await verify(backup)
    backup.seek(0)
    restoration = await MongoRestoration.open(url, 5)
    try:
        await fill_from(backup, restoration)
    finally:
        await restoration.close()


async def test_a_store_of_sqlite_goes_on_in_mongodb(tmp_path: Path, mongo_place: MongoPlace) -> None:
    place = SqlitePlace(tmp_path)
    store: Store = await place.open()
    await fill(store)
    before = await answers(store)
    backup = await backup_of(f"sqlite:///{place.path}")
    facts = await GoesOn(store).run()
    await close(store)
    await restore(backup, mongo_place.url)
    restored = await mongo_place.open()
    assert restored.epoch != store.epoch
    after = await answers(restored)
    assert after.keys() == before.keys()
    for what, answer in before.items():
        assert after[what] == answer, what
    gone_on = await GoesOn(restored).run()
    for fact, other in zip(facts, gone_on, strict=True):
        assert fact == other
    await close(restored)
