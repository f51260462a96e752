import asyncio
from time import perf_counter

import pytest

from server.engine import pace as pace_module
from server.engine.budget import Budget, Rate
from server.engine.pace import Pace
from server.engine.scheduler import SLICE_S, Scheduler
from tests.engine.peers import soon

FAST = Rate(frames_per_s=1000)


def paced(rate: Rate, **options: float) -> Pace:
    return Pace(Budget(rate, **options), Scheduler())


async def test_within_the_budget_nobody_waits() -> None:
    pace = paced(FAST)
    began = asyncio.get_running_loop().time()
    for _ in range(100):
        assert await soon(pace.turn())
        assert pace.charge(100, 0)
    assert asyncio.get_running_loop().time() - began < 1


async def test_beyond_the_budget_the_peer_waits_for_what_it_asked_too_much() -> None:
    pace, loop = paced(FAST), asyncio.get_running_loop()
    assert pace.charge(10_100, 0)
    began = loop.time()
    assert await soon(pace.turn())
    assert loop.time() - began >= 0.09


async def test_far_beyond_it_is_ended() -> None:
    pace = paced(Rate(1), patience_s=1)
    assert not pace.charge(1000, 0)
    assert not await soon(pace.turn())


async def test_beyond_it_without_a_pause_it_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace_module, "FLOOD_S", 0.05)
    pace = paced(FAST)
    pace.charge(10_000, 0)
    turns = 0
    while await soon(pace.turn()):
        pace.charge(20, 0)
        turns += 1
    assert turns


async def test_after_a_rest_the_time_counts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace_module, "FLOOD_S", 0.05)
    pace = paced(FAST)
    pace.charge(10_000, 0)
    for _ in range(10):
        assert await soon(pace.turn())
        pace.charge(20, 0)
        pace.rest()


async def test_another_budget_starts_at_once() -> None:
    pace = paced(Rate(1), patience_s=1)
    pace.charge(1000, 0)
    pace.give(Budget(FAST))
    assert await soon(pace.turn())


async def test_a_slice_that_lasts_gives_others_a_turn() -> None:
    pace = paced(FAST)
    since = perf_counter()
    assert await pace.go_on(since) == since
    others: list[str] = []
    asyncio.get_running_loop().call_soon(others.append, "turn")
    assert await soon(pace.go_on(perf_counter() - 2 * SLICE_S)) > since
    assert others == ["turn"]
