import asyncio
import random

import pytest

from domain.changes import ReadMoved
from domain.models import Message, ReadMark
from domain.refusals import BadReference, NotFound
from storage.ports import UNREAD_LIMIT
from tests.storage.world import World, at


async def unread(world: World, chat_id: int, user_id: int) -> int:
    return (await world.store.chats.summary(chat_id, user_id)).unread_count


async def fill(world: World, chat_id: int, sender_id: int, number: int) -> list[Message]:
    return await asyncio.gather(*(world.send(chat_id, sender_id) for _ in range(number)))


async def test_to_the_newest(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    assert await world.store.messages.mark_read(chat_id, boris, None) == ReadMark(0, None, False, 0)
    last = (await fill(world, chat_id, anna, 3))[-1]
    assert await unread(world, chat_id, boris) == 3
    published_before = len(world.published)
    assert await world.store.messages.mark_read(chat_id, boris, None) == ReadMark(3, last.id, True, 0)
    assert await world.store.messages.mark_read(chat_id, boris, None) == ReadMark(3, last.id, False, 0)
    assert world.published[published_before:] == [ReadMoved(chat_id, boris, last.id, 3)]
    assert await unread(world, chat_id, boris) == 0
    assert await world.head(chat_id) == 3  # reading takes no number


async def test_to_a_message(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    messages = await fill(world, chat_id, anna, 5)
    mark = await world.store.messages.mark_read(chat_id, boris, messages[2].id)
    assert mark == ReadMark(3, messages[2].id, True, 2)
    assert await world.store.messages.mark_read(chat_id, boris, messages[0].id) == ReadMark(
        3, messages[2].id, False, 2
    )
    member = (await world.store.chats.summary(chat_id, boris)).member
    assert (member.read_seq, member.last_read_message_id) == (3, messages[2].id)


async def test_a_deleted_message_serves_as_a_position(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    messages = await fill(world, chat_id, anna, 4)
    await world.store.messages.delete(messages[1].id, anna, at(1))
    assert await world.store.messages.mark_read(chat_id, boris, messages[1].id) == ReadMark(
        2, messages[1].id, True, 2
    )


async def test_the_newest_message_is_deleted(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    messages = await fill(world, chat_id, anna, 3)
    await world.store.messages.mark_read(chat_id, boris, messages[2].id)
    await world.store.messages.delete(messages[2].id, anna, at(1))
    assert await world.store.messages.mark_read(chat_id, boris, None) == ReadMark(3, messages[2].id, False, 0)


async def test_what_reading_checks(world: World) -> None:
    anna, boris, stranger = await world.users(3)
    chat_id, other = await world.chat(anna, boris), await world.chat(anna)
    message = await world.send(other, anna)
    published_before = len(world.published)
    for nowhere, nobody in ((chat_id, stranger), (999, anna)):
        with pytest.raises(NotFound):
            await world.store.messages.mark_read(nowhere, nobody, None)
        with pytest.raises(NotFound):
            await world.store.messages.mark_read(nowhere, nobody, 999_999)
    for up_to in (message.id, 999_999):
        with pytest.raises(BadReference) as bad:
            await world.store.messages.mark_read(chat_id, boris, up_to)
        assert bad.value.field == "up_to"
    assert len(world.published) == published_before


async def test_nothing_else_moves_the_mark(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    await world.send(chat_id, anna)
    mine = await world.send(chat_id, boris)
    await world.store.messages.edit(mine.id, boris, "edited", at(1))
    member = (await world.store.chats.summary(chat_id, boris)).member
    assert (member.read_seq, member.last_read_message_id) == (0, None)
    assert await unread(world, chat_id, boris) == 1


async def test_the_mark_never_goes_back(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    messages = await fill(world, chat_id, anna, 100)
    targets = [messages[index] for index in random.Random(1).choices(range(100), k=400)]
    published_before = len(world.published)
    marks = await asyncio.gather(
        *(world.store.messages.mark_read(chat_id, boris, target.id) for target in targets)
    )
    highest = 0
    moves = []
    for target, mark in zip(targets, marks, strict=True):
        moved = target.seq > highest
        highest = max(highest, target.seq)
        assert mark == ReadMark(highest, messages[highest - 1].id, moved, 100 - highest)
        if moved:
            moves.append(ReadMoved(chat_id, boris, target.id, target.seq))
    assert world.published[published_before:] == moves


async def test_unread_are_messages_by_others_and_not_deleted(world: World) -> None:
    anna, boris, vera = await world.users(3)
    chat_id = await world.chat(anna, boris, vera)
    await fill(world, chat_id, boris, 4)
    by_anna = await fill(world, chat_id, anna, 5)
    await fill(world, chat_id, vera, 2)
    await world.store.messages.delete(by_anna[3].id, anna, at(1))
    assert [await unread(world, chat_id, user) for user in (anna, boris, vera)] == [6, 6, 8]
    assert (await world.store.messages.mark_read(chat_id, vera, by_anna[0].id)).unread_count == 3
    assert await unread(world, chat_id, vera) == 3


@pytest.mark.long_on_mongo
async def test_unread_stops_at_a_thousand(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    await fill(world, chat_id, anna, UNREAD_LIMIT - 1)
    assert await unread(world, chat_id, boris) == UNREAD_LIMIT - 1
    for _ in range(2):
        await world.send(chat_id, anna)
        assert await unread(world, chat_id, boris) == UNREAD_LIMIT


@pytest.mark.long_on_mongo
async def test_unread_of_a_bot_that_wrote_thousands(world: World) -> None:
    """However many the user wrote, the messages by others below those count."""
    others = await world.users(3)
    bot = await world.user(is_bot=True)
    more = await world.users(3)
    chat_id = await world.chat(bot, *others, *more)
    first = await fill(world, chat_id, others[0], 7)
    await fill(world, chat_id, bot, 2500)
    assert await unread(world, chat_id, bot) == 7
    for sender_id, number in zip((*others, *more), (1, 2, 3, 4, 5, 0), strict=True):
        await fill(world, chat_id, sender_id, number)
    assert await unread(world, chat_id, bot) == 22
    assert (await world.store.messages.mark_read(chat_id, bot, first[-1].id)).unread_count == 15
    await fill(world, chat_id, more[2], 700)
    assert await unread(world, chat_id, bot) == 715
    last = (await fill(world, chat_id, others[1], 600))[-1]
    assert await unread(world, chat_id, bot) == UNREAD_LIMIT
    assert (await world.store.messages.mark_read(chat_id, bot, None)) == ReadMark(last.seq, last.id, True, 0)
