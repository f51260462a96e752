"""Concurrent requests: which are served, which wait and which are refused."""

import asyncio

import pytest

from handlers.wire.errors import ChatError
from server import request_slots
from server.request_slots import RequestSlots


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_so_many_are_served_and_the_others_in_the_order_in_which_they_came() -> None:
    at_work = RequestSlots()
    first = [await at_work.take(1, 2) for _ in range(2)]
    waiting = [asyncio.create_task(at_work.take(1, 2)) for _ in range(3)]
    await settle()
    assert not any(task.done() for task in waiting)
    other = await at_work.take(2, 2)
    first[0].release()
    first[0].release()  # the second time without effect
    await settle()
    assert [task.done() for task in waiting] == [True, False, False]
    waiting[1].cancel()
    await settle()
    first[1].release()
    await settle()
    assert waiting[2].done()
    for slot in (waiting[0].result(), waiting[2].result(), other):
        slot.release()
    assert len(at_work) == 0
    assert not at_work._queues


async def test_who_waits_too_long_or_in_too_long_a_queue_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_slots, "WAIT_S", 0.05)
    monkeypatch.setattr(request_slots, "WAITING_MAX", 1)
    at_work = RequestSlots()
    first = await at_work.take(1, 1)
    waiting = asyncio.create_task(at_work.take(1, 1))
    await settle()
    with pytest.raises(ChatError) as caught:
        await at_work.take(1, 1)
    assert (caught.value.code, caught.value.retry_after_ms) == ("rate_limited", 1000)
    with pytest.raises(ChatError):
        await waiting
    first.release()
    (await at_work.take(1, 1)).release()
    assert not at_work._queues


async def test_a_turn_that_comes_as_its_request_is_cancelled_goes_to_the_next() -> None:
    at_work = RequestSlots()
    first = await at_work.take(1, 1)
    waiting = [asyncio.create_task(at_work.take(1, 1)) for _ in range(2)]
    await settle()
    first.release()
    waiting[0].cancel()
    await settle()
    assert waiting[0].cancelled()
    (await waiting[1]).release()
    assert not at_work._queues


async def test_without_a_bound_everybody_is_served() -> None:
    at_work = RequestSlots()
    slots = [await at_work.take(1, 0) for _ in range(1000)]
    assert len(at_work) == 1000
    for slot in slots:
        slot.release()
    assert not at_work._queues
