"""Unread counts of users who write much without reading: their own messages are skipped, run by run."""

import asyncio
import random
from pathlib import Path

import pytest

from domain.models import Draft
from storage.sqlite import SqliteStore
from tests.storage.sqlite.conftest import Gremlin
from tests.storage.sqlite.earlier import take_back
from tests.storage.world import World, at, draft


@pytest.fixture(autouse=True)
def short_look_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first query decides no count: a second one has to."""
    monkeypatch.setattr("storage.sqlite.unread.LOOK_BACK", 1)
    monkeypatch.setattr("storage.sqlite.unread.UNREAD_LIMIT", 25)


async def assert_counted(store: SqliteStore, chat_id: int, user_ids: list[int]) -> None:
    for user_id in user_ids:
        summary = await store.chats.summary(chat_id, user_id)
        alive = (
            await store.messages.history(chat_id, limit=1000, after_seq=summary.member.read_seq)
        ).messages
        others = sum(message.sender_id != user_id for message in alive)
        assert summary.unread_count == min(others, 25), (user_id, summary.member.read_seq)


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_is_sent_deleted_and_read_the_count_is_right(path: Path, seed: int) -> None:
    chance = random.Random(seed)
    store = await SqliteStore.open(path)
    world = World(store)
    users = await world.users(3)
    chat_ids = [await world.chat(*users) for _ in range(2)]
    for _ in range(12):
        drafts: list[Draft] = []
        for _ in range(chance.randrange(1, 12)):
            sender = chance.choice(users[: chance.randrange(1, 4)])
            drafts += [draft(chance.choice(chat_ids), sender)] * chance.randrange(1, 6)
        sent = await asyncio.gather(*(store.messages.append(one) for one in drafts))
        for appended in chance.sample(sent, chance.randrange(len(sent) // 2 + 1)):
            await store.messages.delete(appended.message.id, appended.message.sender_id, at(1))
        if chance.random() < 0.3:
            chat_id = chance.choice(chat_ids)
            up_to = chance.choice([one.message.id for one in sent])
            if any(one.message.id == up_to and one.message.chat_id == chat_id for one in sent):
                await store.messages.mark_read(chat_id, chance.choice(users), up_to)
        if chance.random() < 0.3:
            await store.close()
            store = await SqliteStore.open(path)
        for chat_id in chat_ids:
            await assert_counted(store, chat_id, users)
    await store.close()


async def test_a_run_goes_on_after_what_was_deleted_and_never_over_what_is_there(
    sqlite_store: SqliteStore, path: Path
) -> None:
    world = World(sqlite_store)
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    for sender in (anna, anna, boris, anna, anna):
        message = await world.send(chat_id, sender)
    by_boris = message.id - 2
    await sqlite_store.messages.delete(by_boris, boris, at(1))
    await sqlite_store.close()
    store = await SqliteStore.open(path)
    await World(store).send(chat_id, anna)
    rows = await store._database.read(
        lambda db: db.execute("SELECT seq, run_seq FROM messages ORDER BY seq").fetchall()
    )
    assert rows == [(1, 1), (2, 1), (3, 3), (4, 4), (5, 4), (7, 4)]
    await store.close()


async def test_a_commit_that_fails_leaves_no_run_behind(shaky_world: World, gremlin: Gremlin) -> None:
    world = shaky_world
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    await world.send(chat_id, boris)
    gremlin.fails = lambda sql: sql == "COMMIT"
    drafts = [draft(chat_id, boris), draft(chat_id, anna)]
    await asyncio.gather(*(world.store.messages.append(one) for one in drafts), return_exceptions=True)
    gremlin.fails = lambda _sql: False
    await world.send(chat_id, anna)
    await world.send(chat_id, anna)
    rows = await world.store._database.read(
        lambda db: db.execute("SELECT seq, run_seq FROM messages ORDER BY seq").fetchall()
    )
    assert rows == [(1, 1), (2, 2), (3, 2)]
    await assert_counted(world.store, chat_id, [anna, boris])


async def test_a_file_of_before_counts_as_it_did(path: Path) -> None:
    store = await SqliteStore.open(path)
    world = World(store)
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    for sender in (anna, anna, boris, anna, boris, boris):
        await world.send(chat_id, sender)
    await store.close()
    take_back(path, 1)
    store = await SqliteStore.open(path)
    await assert_counted(store, chat_id, [anna, boris])
    await World(store).send(chat_id, boris)
    await assert_counted(store, chat_id, [anna, boris])
    await store.close()
