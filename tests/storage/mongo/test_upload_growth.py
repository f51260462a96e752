"""What is noted of uploads does not grow for ever, and nothing becomes less exact by that."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.refusals import BadReference
from storage.errors import Unavailable
from storage.mongo import MongoStore, files, quotas
from storage.times import to_micros
from tests.storage.conftest import MongoPlace
from tests.storage.kept import HOUR, all_ids, clean, queue, read, traces, upload
from tests.storage.mongo.nodes import Node
from tests.storage.mongo.test_uploads import claimed_by_a_dead_node
from tests.storage.world import World, at


async def numbers(node: Node, user_id: int) -> list[int]:
    """Which entries of the quota of a user there are."""
    database = node.store._database
    found = await database.find(database.quotas, {"user_id": user_id}, sort=[("n", 1)])
    return [entry["n"] for entry in found]


def age(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on, entries are old as soon as they are there, and what nodes know of them is."""
    monkeypatch.setattr(quotas, "_KEPT_S", 0.0)
    monkeypatch.setattr(quotas, "_TRUSTED_S", 0.0)


async def claims(store: MongoStore) -> int:
    return await store._database.count(store._database.claims, {})


async def test_claims_go_with_the_files(mongo_store: MongoStore) -> None:
    world = World(mongo_store)
    anna = await world.user()
    chat_id, other_id = await world.chat(anna), await world.chat(anna)
    for upload_id in ("one", "two", "kept", "waiting"):
        await upload(mongo_store, anna, upload_id)
    sent = await world.send(chat_id, anna, attachments=["one"])
    await world.send(other_id, anna, attachments=["two"])
    await world.send(chat_id, anna, attachments=["kept"])
    await mongo_store.messages.delete(sent.id, anna, at(1))
    await mongo_store.chats.delete(other_id, anna)
    await mongo_store.uploads.discard(["waiting"])
    await clean(mongo_store)
    assert await claims(mongo_store) == 1


async def test_an_upload_that_ends_before_it_is_claimed_is_not_attached(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim by which it ended is gone by then."""
    anna = await here.user()
    chat_id = await here.chat(anna)
    await upload(here.store, anna, "one")
    collection = here.store._database.claims
    original = collection.insert_one

    async def insert_one(document: dict[str, Any]) -> Any:
        if await there.store.uploads.get("one") is not None:
            await there.store.uploads.discard(["one"])
            await clean(there.store)
            assert await claims(there.store) == 0
        return await original(document)

    with monkeypatch.context() as patched:
        patched.setattr(collection, "insert_one", insert_one)
        with pytest.raises(BadReference):
            await here.send(chat_id, anna, attachments=["one"], client_id="x")
    assert await here.everything(chat_id) == []
    assert await claims(here.store) == 0


async def test_old_entries_of_the_quota_go(here: Node, there: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = await here.user()

    async def some(node: Node, name: str) -> None:
        for number in range(12):
            upload_id = f"{name}{number}"
            await upload(node.store, anna, upload_id, content=b"x" * 10, quota_bytes=1000)
            if number % 6:
                await node.store.uploads.discard([upload_id])

    await asyncio.gather(some(here, "a"), some(there, "b"))
    before = await numbers(here, anna)
    assert before == list(range(1, 45))
    age(monkeypatch)
    await asyncio.gather(some(here, "c"), some(there, "d"))
    after = await numbers(here, anna)
    assert after == list(range(after[0], 89))
    assert after[0] > 60
    for node in (here, there):
        assert await node.store.uploads.used_bytes(anna) == 80
    for upload_id in ("a0", "a6", "b0", "b6", "c0", "c6", "d0", "d6"):
        await here.store.uploads.discard([upload_id])
    await clean(there.store)
    assert await there.store.uploads.used_bytes(anna) == 0
    assert await here.store.uploads.used_bytes(anna) == 0


@pytest.mark.long
async def test_entries_that_somebody_may_ask_for_stay(here: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node died before it noted that the first upload is counted, and another one while the second ended."""
    anna = await here.user()
    database = here.store._database
    age(monkeypatch)
    await upload(here.store, anna, "counted")
    await upload(here.store, anna, "first")
    await upload(here.store, anna, "second")
    await database.uploads.update_one({"_id": "first"}, {"$set": {"counted": False}})
    with monkeypatch.context() as patched:
        patched.setattr(database.uploads, "delete_one", _dies)
        with pytest.raises(Unavailable):
            await here.store.uploads.discard(["second"])

    async def more(name: str) -> None:
        for number in range(40):
            await upload(here.store, anna, f"{name}{number}", content=b"x")

    await more("a")
    assert (await numbers(here, anna))[0] == 2
    await clean(here.store)
    assert await here.store.uploads.used_bytes(anna) == 0
    await more("b")
    assert (await numbers(here, anna))[0] > 60
    await here.store.uploads.discard(["b0"])
    assert await here.store.uploads.used_bytes(anna) == 39


async def _dies(*_args: Any) -> Any:
    raise Unavailable("dead")


async def test_what_a_node_knew_long_ago_is_not_trusted(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The numbers behind it are free again."""
    anna = await here.user()
    await upload(there.store, anna, "first")
    age(monkeypatch)
    for number in range(40):
        await upload(here.store, anna, f"file{number}")
    assert (await numbers(here, anna))[0] > 2
    await upload(there.store, anna, "last")
    assert await here.store.uploads.used_bytes(anna) == 42 * 5
    assert await there.store.uploads.used_bytes(anna) == 42 * 5


async def test_an_upload_that_expires_while_it_is_added(
    here: Node, there: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not count for ever."""
    anna = await here.user()
    adding = here.store.uploads._quotas
    original = adding.add

    async def add(*args: Any) -> None:
        assert await there.store.uploads.expire(at(10_000), 10) == 1
        await original(*args)

    monkeypatch.setattr(adding, "add", add)
    with pytest.raises(Unavailable):
        await upload(here.store, anna, "one")
    await clean(here.store)
    assert await here.store.uploads.used_bytes(anna) == 0
    assert await traces(here.store) == 0


async def test_a_young_claim_counts_however_soon_uploads_expire(
    here: Node, mongo_place: MongoPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    await claimed_by_a_dead_node(here, mongo_place, monkeypatch, client_id="x", created_at=now)
    assert await here.store.uploads.expire(now + HOUR, 10) == 0
    assert await queue(here.store) == set()


async def test_a_writing_may_take_hours(mongo_store: MongoStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_ALIVE_S", 0.0)
    database, piece = mongo_store._database, b"x" * files.PIECE_BYTES
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    writing = await mongo_store.files.begin()
    for _ in range(3):
        await writing.write(piece)
        assert await all_ids(mongo_store.files, older_than=hour_ago) == []
        long_ago = to_micros(hour_ago - timedelta(seconds=1))
        await database.file_writings.update_many({}, {"$set": {"begun_at": long_ago}})
    await writing.write(piece)
    assert await all_ids(mongo_store.files, older_than=hour_ago) == []
    await writing.keep("file")
    assert await read(mongo_store.files, "file") == piece * 4
    abandoned = await mongo_store.files.begin()
    await abandoned.write(piece)
    await all_ids(mongo_store.files)
    with pytest.raises(Unavailable):
        await abandoned.write(piece)
    await abandoned.drop()
    await all_ids(mongo_store.files)
    await mongo_store.files.delete(["file"])
    assert await traces(mongo_store) == 0
