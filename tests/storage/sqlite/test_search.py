"""The index of words on SQLite: filled in the background, over restarts, exact under changes, and without what is
gone."""

import asyncio
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from domain.search import parse, words_text
from storage.errors import NotIndexed
from storage.ports import Store
from storage.search import SearchRequest
from storage.sqlite import SqliteStore, schema, schema_steps, search_indexer, search_segments
from tests.patience import within
from tests.storage.contract.test_search import search, settled
from tests.storage.sqlite.conftest import Gremlin
from tests.storage.sqlite.earlier import take_back
from tests.storage.world import World, at

BEFORE_SEARCH = schema.MIGRATIONS.index(schema_steps.SEARCH)
"""The schema version before there were words."""


@pytest.fixture(autouse=True)
def _small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_segments, "SEGMENT_MESSAGES", 4)
    monkeypatch.setattr(search_indexer, "_REST_TIMES", 0)


async def fill(store: Store, count: int) -> tuple[int, int]:
    """A chat with a member and messages `word 0`, `word 1` …"""
    world = World(store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    for number in range(count):
        await world.send(chat_id, anna, f"word n{number}", created_at=at(number))
    await settled(store)
    return chat_id, anna


async def indexed(store: Store, user_id: int, text: str) -> list[str]:
    """What is found once old messages are indexed."""
    async with within(10):
        while True:
            try:
                return await search(store, user_id, text, limit=100)
            except NotIndexed:
                await asyncio.sleep(0.005)


def segments(path: Path) -> list[int]:
    with sqlite3.connect(path) as db:
        return [segment for (segment,) in db.execute("SELECT segment FROM search_segments ORDER BY segment")]


def words(path: Path) -> dict[str, int]:
    """At how many places each word stands."""
    found: Counter[str] = Counter()
    with sqlite3.connect(path) as db:
        for (row,) in db.execute("SELECT words FROM search_words"):
            for line in row.strip("\n").split("\n") if row != "\n" else ():
                word, places = line.split("\t")
                assert places
                found[word] += len(places)
    return dict(found)


async def test_full_segments_are_indexed_and_the_rest_is_looked_through(path: Path) -> None:
    store = await SqliteStore.open(path)
    _, anna = await fill(store, 10)
    assert await search(store, anna, "word") == [f"word n{number}" for number in reversed(range(10))]
    assert await search(store, anna, '"n3"') == ["word n3"]
    assert await search(store, anna, '"n9"') == ["word n9"]
    await store.close()
    assert segments(path) == [0, 1]
    assert words(path)["word"] == 8


async def test_a_file_from_before_is_indexed_in_the_background_over_restarts(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = await SqliteStore.open(path)
    _, anna = await fill(store, 80)
    await store.close()
    take_back(path, BEFORE_SEARCH)
    made = 0

    def some(db: sqlite3.Connection, number: int) -> search_segments.Segment:
        """Makes five segments, and then fails until the store is opened again."""
        nonlocal made
        made += 1
        if made > 5:
            raise sqlite3.OperationalError("disk I/O error")
        return read(db, number)

    read = search_segments.read
    monkeypatch.setattr(search_segments, "read", some)
    store = await SqliteStore.open(path)
    async with within(10):
        while made <= 5:
            await asyncio.sleep(0.005)
    with pytest.raises(NotIndexed, match=r"older messages are being indexed, 25 % are done"):
        await search(store, anna, "word")
    await store.close()
    assert segments(path) == list(range(5))
    monkeypatch.setattr(search_segments, "read", read)
    monkeypatch.setattr(search_indexer, "_LOG_EVERY_S", 0.0)
    store = await SqliteStore.open(path)
    assert len(await indexed(store, anna, "word")) == 80
    await store.close()
    assert segments(path) == list(range(20))
    said = capsys.readouterr().out
    assert "messages=80" in said
    assert "messages=60" in said
    assert "done_percent=" in said
    assert "old messages are indexed for search" in said


async def test_a_small_file_from_before_can_be_searched_at_once(path: Path) -> None:
    store = await SqliteStore.open(path)
    _, anna = await fill(store, 30)
    await store.close()
    take_back(path, BEFORE_SEARCH)
    store = await SqliteStore.open(path)
    assert len(await search(store, anna, "word", limit=100)) == 30
    await store.close()


async def test_messages_that_come_while_old_ones_are_indexed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await SqliteStore.open(path)
    chat_id, anna = await fill(store, 50)
    await store.close()
    take_back(path, BEFORE_SEARCH)
    monkeypatch.setattr(search_indexer, "_PAUSE_TIMES", 10)
    store = await SqliteStore.open(path)
    world = World(store)
    for number in range(50, 60):
        await world.send(chat_id, anna, f"word n{number}", created_at=at(number))
    assert len(await indexed(store, anna, "word")) == 60
    await store.close()
    assert segments(path) == list(range(15))


async def test_segments_of_another_form_are_made_anew(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for count in (50, 20):
        file = path.with_name(f"{count}.db")
        monkeypatch.setattr(search_segments, "FORM", "0")
        store = await SqliteStore.open(file)
        _, anna = await fill(store, count)
        await store.close()
        with sqlite3.connect(file) as db:
            db.execute("UPDATE search_segments SET form = 'old' WHERE segment > 1")
            db.execute(
                "UPDATE search_words SET words = char(10) || 'old' || substr(words, 2) WHERE id >= 256"
            )
        db.close()
        store = await SqliteStore.open(file)
        assert len(await indexed(store, anna, "word")) == count
        await settled(store)
        await store.close()
        assert not [word for word in words(file) if word.startswith("old")]


async def test_an_edit_or_a_deletion_while_a_segment_is_made(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await SqliteStore.open(path)
    world = World(store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    sent = [await world.send(chat_id, anna, f"word n{number}") for number in range(3)]
    loop = asyncio.get_running_loop()
    read = search_segments.read
    changes = iter(
        (
            lambda: store.messages.edit(sent[1].id, anna, "other text", at(1)),
            lambda: store.messages.delete(sent[2].id, anna, at(1)),
        )
    )

    async def change() -> None:
        action = next(changes, None)
        if action is not None:
            await action()

    def changed_meanwhile(db: sqlite3.Connection, number: int) -> search_segments.Segment:
        segment = read(db, number)
        asyncio.run_coroutine_threadsafe(change(), loop).result(10)
        return segment

    monkeypatch.setattr(search_segments, "read", changed_meanwhile)
    for text in ("word n3", "behind"):
        await world.send(chat_id, anna, text)
    await settled(store)
    assert sorted(await search(store, anna, "word")) == ["word n0", "word n3"]
    assert await search(store, anna, "other") == ["other text"]
    await store.close()
    assert segments(path) == [0]
    assert words(path)["other"] == 1
    assert words(path)["word"] == 2


async def test_nothing_of_what_is_gone_is_left_in_the_files(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_segments, "_FORGOTTEN_AT_ONCE", 3)
    store = await SqliteStore.open(path)
    world = World(store)
    anna = await world.user()
    chat_id, other = await world.chat(anna), await world.chat(anna)
    texts = ["kept zebra", "xylophone zebra", "quagga zebra", "kept zebra"]
    sent = [await world.send(chat_id, anna, text) for text in texts]
    for number in range(4):
        await world.send(other, anna, f"okapi{number} zebra")
    await settled(store)
    assert words(path)["zebra"] == 8
    await store.messages.edit(sent[1].id, anna, "kept", at(1))
    await store.messages.delete(sent[2].id, anna, at(1))
    await store.chats.delete(other, anna)
    assert await search(store, anna, "zebra") == ["kept zebra", "kept zebra"]
    assert await search(store, anna, '"kept"') == ["kept zebra", "kept", "kept zebra"]
    async with within(10):
        while sqlite3.connect(path).execute("SELECT count(*) FROM removals").fetchone() != (0,):
            await asyncio.sleep(0.01)
    await store.close()
    left = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"zebra" in left
    assert b"quagga" not in left
    assert b"okapi" not in left
    assert words(path) == {"kept": 3, "zebra": 2, f"#{chat_id}": 3, f"@{anna}": 3}


async def test_nothing_is_left_of_words_that_fill_many_pages(path: Path) -> None:
    store = await SqliteStore.open(path)
    world = World(store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    texts = [" ".join(f"w{number}secret{word}" for word in range(100)) for number in range(10, 50)]
    sent = [await world.send(chat_id, anna, text) for text in texts]
    await settled(store)
    for message in sent[1::2]:
        await store.messages.delete(message.id, anna, at(1))
    await store.close()
    left = path.read_bytes()
    there = [f"w{number}secret".encode() in left for number in range(10, 50)]
    assert there == [True, False] * 20


async def test_while_many_are_sending_segments_wait(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_indexer, "_REST_TIMES", 10**6)
    monkeypatch.setattr(search_indexer, "_LULL_MESSAGES", -1)
    monkeypatch.setattr(search_indexer, "_WAITING_MAX", 3)
    store = await SqliteStore.open(path)
    world = World(store)
    anna = await world.user()
    chat_id = await world.chat(anna)

    async def send(count: int) -> None:
        for _ in range(count):
            await world.send(chat_id, anna, "word")

    async def made(count: int) -> None:
        async with within(10):
            while len(segments(path)) < count:
                await asyncio.sleep(0.01)

    await send(4)
    await made(1)
    await send(3 * 4)
    found, _ = await store.search.messages(anna, SearchRequest(parse("word"), 100))
    assert (len(found), segments(path)) == (16, [0])
    await send(4)
    await made(2)
    assert segments(path) == [0, 1]
    monkeypatch.setattr(search_indexer, "_LULL_MESSAGES", 100)
    await made(5)
    await store.close()


async def test_a_store_that_fails_goes_on_later(
    path: Path, gremlin: Gremlin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_indexer, "_RETRY_S", 0.01)
    gremlin.fails = lambda sql: "FROM search_segments" in sql
    store = await SqliteStore.open(path)
    await asyncio.sleep(0.05)
    gremlin.fails = lambda _sql: False
    _, anna = await fill(store, 9)
    assert len(await search(store, anna, "word")) == 9
    await store.close()
    assert segments(path) == [0, 1]


async def test_one_who_asks_before_it_is_known_what_is_missing(
    path: Path, gremlin: Gremlin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_indexer, "_LOOK_WITHIN_S", 0.05)
    gremlin.fails = lambda sql: "FROM search_segments" in sql
    store = await SqliteStore.open(path)
    with pytest.raises(NotIndexed):
        await store.search.messages(1, SearchRequest(parse("x"), 20))
    await store.close()


def test_places_are_characters_that_no_word_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_segments, "SEGMENT_MESSAGES", 1024)
    for message_id in (1, 2, 1024, 1025, 2048, 5_000_000):
        character = search_segments.character_of(message_id)
        assert words_text(f"a{character}b") == " a b "
        assert search_segments.id_at(search_segments.segment_of(message_id), character) == message_id
    assert search_segments.ids_of(search_segments.segment_of(1025)) == (1025, 2048)


@pytest.mark.parametrize("word", ["a", "ab", "я", "яя", "!link", "#1", "日本", "_", "0"])
def test_a_word_is_in_the_row_of_its_beginning(word: str) -> None:
    first, last = search_segments.rows_of(word)
    assert first == last
    for size in range(1, len(word) + 1):
        begins = search_segments.rows_of(word[:size], begins=True)
        assert 0 <= begins[0] <= first <= begins[1] < search_segments.ROWS


def test_places_come_and_go_in_a_row() -> None:
    row = search_segments.with_place("\n", "\ue000", '["a", "b"]')
    row = search_segments.with_place(row, "\ue001", '["b", "c"]')
    assert row == "\na\t\ue000\nb\t\ue000\ue001\nc\t\ue001\n"
    assert search_segments.without_places(row, "\ue001") == "\na\t\ue000\nb\t\ue000\n"
    assert search_segments.without_places(row, "\ue000\ue001") == "\n"
    assert search_segments.without_places(row, "\ue002") == row
