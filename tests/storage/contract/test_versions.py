"""What messages said before their edits."""

import asyncio

import pytest

from domain.models import Version
from storage.ports import VERSIONS_MAX
from tests.storage.world import World, at

pytestmark = pytest.mark.long_on_mongo


async def test_a_message_that_was_not_edited_has_one_version(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    message = await world.send(chat_id, anna, "hello")
    assert await world.store.messages.versions(message.id) == [Version("hello", None)]


async def test_each_edit_keeps_what_was_said_before(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    message, other = await world.send(chat_id, anna, "one"), await world.send(chat_id, anna, "other")
    await world.store.messages.edit(message.id, anna, "two", at(1))
    await world.store.messages.edit(message.id, anna, "two", at(2))  # changes nothing
    await world.store.messages.edit(other.id, anna, "another", at(3))
    await world.store.messages.edit(message.id, anna, "one", at(4))
    assert await world.store.messages.versions(message.id) == [
        Version("one", None),
        Version("two", at(1)),
        Version("one", at(4)),
    ]
    assert await world.store.messages.versions(other.id) == [
        Version("other", None),
        Version("another", at(3)),
    ]


async def test_edits_in_one_batch_are_all_kept(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    message = await world.send(chat_id, anna, "0")
    await asyncio.gather(
        *(world.store.messages.edit(message.id, anna, str(number), at(number)) for number in range(1, 9))
    )
    assert await world.store.messages.versions(message.id) == [
        Version(str(number), at(number) if number else None) for number in range(9)
    ]


@pytest.mark.long_on_mongo
async def test_the_first_version_and_the_newest_are_kept(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    message = await world.send(chat_id, anna, "0")
    for last in (VERSIONS_MAX - 1, VERSIONS_MAX, VERSIONS_MAX + 1, VERSIONS_MAX + 5):
        found = await world.store.messages.versions(message.id)
        assert found is not None
        written = len(found)
        for number in range(int(found[-1].content) + 1, last + 1):
            await world.store.messages.edit(message.id, anna, str(number), at(number))
        found = await world.store.messages.versions(message.id)
        assert found is not None
        newest = range(max(1, last - VERSIONS_MAX + 1), last + 1)
        assert [int(one.content) for one in found] == [0, *newest]
        assert [one.edited_at for one in found] == [None, *map(at, newest)]
        assert len(found) >= written


async def test_nothing_is_left_of_a_deleted_message(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    message, other = await world.send(chat_id, anna, "one"), await world.send(chat_id, anna, "other")
    for one in (message, other):
        await world.store.messages.edit(one.id, anna, "edited", at(1))
    await world.store.messages.delete(message.id, anna, at(2))
    assert await world.store.messages.versions(message.id) is None
    assert await world.store.messages.versions(other.id) == [Version("other", None), Version("edited", at(1))]


async def test_no_message_has_no_versions(world: World) -> None:
    anna = await world.user()
    assert await world.store.messages.versions(99) is None
    chat_id = await world.chat(anna)
    message = await world.send(chat_id, anna)
    await world.store.messages.edit(message.id, anna, "edited", at(1))
    await world.store.chats.delete(chat_id, anna)
    assert await world.store.messages.versions(message.id) is None


async def test_versions_read_during_a_deletion_are_whole_or_none(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    for _ in range(5):
        message = await world.send(chat_id, anna, "one")
        await world.store.messages.edit(message.id, anna, "two", at(1))
        deletion = asyncio.ensure_future(world.store.messages.delete(message.id, anna, at(2)))
        while not deletion.done():
            found = await world.store.messages.versions(message.id)
            assert found in (None, [Version("one", None), Version("two", at(1))])
        await deletion
        assert await world.store.messages.versions(message.id) is None
