"""Of a deleted message nothing is left in the file once the store is closed, and of a deleted chat neither."""

import asyncio
from pathlib import Path

from storage.sqlite import SqliteStore
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
    message = await world.send(chat_id, anna, "secret first")
    long = await world.send(chat_id, anna, "secret long " * 800)  # in pages of its own
    await world.store.messages.edit(message.id, anna, "secret second", at(1))
    await world.store.messages.edit(long.id, anna, "secret other " * 800, at(1))
    await world.store.messages.edit(message.id, anna, "secret third", at(2))
    await store.close()
    assert b"secret first" in bytes_beside(path)

    store = await SqliteStore.open(path)
    for one in (message, long, kept[0]):
        await store.messages.delete(one.id, anna, at(3))
    await store.close()
    left = bytes_beside(path)
    assert b"secret" not in left
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
    messages = await asyncio.gather(*(world.send(chat_id, anna, f"secret {number}") for number in range(40)))
    await store.messages.edit(messages[0].id, anna, "another secret", at(1))
    await store.chats.delete(chat_id, anna)
    for _ in range(6):
        await store._database.write(
            lambda _writer: None
        )  # each step of the removal waits for the write before it
    await store.close()
    assert b"secret" not in bytes_beside(path)
