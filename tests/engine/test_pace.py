import asyncio
from time import perf_counter

import pytest

from server.engine.budget import Budget, Rate
from server.engine.pace import FLOOD_S, Pace
from server.engine.scheduler import CHUNK_S, Scheduler
from tests.engine.clocks import ManualClock
from tests.engine.peers import soon

FAST = Rate(frames_per_s=1000)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def paced(clock: ManualClock, rate: Rate, **options: float) -> Pace:
    return Pace(Budget(rate, **options), Scheduler(clock))


async def test_within_the_budget_nobody_waits(clock: ManualClock) -> None:
    pace = paced(clock, FAST)
    for _ in range(100):
        assert await soon(pace.turn())
        assert pace.charge(100, 0)
    assert clock.now == 1000


async def test_beyond_the_budget_the_peer_waits_for_what_it_asked_too_much(clock: ManualClock) -> None:
    pace = paced(clock, FAST)
    assert pace.charge(10_100, 0)
    assert await clock.run(pace.turn())
    assert clock.now == pytest.approx(1000.1)


async def test_far_beyond_the_budget_the_peer_is_ended(clock: ManualClock) -> None:
    pace = paced(clock, Rate(1), max_wait_s=1)
    assert not pace.charge(1000, 0)
    assert not await soon(pace.turn())


async def test_beyond_the_budget_without_a_pause_the_peer_is_ended(clock: ManualClock) -> None:
    pace = paced(clock, FAST)
    pace.charge(10_000, 0)
    while await clock.run(pace.turn()):
        pace.charge(1000, 0)
    assert FLOOD_S < clock.now - 1000 <= FLOOD_S + 2


async def test_after_a_rest_the_time_counts_anew(clock: ManualClock) -> None:
    pace = paced(clock, FAST)
    pace.charge(10_000, 0)
    for _ in range(50):
        assert await clock.run(pace.turn())
        pace.charge(1000, 0)
        pace.rest()
    assert clock.now - 1000 > 2 * FLOOD_S


async def test_what_a_peer_asks_to_be_sent_counts_twice(clock: ManualClock) -> None:
    pace = paced(clock, Rate(bytes_per_s=1000))
    await clock.run(pace.serve(5000))
    assert clock.now == 1000
    await clock.run(pace.serve(1000))
    assert clock.now == pytest.approx(1002)


async def test_another_budget_starts_at_once(clock: ManualClock) -> None:
    pace = paced(clock, Rate(1), max_wait_s=1)
    pace.charge(1000, 0)
    pace.give(Budget(FAST))
    assert await soon(pace.turn())


async def test_a_chunk_that_lasts_gives_others_a_turn(clock: ManualClock) -> None:
    pace = paced(clock, FAST)
    since = perf_counter()
    assert await pace.go_on(since) == since
    others: list[str] = []
    asyncio.get_running_loop().call_soon(others.append, "turn")
    assert await soon(pace.go_on(perf_counter() - 2 * CHUNK_S)) > since
    assert others == ["turn"]
