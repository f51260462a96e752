"""Concurrent requests: which are served, which wait and which are refused."""

import asyncio

import pytest

from handlers.wire.errors import ChatError
from server import requests
from server.requests import Requests


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_fixed_number_is_served_and_the_others_in_the_order_in_which_they_came() -> None:
    at_work = Requests()
    first = [await at_work.turn(1, 2) for _ in range(2)]
    waiting = [asyncio.create_task(at_work.turn(1, 2)) for _ in range(3)]
    await settle()
    assert not any(task.done() for task in waiting)
    other = await at_work.turn(2, 2)
    first[0].over()
    first[0].over()  # the second time without effect
    await settle()
    assert [task.done() for task in waiting] == [True, False, False]
    waiting[1].cancel()
    await settle()
    first[1].over()
    await settle()
    assert waiting[2].done()
    for turn in (waiting[0].result(), waiting[2].result(), other):
        turn.over()
    assert len(at_work) == 0
    assert not at_work._queues


async def test_a_request_that_waits_too_long_or_in_too_long_a_queue_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(requests, "WAIT_S", 0.05)
    monkeypatch.setattr(requests, "WAITING_MAX", 1)
    at_work = Requests()
    first = await at_work.turn(1, 1)
    waiting = asyncio.create_task(at_work.turn(1, 1))
    await settle()
    with pytest.raises(ChatError) as caught:
        await at_work.turn(1, 1)
    assert (caught.value.code, caught.value.retry_after_ms) == ("rate_limited", 1000)
    with pytest.raises(ChatError):
        await waiting
    first.over()
    (await at_work.turn(1, 1)).over()
    assert not at_work._queues


async def test_a_turn_that_comes_as_its_request_is_cancelled_goes_to_the_next() -> None:
    at_work = Requests()
    first = await at_work.turn(1, 1)
    waiting = [asyncio.create_task(at_work.turn(1, 1)) for _ in range(2)]
    await settle()
    first.over()
    waiting[0].cancel()
    await settle()
    assert waiting[0].cancelled()
    (await waiting[1]).over()
    assert not at_work._queues


async def test_without_a_bound_everybody_is_served() -> None:
    at_work = Requests()
    served = [await at_work.turn(1, 0) for _ in range(1000)]
    assert len(at_work) == 1000
    for turn in served:
        turn.over()
    assert not at_work._queues
