import asyncio
from time import perf_counter

import pytest

from server.engine.scheduler import LIGHT_S, TURN_S, WAITING_PER_TURN, Scheduler
from tests.engine.peers import soon


@pytest.fixture
async def scheduler() -> Scheduler:
    return Scheduler()


async def test_those_who_have_used_little_go_on_at_once(scheduler: Scheduler) -> None:
    assert scheduler.has_turn(0)
    assert not scheduler.has_turn(LIGHT_S)


async def test_a_turn_of_the_loop_has_an_end(scheduler: Scheduler) -> None:
    for _ in range(10):
        scheduler.spent(perf_counter() - TURN_S)
    assert not scheduler.has_turn(0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert scheduler.has_turn(0)


async def test_who_has_used_least_goes_first(scheduler: Scheduler) -> None:
    order: list[float] = []

    async def wait(used_s: float) -> None:
        await scheduler.turn(used_s)
        order.append(used_s)

    used = [5.0, 3.0, 8.0, 0.0, 1.0]
    await soon(asyncio.gather(*map(wait, used)))
    assert order == sorted(used)


async def test_a_fixed_number_goes_on_each_turn(scheduler: Scheduler) -> None:
    waiting = [asyncio.ensure_future(scheduler.turn(LIGHT_S)) for _ in range(3 * WAITING_PER_TURN)]
    done: list[int] = []
    while not all(turn.done() for turn in waiting):
        await asyncio.sleep(0)
        done.append(sum(turn.done() for turn in waiting))
    steps = [later - earlier for earlier, later in zip([0, *done], done, strict=False)]
    assert max(steps) == WAITING_PER_TURN


async def test_a_cancelled_waiter_costs_no_turn(scheduler: Scheduler) -> None:
    gone = asyncio.ensure_future(scheduler.turn(0))
    await asyncio.sleep(0)
    gone.cancel()
    await soon(scheduler.turn(1))
    assert gone.cancelled()
