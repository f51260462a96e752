"""A restored database is as one that was never restored: it answers the same, and goes on the same."""

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest

from storage.backup.digests import Part, parts_of
from storage.backup.filling import fill as fill_from
from storage.backup.filling import verify
from storage.backup.making import make_backup
from storage.mongo import history
from storage.open import open_restoration, open_snapshot, open_store
from storage.ports import Store
from tests.backup.answers import answers
from tests.backup.content import fill
from tests.backup.goes_on import ANN, GoesOn
from tests.storage.conftest import MongoPlace, close
from tests.storage.world import World, at


async def backup_of(url: str) -> io.BytesIO:
    snapshot, out = await open_snapshot(url), io.BytesIO()
    try:
        await make_backup(snapshot, out, version="tests")
    finally:
        await snapshot.close()
    out.seek(0)
    return out


async def restore(backup: io.BytesIO, url: str) -> None:
    """Restores a backup; that what was written is equal to it is checked on the way."""
    backup.seek(0)
    await verify(backup)
    backup.seek(0)
    restoration = await open_restoration(url)
    try:
        await fill_from(backup, restoration)
    finally:
        await restoration.close()


async def parts(url: str) -> list[Part]:
    snapshot = await open_snapshot(url)
    try:
        return [part async for part in parts_of(snapshot)]
    finally:
        await snapshot.close()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/vestnik.db"


async def filled(url: str) -> tuple[dict[str, Any], list[Any], io.BytesIO]:
    """What a store with something of everything answers, what comes of it when it goes on, and its backup before
    that."""
    store = await open_store(url)
    await fill(store)
    before = await answers(store)
    backup = await backup_of(url)  # while the store is open
    facts = await GoesOn(store).run()
    await close(store)
    return before, facts, backup


async def check(store: Store, before: dict[str, Any], facts: list[Any]) -> None:
    after = await answers(store)
    assert after.keys() == before.keys()
    for what, answer in before.items():
        assert after[what] == answer, what
    for fact, other in zip(facts, await GoesOn(store).run(), strict=True):
        assert fact == other


async def test_a_store_goes_from_sqlite_to_mongodb_and_back(
    tmp_path: Path, mongo_place: MongoPlace, sqlite_url: str
) -> None:
    store = await open_store(sqlite_url)
    await fill(store)
    await close(store)
    before, back = await parts(sqlite_url), f"sqlite:///{tmp_path}/back.db"
    await restore(await backup_of(sqlite_url), mongo_place.url)
    assert await parts(mongo_place.url) == before
    await restore(await backup_of(mongo_place.url), back)
    assert await parts(back) == before


@pytest.mark.long
async def test_a_store_of_sqlite_goes_on_in_mongodb(mongo_place: MongoPlace, sqlite_url: str) -> None:
    before, facts, backup = await filled(sqlite_url)
    await restore(backup, mongo_place.url)
    store = await mongo_place.open()
    await check(store, before, facts)
    await close(store)


@pytest.mark.long
async def test_a_store_of_mongodb_goes_on_in_sqlite(mongo_place: MongoPlace, sqlite_url: str) -> None:
    before, facts, backup = await filled(mongo_place.url)
    await restore(backup, sqlite_url)
    store = await open_store(sqlite_url)
    await check(store, before, facts)
    await close(store)


@pytest.mark.long
async def test_a_store_of_mongodb_goes_on_in_another_database(
    mongo_place: MongoPlace, mongo_url: str
) -> None:
    before, facts, backup = await filled(mongo_place.url)
    other = MongoPlace(mongo_url)
    await restore(backup, other.url)
    store = await other.open()
    await check(store, before, facts)
    await close(store)
    await other.drop()


@pytest.mark.long
async def test_several_nodes_start_on_a_restored_database(mongo_place: MongoPlace, sqlite_url: str) -> None:
    store = await open_store(sqlite_url)
    await fill(store)
    await close(store)
    await restore(await backup_of(sqlite_url), mongo_place.url)
    stores = await asyncio.gather(*(mongo_place.open() for _ in range(3)))
    assert len({(one.id, one.epoch) for one in stores}) == 1
    assert stores[0].epoch != store.epoch
    chats = {
        summary.chat.name: summary.chat
        for summary in (await stores[0].chats.list_for(ANN, cursor=None, limit=9))[0]
    }
    team = chats["Team"]
    worlds = [World(one) for one in stores]
    sent = await asyncio.gather(
        *(world.send(team.id, ANN, f"{place}", created_at=at(500)) for place in range(8) for world in worlds)
    )
    assert sorted(message.seq for message in sent) == [team.head_seq + place for place in range(1, 25)]
    known = {message.id for message in await worlds[0].everything(team.id)} - {one.id for one in sent}
    assert len({message.id for message in sent}) == 24
    assert min(message.id for message in sent) > max(known)
    users = await asyncio.gather(*(world.user(f"new{place}") for place, world in enumerate(worlds)))
    assert min(users) > 7
    for one in stores:
        await close(one)


@pytest.mark.long
async def test_the_log_knows_messages_as_they_were_before_changes_that_follow(
    mongo_place: MongoPlace, sqlite_url: str
) -> None:
    """A replay ends at the head that a node has published, and the documents of messages may be newer."""
    store = await open_store(sqlite_url)
    await fill(store)
    await close(store)
    await restore(await backup_of(sqlite_url), mongo_place.url)
    restored = await mongo_place.open()
    chats = [summary.chat for summary in (await restored.chats.list_for(ANN, cursor=None, limit=9))[0]]
    (team,) = [chat for chat in chats if chat.name == "Team"]

    async def replays() -> list[Any]:
        database, log = restored._database, restored._writer.replicas.log
        return [
            await history.changed_between(database, log, team.id, seq, team.head_seq, 99, None)
            for seq in range(team.head_seq)
        ]

    before = await replays()
    for message in before[0]:
        if not message.deleted:
            await restored.messages.add_reaction(message.id, ANN, "🤖", at(600))
    assert await replays() == before
    await close(restored)
