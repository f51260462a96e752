"""When writing fails, and what readers see while a commit is on its way."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from domain.changes import MessageEdited
from domain.models import Appended
from domain.refusals import Forbidden, NotFound
from storage.errors import Unavailable
from storage.results import _RESULTS
from storage.sqlite import SqliteStore
from storage.sqlite.writer import Writer
from tests.patience import within
from tests.storage.sqlite.conftest import Gremlin
from tests.storage.world import START, World, at, draft


async def test_a_failing_commit_fails_everybody_and_makes_no_hole(
    shaky_world: World, gremlin: Gremlin
) -> None:
    world = shaky_world
    anna, boris = await world.users(2)
    chats = [await world.chat(anna, boris) for _ in range(2)]
    for chat_id in chats:
        await world.send(chat_id, anna)
    gremlin.fails = lambda sql: sql == "COMMIT"
    results = await asyncio.gather(
        *(
            world.store.messages.append(draft(chat_id, anna, client_id=f"{n}"))
            for n in range(50)
            for chat_id in chats[:1]
        ),
        world.store.messages.append(draft(chats[1], anna)),
        world.store.chats.remove_member(chats[0], anna, boris, START),
        world.store.chats.change(chats[0], anna, START, name="New"),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [Unavailable] * 53
    assert [await world.head(chat_id) for chat_id in chats] == [1, 1]
    gremlin.fails = lambda _sql: False
    assert not (await world.store.messages.append(draft(chats[0], boris, client_id="1"))).duplicate
    assert (await world.send(chats[0], anna, client_id="1")).seq == 3
    assert (await world.send(chats[1], anna)).seq == 2
    for chat_id in chats:
        await world.check_published(chat_id)
    state = await world.store.chats.load(chats[0])
    assert state is not None
    assert (state.chat.name, state.chat.member_count) == ("Lobby", 2)


async def test_a_failing_begin_fails_everybody_once(shaky_world: World, gremlin: Gremlin) -> None:
    world = shaky_world
    anna = await world.user()
    chat_id = await world.chat(anna)
    begun = []

    def fails(sql: str) -> bool:
        begun.append(sql)
        return sql == "BEGIN IMMEDIATE"

    gremlin.fails = fails
    sends = [world.store.messages.append(draft(chat_id, anna)) for _ in range(30)]
    results = await asyncio.gather(*sends, return_exceptions=True)
    assert [type(result) for result in results] == [Unavailable] * 30
    assert begun == ["BEGIN IMMEDIATE"]


async def test_a_failing_item_fails_alone(sqlite_world: World) -> None:
    """An unpaired surrogate cannot be stored; schemas refuse it, but if one came through, its neighbours live."""
    world = sqlite_world
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris, chat_type="channel")
    append = world.store.messages.append
    futures = []
    for number in range(40):
        futures.append(append(draft(chat_id, anna, str(number), client_id=str(number))))
    futures[20:20] = [append(draft(chat_id, anna, "\ud800"))]
    futures.append(append(draft(chat_id, boris)))
    results = await asyncio.gather(
        *futures, world.store.chats.change(chat_id, anna, START, name="New"), return_exceptions=True
    )
    assert isinstance(results[20], UnicodeEncodeError)
    assert isinstance(results[41], Forbidden)
    assert results[42].name == "New"
    good = results[:20] + results[21:41]
    assert [result.message.seq for result in good] == list(range(1, 41))
    assert not any(result.duplicate for result in good)
    await world.check_published(chat_id)
    state = await world.store.chats.load(chat_id)
    assert state is not None
    assert state.chat.head_seq == 40 == results[42].head_seq


async def test_a_bug_after_writing_undoes_its_item(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = sqlite_world
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    message = await world.send(chat_id, anna, "old")
    monkeypatch.setitem(_RESULTS, MessageEdited, None)  # fails when the edit is written
    results = await asyncio.gather(
        world.store.messages.append(draft(chat_id, anna)),
        world.store.messages.edit(message.id, anna, "new", at(1)),
        world.store.messages.append(draft(chat_id, anna)),
        world.store.messages.mark_read(chat_id, boris, None),
        return_exceptions=True,
    )
    assert isinstance(results[1], TypeError)
    assert [results[0].message.seq, results[2].message.seq, results[3].read_seq] == [2, 3, 3]
    await world.check_published(chat_id)
    assert await world.store.messages.get(message.id) == message


async def test_a_failing_statement_is_unavailable_for_its_item(shaky_world: World, gremlin: Gremlin) -> None:
    world = shaky_world
    anna = await world.user()
    chat_id = await world.chat(anna)
    gremlin.fails = lambda sql: sql.startswith("UPDATE users")
    results = await asyncio.gather(
        world.store.messages.append(draft(chat_id, anna)),
        world.store.users.rename(anna, "New"),
        world.store.messages.append(draft(chat_id, anna)),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [Appended, Unavailable, Appended]
    await world.check_published(chat_id)


async def test_if_nothing_can_be_begun_the_rest_of_a_split_batch_is_not_tried(
    shaky_world: World, gremlin: Gremlin
) -> None:
    world = shaky_world
    anna = await world.user()
    chat_id = await world.chat(anna)
    begun = []

    def fails(sql: str) -> bool:
        begun.extend([sql] if sql == "BEGIN IMMEDIATE" else [])
        return len(begun) > 3 or sql.startswith("UPDATE users")

    gremlin.fails = fails
    edits = [world.store.users.rename(anna, "New") for _ in range(20)]
    results = await asyncio.gather(world.send(chat_id, anna), *edits, return_exceptions=True)
    assert [type(result).__name__ for result in results] == ["Message"] + ["Unavailable"] * 20
    assert len(begun) == 4


async def test_a_full_disk(path: Path) -> None:
    store = await SqliteStore.open(path)
    world = World(store)
    anna = await world.user()
    chat_id = await world.chat(anna)

    def limit(pages: int) -> None:
        store._database._writer.db.execute(f"PRAGMA max_page_count = {pages}")

    await store._database.write(lambda _writer: limit(60))
    sends = [store.messages.append(draft(chat_id, anna, "x" * 3000)) for _ in range(100)]
    results = await asyncio.gather(*sends, return_exceptions=True)
    kept = [result for result in results if isinstance(result, Appended)]
    assert 0 < len(kept) < 100
    assert {type(result) for result in results} == {Appended, Unavailable}
    assert [result.message.seq for result in kept] == list(range(1, len(kept) + 1))
    await store._database.write(lambda _writer: limit(100_000))
    await world.send(chat_id, anna)
    await world.check_published(chat_id)
    await store.close()


async def test_what_is_committed_but_unpublished_is_not_in_a_head(
    shaky_world: World, gremlin: Gremlin
) -> None:
    world = shaky_world
    anna = await world.user()
    chat_id, other = await world.chat(anna), await world.chat(anna)
    await world.send(chat_id, anna)
    gremlin.committed.clear()
    gremlin.go_on.clear()
    sends = [world.store.messages.append(draft(chat_id, anna)) for _ in range(3)]
    assert await asyncio.to_thread(gremlin.committed.wait, 10)
    assert len(await world.everything(chat_id)) == 4  # readers see the commit
    assert await world.head(chat_id) == 1
    assert (await world.store.chats.summary(chat_id, anna)).chat.head_seq == 1
    summaries, _ = await world.store.chats.list_for(anna, cursor=None, limit=10)
    assert {summary.chat.id: summary.chat.head_seq for summary in summaries} == {chat_id: 1, other: 0}
    assert world.store.published_head(chat_id, 4) == 1
    assert world.store.published_head(chat_id, 0) == 0
    assert world.store.published_head(other, 7) == 7
    heads: list[int] = []
    world.store.subscribe(lambda _changes: heads.append(world.store.published_head(chat_id, 4)))
    gremlin.go_on.set()
    await asyncio.gather(*sends)
    assert heads == [4]
    assert await world.head(chat_id) == 4


async def test_a_reader_that_fails_is_unavailable(
    shaky_world: World, gremlin: Gremlin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.health.PROOF_S", -1)
    monkeypatch.setattr("storage.health.PAUSE_S", 0.01)
    gremlin.fails = lambda sql: sql.startswith("SELECT")
    with pytest.raises(Unavailable):
        await shaky_world.store.ping()
    gremlin.fails = lambda _sql: False
    async with within(10):
        while shaky_world.store.health.failing:
            await asyncio.sleep(0.01)
    await shaky_world.store.ping()


async def test_readers_cannot_write(sqlite_store: SqliteStore) -> None:
    with pytest.raises(Unavailable, match="readonly"):
        await sqlite_store._database.read(lambda db: db.execute("DELETE FROM users"))


async def behind(store: SqliteStore) -> None:
    """Returns when what was asked for before is written."""
    await store._database.write(lambda _writer: None)


async def test_a_deleted_chat_is_removed_in_steps(sqlite_world: World, path: Path) -> None:
    world = sqlite_world
    anna = await world.user()
    chat_id, other = await world.chat(anna), await world.chat(anna)
    message = (await asyncio.gather(*(world.send(chat_id, anna) for _ in range(1700))))[0]
    await world.store.messages.edit(message.id, anna, "edited", at(1))
    await world.send(other, anna)
    await world.store.chats.delete(chat_id, anna)

    def left() -> list[int]:
        with sqlite3.connect(path) as db:
            counts = [
                db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                for table in ("messages", "versions", "removals", "chats", "members")
            ]
        db.close()
        return counts

    assert left()[0] > 1
    for _ in range(10):  # each step takes its place behind the write before it
        await behind(world.store)
    assert left() == [1, 0, 0, 1, 1]


async def test_a_deletion_in_the_batch_of_the_last_step_is_not_forgotten(sqlite_world: World) -> None:
    world = sqlite_world
    database = world.store._database
    anna = await world.user()
    for turns in range(25):
        chats = [await world.chat(anna) for _ in range(2)]
        for chat_id in chats:
            await world.send(chat_id, anna)
        await world.store.chats.delete(chats[0], anna)
        for _ in range(turns):
            await asyncio.sleep(0)
        await world.store.chats.delete(chats[1], anna)
        for _ in range(4):
            await behind(world.store)
        assert await database.read(lambda db: db.execute("SELECT * FROM removals").fetchall()) == []


async def test_a_removal_goes_on_when_the_file_is_opened_again(path: Path) -> None:
    store = await SqliteStore.open(path)
    world = World(store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    await asyncio.gather(*(world.send(chat_id, anna) for _ in range(1700)))
    deletion = asyncio.ensure_future(store.chats.delete(chat_id, anna))
    await asyncio.sleep(0)
    await store.close()
    await deletion
    store = await SqliteStore.open(path)
    assert await store._database.read(lambda db: db.execute("SELECT count(*) FROM messages").fetchone()) > (
        0,
    )
    for _ in range(12):
        await behind(store)
    assert await store._database.read(lambda db: db.execute("SELECT count(*) FROM messages").fetchone()) == (
        0,
    )
    with pytest.raises(NotFound):
        await World(store).send(chat_id, anna)
    await store.close()


async def test_contents_before_edits_are_kept_until_the_deletion(sqlite_world: World) -> None:
    world = sqlite_world
    anna = await world.user()
    chat_id = await world.chat(anna)
    message = await world.send(chat_id, anna, "one")
    for number, content in enumerate(("two", "three"), start=1):
        await world.store.messages.edit(message.id, anna, content, at(number))
    database = world.store._database
    versions = "SELECT content, edited_at IS NULL FROM versions WHERE message_id = ? ORDER BY rowid"
    assert await database.read(lambda db: db.execute(versions, (message.id,)).fetchall()) == [
        ("one", 1),
        ("two", 0),
    ]
    await world.store.messages.delete(message.id, anna, at(3))
    assert await database.read(lambda db: db.execute(versions, (message.id,)).fetchall()) == []


async def test_a_client_id_that_was_not_looked_up_is_an_error_and_no_new_one(sqlite_world: World) -> None:
    anna = await sqlite_world.user()
    chat_id = await sqlite_world.chat(anna)
    message = await sqlite_world.send(chat_id, anna, client_id="used")

    def action(writer: Writer) -> None:
        view = writer.messages
        view.find_first_uses([(anna, "used"), (anna, "new")])
        assert view.first_use(anna, "used") == message
        assert view.first_use(anna, "new") is None
        with pytest.raises(AssertionError, match="'other' was not looked up"):
            view.first_use(anna, "other")

    await sqlite_world.store._database.write(action)
