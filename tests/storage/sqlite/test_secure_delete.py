"""Of a deleted message nothing is left in the file once the store is closed, and of a deleted chat neither."""

import asyncio
import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from storage.sqlite import SqliteStore, schema, schema_steps
from tests.storage.kept import clean, upload
from tests.storage.sqlite.earlier import take_back
from tests.storage.world import World, at


def bytes_beside(path: Path) -> bytes:
    """All that is in the folder of the file."""
    return b"".join(file.read_bytes() for file in path.parent.rglob("*") if file.is_file())


async def test_a_deleted_message_is_gone_from_the_file(path: Path) -> None:
    store = await SqliteStore.open(path)
    world = World(store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    kept = [await world.send(chat_id, anna, f"kept {number} " * 100) for number in range(50)]
    message = await world.send(chat_id, anna, "whisper first")
    long = await world.send(chat_id, anna, "whisper long " * 800)  # in pages of its own
    await upload(store, anna, "file", name="whisper.txt", content=b"whisper bytes")
    await upload(store, anna, "lost", name="whisper too.txt", content=b"whisper bytes")
    with_file = await world.send(chat_id, anna, "", attachments=["file"])
    await world.store.messages.edit(message.id, anna, "whisper second", at(1))
    await world.store.messages.edit(long.id, anna, "whisper other " * 800, at(1))
    await world.store.messages.edit(message.id, anna, "whisper third", at(2))
    await store.close()
    assert b"whisper first" in bytes_beside(path)

    store = await SqliteStore.open(path)
    for one in (message, long, kept[0], with_file):
        await store.messages.delete(one.id, anna, at(3))
    await clean(store)
    await store.close()
    left = bytes_beside(path)
    assert b"whisper" not in left
    assert b"kept 0 " not in left
    assert b"kept 1 " in left


async def test_versions_that_are_no_longer_kept_are_gone_from_the_file(path: Path) -> None:
    store = await SqliteStore.open(path)
    world = World(store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    message = await world.send(chat_id, anna, "first")
    for number in range(105):
        await store.messages.edit(message.id, anna, f"edit number {number:03};", at(number))
    await store.close()
    left = bytes_beside(path)
    for number in range(5):
        assert b"edit number %03d;" % number not in left
    assert b"edit number 005;" in left


async def test_a_deleted_chat_is_gone_from_the_file(path: Path) -> None:
    store = await SqliteStore.open(path)
    world = World(store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    messages = await asyncio.gather(*(world.send(chat_id, anna, f"whisper {number}") for number in range(40)))
    await store.messages.edit(messages[0].id, anna, "another whisper", at(1))
    await store.chats.delete(chat_id, anna)
    for _ in range(6):
        await store._database.write(
            lambda _writer: None
        )  # each step of the removal waits for the write before it
    await store.close()
    assert b"whisper" not in bytes_beside(path)


async def fill_and_delete(store: SqliteStore, seed: int) -> list[str]:
    """Sends and edits messages of many sizes, so that SQLite moves rows from page to page, and deletes half of them.
    Returns a word of each text that they ever had."""
    script = random.Random(seed)
    world = World(store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    said: dict[int, list[str]] = {}
    words = iter(range(100_000, 200_000))

    def content() -> str:
        return f"<{next(words)}>" + "y" * script.choice([0, 5, 20, 100, 400, 900, 1500, 3000, 5000, 9000])

    for _ in range(300):
        message = await world.send(chat_id, anna, content())
        said[message.id] = [message.content[:8]]
    for message_id in script.choices(list(said), k=300):
        edited = await store.messages.edit(message_id, anna, content(), at(1))
        said[message_id].append(edited.content[:8])
    gone = script.sample(list(said), 150)
    for message_id in gone:
        await store.messages.delete(message_id, anna, at(2))
    return [word for message_id in gone for word in said[message_id]]


@pytest.mark.parametrize("seed", [1, 3, 4])
async def test_no_copy_is_left_of_rows_that_were_moved(path: Path, seed: int) -> None:
    """With `secure_delete` alone, one or two words were left with each of these seeds."""
    store = await SqliteStore.open(path)
    words = await fill_and_delete(store, seed)
    await store.close()
    assert len(words) > 200
    left = bytes_beside(path)
    assert [word for word in words if word.encode() in left] == []
    store = await SqliteStore.open(path)
    assert (await store.counts()).messages == 150
    await store.close()


async def test_no_copy_is_left_when_the_server_that_deleted_was_killed(path: Path, tmp_path: Path) -> None:
    store = await SqliteStore.open(path)
    words = await fill_and_delete(store, 1)
    killed = tmp_path / "killed"
    killed.mkdir()
    for end in ("", "-wal"):  # what the disk has if the process dies now
        shutil.copy(f"{path}{end}", killed / f"{path.name}{end}")
    await store.close()
    store = await SqliteStore.open(killed / path.name)
    await store.close()
    left = bytes_beside(killed / path.name)
    assert [word for word in words if word.encode() in left] == []


async def test_what_an_earlier_version_deleted_is_gone_after_the_first_stop(path: Path) -> None:
    store = await SqliteStore.open(path)
    world = World(store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    messages = [await world.send(chat_id, anna, f"whisper {number} " * 50) for number in range(20)]
    await store.close()
    take_back(path, schema.MIGRATIONS.index(schema_steps.REMOVALS))
    with sqlite3.connect(path, isolation_level=None) as db:
        db.execute("PRAGMA secure_delete = OFF")  # as earlier versions had it
        db.execute("UPDATE messages SET content = '', deleted = 1, changed_seq = changed_seq + 100")
    db.close()
    assert b"whisper" in bytes_beside(path)
    store = await SqliteStore.open(path)
    await store.close()
    assert b"whisper" not in bytes_beside(path)
    store = await SqliteStore.open(path)
    tombstone = await store.messages.get(messages[0].id)
    assert tombstone is not None
    assert tombstone.deleted
    await store.close()


async def test_a_large_file_is_not_written_anew(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def free_pages(username: str) -> int:
        store = await SqliteStore.open(path)
        world = World(store)
        anna = await world.user(username)
        message = await world.send(await world.chat(anna), anna, "long " * 2000)
        await store.messages.delete(message.id, anna, at(1))
        await store.close()
        with sqlite3.connect(path) as db:
            (number,) = db.execute("PRAGMA freelist_count").fetchone()
        db.close()
        return int(number)

    monkeypatch.setattr("storage.sqlite.writer.VACUUM_BYTES_MAX", 1000)
    assert await free_pages("anna") > 0
    monkeypatch.undo()
    assert await free_pages("boris") == 0
