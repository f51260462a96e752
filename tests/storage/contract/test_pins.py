"""Pins: their order, their number, and what becomes of them."""

import asyncio
from dataclasses import replace

import pytest

from domain.decisions import pins
from domain.models import Message
from domain.pins import MessagePinned, MessageUnpinned
from domain.refusals import Forbidden, NotFound, TooMany
from storage.sizes import message_bytes
from tests.storage.conftest import Place
from tests.storage.world import START, World, at


async def pin(world: World, message_id: int, user_id: int) -> Message:
    return await world.store.messages.pin(message_id, user_id, at(5))


async def unpin(world: World, message_id: int, user_id: int) -> Message:
    return await world.store.messages.unpin(message_id, user_id, at(5))


async def pinned(world: World, chat_id: int) -> list[int]:
    messages, more = await world.store.messages.pins(chat_id, limit=pins.PINS_MAX)
    assert not more
    assert [*messages] == [await world.store.messages.get(message.id) for message in messages]
    return [message.id for message in messages]


async def test_each_is_a_change_of_the_message(place: Place) -> None:
    store = await place.open()
    world = World(store)
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    message, other = await world.send(chat_id, boris), await world.send(chat_id, boris)
    first = replace(message, pinned_seq=3, changed_seq=3)
    assert await pin(world, message.id, anna) == first
    assert world.published[-1] == MessagePinned(first, anna, at(5))
    assert await pin(world, message.id, anna) == first
    second = replace(other, pinned_seq=4, changed_seq=4)
    assert await pin(world, other.id, anna) == second
    assert await pinned(world, chat_id) == [other.id, message.id]
    assert await world.everything(chat_id) == [first, second]
    third = replace(message, changed_seq=5)
    assert await unpin(world, message.id, anna) == third
    assert world.published[-1] == MessageUnpinned(third, anna, at(5))
    assert await unpin(world, message.id, anna) == third
    await world.check_published(chat_id)
    await store.close()
    store = await place.open()
    world = World(store)
    assert await pinned(world, chat_id) == [other.id]
    assert await world.everything(chat_id) == [second, third]
    await pin(world, message.id, anna)
    assert await pinned(world, chat_id) == [message.id, other.id]
    await store.close()


async def test_other_changes_leave_the_order(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    one, two, three = [await world.send(chat_id, anna) for _ in range(3)]
    for message in (two, one, three):
        await pin(world, message.id, anna)
    await world.store.messages.edit(two.id, anna, "new", at(6))
    await world.store.messages.add_reaction(two.id, anna, "👍", at(6))
    assert await pinned(world, chat_id) == [three.id, one.id, two.id]
    await world.store.messages.delete(one.id, anna, at(7))
    assert await pinned(world, chat_id) == [three.id, two.id]
    for refused in (pin(world, one.id, anna), unpin(world, one.id, anna)):
        with pytest.raises(NotFound):
            await refused
    await world.check_published(chat_id)


async def test_who_may_not(world: World) -> None:
    anna, boris, eve = await world.users(3)
    chat_id = await world.chat(anna, boris)
    message = await world.send(chat_id, boris)
    for refused in (pin(world, message.id, boris), unpin(world, message.id, boris)):
        with pytest.raises(Forbidden):
            await refused
    for refused in (pin(world, message.id, eve), pin(world, 999_999, anna)):
        with pytest.raises(NotFound):
            await refused
    await world.store.chats.set_role(chat_id, anna, boris, "admin", START)
    await pin(world, message.id, boris)
    both = await world.chat(anna, boris, chat_type="private")
    private = await world.send(both, anna)
    await pin(world, private.id, boris)
    assert (await pinned(world, both), await pinned(world, chat_id)) == ([private.id], [message.id])


async def test_a_page_is_bounded_and_the_next_one_goes_on(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    sent = [await pin(world, (await world.send(chat_id, anna)).id, anna) for _ in range(5)]
    newest = [message.id for message in reversed(sent)]
    page, more = await world.store.messages.pins(chat_id, limit=2)
    assert ([one.id for one in page], more) == (newest[:2], True)
    page, more = await world.store.messages.pins(chat_id, before_seq=page[-1].pinned_seq, limit=3)
    assert ([one.id for one in page], more) == (newest[2:], False)
    two = 2 * message_bytes(page[0])
    page, more = await world.store.messages.pins(chat_id, limit=5, max_bytes=two)
    assert ([one.id for one in page], more) == (newest[:2], True)
    page, more = await world.store.messages.pins(chat_id, limit=5, max_bytes=1)
    assert ([one.id for one in page], more) == (newest[:1], True)


async def test_a_chat_has_fifty_whatever_comes_at_once(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    messages = await asyncio.gather(*(world.send(chat_id, boris) for _ in range(pins.PINS_MAX + 7)))
    outcomes = await asyncio.gather(
        *(pin(world, message.id, anna) for message in messages), return_exceptions=True
    )
    assert sum(isinstance(outcome, TooMany) for outcome in outcomes) == 7
    kept = [outcome.id for outcome in outcomes if isinstance(outcome, Message)]
    assert len(kept) == pins.PINS_MAX
    assert await pinned(world, chat_id) == kept[::-1]
    # In one batch: two places become free, one of them by a deletion, and three are wanted.
    left = [message.id for message in messages if message.id not in kept]
    deletion = world.store.messages.delete(kept[0], boris, at(6))
    outcomes = await asyncio.gather(
        unpin(world, kept[1], anna),
        *(pin(world, message_id, anna) for message_id in left[:3]),
        return_exceptions=True,
    )
    await deletion
    assert [type(outcome) for outcome in outcomes] == [Message, Message, Message, TooMany]
    assert await pinned(world, chat_id) == [left[1], left[0], *kept[:1:-1]]
    await world.check_published(chat_id)


async def test_the_audit_tells_of_pins(world: World) -> None:
    anna, boris = await world.users(2)
    chat_id = await world.chat(anna, boris)
    message = await world.send(chat_id, boris)
    await pin(world, message.id, anna)
    await pin(world, message.id, anna)
    await unpin(world, message.id, anna)
    await pin(world, message.id, anna)
    await world.store.messages.delete(message.id, boris, at(9))
    entries, _ = await world.store.audit.page(chat_id, cursor=None, limit=9)
    assert [
        (entry.action, entry.actor_id, entry.user_id, entry.message_id, entry.at) for entry in entries
    ] == [
        (action, anna, boris, message.id, at(5))
        for action in ("message_pinned", "message_unpinned", "message_pinned")
    ]


async def test_a_deleted_chat_has_none(world: World) -> None:
    anna = await world.user()
    chat_id = await world.chat(anna)
    message = await world.send(chat_id, anna)
    await pin(world, message.id, anna)
    await world.store.chats.delete(chat_id, anna)
    assert await pinned(world, chat_id) == []
    for refused in (pin(world, message.id, anna), unpin(world, message.id, anna)):
        with pytest.raises(NotFound):
            await refused
