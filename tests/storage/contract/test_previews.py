import asyncio

import pytest

from domain.models import ChatPreview
from storage.ports import UNREAD_LIMIT
from tests.storage.world import START, World, at

pytestmark = pytest.mark.long_on_mongo


async def test_a_glance_is_what_the_summaries_say(world: World) -> None:
    anna, boris, vera, stranger = await world.users(4)
    chat_id = await world.chat(anna, boris, vera)
    messages = [await world.send(chat_id, sender) for sender in (anna, boris, anna, vera, anna)]
    await world.store.messages.mark_read(chat_id, boris, messages[2].id)
    await world.store.messages.delete(messages[0].id, anna, at(1))
    preview = await world.store.chats.preview(chat_id, [anna, boris, vera, stranger, 999])
    marks = {anna: 0, boris: 3, vera: 0}
    assert preview == ChatPreview(6, messages[4], {anna: 2, boris: 2, vera: 3}, marks)
    for user_id, unread in preview.unread_counts.items():
        summary = await world.store.chats.summary(chat_id, user_id)
        assert (summary.unread_count, summary.last_message, summary.chat.head_seq) == (
            unread,
            preview.last_message,
            preview.head_seq,
        )


async def test_a_glance_at_nothing(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    assert await world.store.chats.preview(chat_id, [anna]) == ChatPreview(0, None, {anna: 0}, {anna: 0})
    assert await world.store.chats.preview(chat_id, []) == ChatPreview(0, None, {}, {})
    assert await world.store.chats.preview(999, [anna]) is None
    await world.store.chats.remove_member(chat_id, anna, boris, START)
    assert await world.store.chats.preview(chat_id, [anna, boris]) == ChatPreview(
        0, None, {anna: 0}, {anna: 0}
    )
    await world.store.chats.delete(chat_id, anna)
    assert await world.store.chats.preview(chat_id, [anna]) is None


@pytest.mark.long_on_mongo
async def test_a_glance_at_thousands(world: World) -> None:
    """Also of one who wrote nearly all of them: the newest do not tell how much of others is behind."""
    bot, anna, boris = await world.users(3)
    chat_id = await world.chat(bot, anna, boris)
    await asyncio.gather(*(world.send(chat_id, anna) for _ in range(7)))
    sent = await asyncio.gather(*(world.send(chat_id, bot) for _ in range(2100)))
    await world.store.messages.mark_read(chat_id, boris, sent[-4].id)
    preview = await world.store.chats.preview(chat_id, [bot, anna, boris])
    marks = {bot: 0, anna: 0, boris: sent[-4].seq}
    assert preview == ChatPreview(2107, sent[-1], {bot: 7, anna: UNREAD_LIMIT, boris: 3}, marks)


async def test_a_preview_during_writes_is_not_ahead_of_what_was_published(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    writes = asyncio.gather(*(world.send(chat_id, anna) for _ in range(300)))
    while not writes.done():
        preview = await world.store.chats.preview(chat_id, [boris])
        assert preview is not None
        published = world.message_changes(chat_id)
        assert preview.head_seq <= (published[-1].seq if published else 0)
    await writes


async def test_the_chats_of_a_user(world: World) -> None:
    anna, boris = await world.users(2)
    assert await world.store.chats.ids_of(anna) == []
    chat_ids = [await world.chat(anna, boris) for _ in range(3)]
    await world.chat(boris)
    assert sorted(await world.store.chats.ids_of(anna)) == chat_ids
    await world.store.chats.remove_member(chat_ids[1], anna, anna, START)
    assert sorted(await world.store.chats.ids_of(anna)) == [chat_ids[0], chat_ids[2]]
