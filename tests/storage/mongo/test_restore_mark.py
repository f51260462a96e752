"""A database is filled once, by one restore, while nobody else uses it; and what is interrupted leaves no store."""

import asyncio
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.backup.digests import Part, parts_of
from storage.backup.filling import fill as fill_from
from storage.backup.making import make_backup
from storage.backup.reading import BackupReader
from storage.backup_ports import Batch
from storage.errors import StorageError
from storage.mongo import restore_mark
from storage.mongo.backup import emptiness
from storage.mongo.backup.restoration import MongoRestoration
from storage.node_ports import Lease
from storage.open import open_restoration, open_snapshot, open_store
from tests.backup.content import fill
from tests.storage.conftest import MongoPlace, close
from tests.storage.world import World

LEASE_S = 0.5


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore_mark, "RENEWED_EVERY_S", 0.05)
    monkeypatch.setattr(restore_mark, "LEFT_OVER_S", 1.0)
    for module in (restore_mark, emptiness):
        monkeypatch.setattr(module, "LOOK_EVERY_S", 0.05)


@pytest.fixture
async def backup(tmp_path: Path) -> io.BytesIO:
    url, out = f"sqlite:///{tmp_path}/vestnik.db", io.BytesIO()
    store = await open_store(url)
    await fill(store)
    await close(store)
    snapshot = await open_snapshot(url)
    await make_backup(snapshot, out, version="tests")
    await snapshot.close()
    return out


async def begun(place: MongoPlace) -> MongoRestoration:
    restoration = await open_restoration(place.url, lease_s=LEASE_S)
    assert isinstance(restoration, MongoRestoration)
    return restoration


def batches(backup: io.BytesIO) -> Iterator[Batch]:
    backup.seek(0)
    return (item for item in BackupReader(backup).items() if isinstance(item, Batch))


async def put_some(restoration: MongoRestoration, backup: io.BytesIO, count: int) -> None:
    for batch, _ in zip(batches(backup), range(count), strict=False):
        await restoration.put(batch)
    await restoration._inserts.flush()


async def die(restoration: MongoRestoration) -> None:
    """What is left of a restore when its process is killed."""
    await restoration._mark.let_go()
    restoration._database.close()


async def restore(place: MongoPlace, backup: io.BytesIO) -> None:
    restoration = await begun(place)
    backup.seek(0)
    try:
        await fill_from(backup, restoration)
    finally:
        await restoration.close()


async def check_equal(place: MongoPlace, backup: io.BytesIO) -> None:
    backup.seek(0)
    expected = [item for item in BackupReader(backup).items() if isinstance(item, Part)]
    snapshot = await open_snapshot(place.url)
    assert [part async for part in parts_of(snapshot)] == expected
    await snapshot.close()
    store = await place.open()
    await World(store).user("newcomer")
    await close(store)


async def test_a_database_that_is_being_filled_is_refused(
    mongo_place: MongoPlace, backup: io.BytesIO
) -> None:
    restoration = await begun(mongo_place)
    for count in (0, 9):
        await put_some(restoration, backup, count)
        for opened in (open_store, open_snapshot):
            with pytest.raises(
                StorageError, match=r"^a restore is filling database .*`vestnik restore` again$"
            ):
                await opened(mongo_place.url)
        with pytest.raises(StorageError, match=r"^another restore is filling"):
            await begun(mongo_place)
    await restoration.close()
    await close(await mongo_place.open())


@pytest.mark.long
async def test_what_an_interrupted_restore_has_left_is_removed(
    mongo_place: MongoPlace, backup: io.BytesIO
) -> None:
    for count in (0, 1, 12):
        restoration = await begun(mongo_place)
        await put_some(restoration, backup, count)
        await die(restoration)
        with pytest.raises(StorageError, match="or was interrupted"):
            await open_store(mongo_place.url)
    await restore(mongo_place, backup)
    await check_equal(mongo_place, backup)


@pytest.mark.long
async def test_a_restore_that_fails_leaves_nothing(mongo_place: MongoPlace, backup: io.BytesIO) -> None:
    restoration = await begun(mongo_place)
    await put_some(restoration, backup, 12)
    await restoration.close()
    assert await collections_in_use(mongo_place) == {"meta"}
    await restore(mongo_place, backup)
    await check_equal(mongo_place, backup)


async def collections_in_use(place: MongoPlace) -> set[str]:
    """The collections of a new store that have documents."""
    store = await place.open()
    database = store._database
    found = {one.name for one in database.collections() if await database.count(one, {})}
    await close(store)
    return found


async def test_a_database_with_data_stays_as_it_is(mongo_place: MongoPlace, backup: io.BytesIO) -> None:
    store = await mongo_place.open()
    await World(store).user("anna")
    await close(store)
    with pytest.raises(StorageError, match=r"^database .* is not empty: restore into a new one$"):
        await begun(mongo_place)
    # As a restore leaves it that was killed before it looked whether the database is empty.
    store = await mongo_place.open()
    mark = restore_mark.RestoreMark(store._database)
    await mark.take()
    await mark.let_go()
    await close(store)
    with pytest.raises(StorageError, match="not empty"):
        await begun(mongo_place)
    store = await mongo_place.open()
    assert (await store.users.find("anna")) is not None
    await close(store)


@pytest.mark.long
async def test_nothing_changes_before_the_first_write(mongo_place: MongoPlace) -> None:
    store = await mongo_place.open()
    await close(store)
    restoration = await begun(mongo_place)
    await restoration.close()
    again = await mongo_place.open()
    assert (again.id, again.epoch) == (store.id, store.epoch)
    await close(again)


@pytest.mark.long
async def test_a_node_that_lives_keeps_its_database(mongo_place: MongoPlace) -> None:
    store = await mongo_place.open()
    nodes, said = store.nodes, list[str]()

    async def live() -> None:
        beat = 0
        while True:
            beat += 1
            await nodes.join(Lease(nodes.incarnation, "", nodes.format, "key", beat, False))
            await asyncio.sleep(LEASE_S / 4)

    living = asyncio.create_task(live())
    await asyncio.sleep(LEASE_S / 8)
    with pytest.raises(StorageError, match=r"^a server runs on database .*: stop it first$"):
        await open_restoration(mongo_place.url, lease_s=60, say=said.append)
    assert len(said) == 1
    assert "60 s" in said[0]
    living.cancel()
    restoration = await begun(mongo_place)  # it is silent
    await restoration.close()
    await close(store)


async def test_a_node_that_starts_meanwhile_ends(mongo_place: MongoPlace) -> None:
    """It opened the database before the mark was there."""
    store = await mongo_place.open()
    restoration = await begun(mongo_place)
    nodes = store.nodes
    with pytest.raises(StorageError, match=r"^a restore is filling"):
        await nodes.join(Lease(nodes.incarnation, "", nodes.format, "key", 1, False))
    assert [lease.ended for lease in await nodes.leases()] == [True]
    await restoration.close()
    await close(store)


@pytest.mark.long
async def test_a_restore_that_was_stopped_for_long_writes_nothing_more(
    mongo_place: MongoPlace, backup: io.BytesIO
) -> None:
    first = await begun(mongo_place)
    await put_some(first, backup, 5)
    await first._mark.let_go()  # as a process that is stopped
    second = await begun(mongo_place)
    first._mark._renewal = asyncio.create_task(first._mark._renew())
    await asyncio.sleep(0.2)
    with pytest.raises(StorageError, match="another restore"):
        await put_some(first, backup, 5)
    await first.close()
    backup.seek(0)
    await fill_from(backup, second)
    await second.close()
    await check_equal(mongo_place, backup)
