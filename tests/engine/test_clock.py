"""Time as a parameter: the loop's clock, and what waits by any clock."""

import asyncio

import pytest

from server.engine.clock import LoopClock, expire, sleep, timeout
from tests.engine.clocks import ManualClock
from tests.engine.peers import soon


async def test_the_clock_of_the_loop_is_the_loop() -> None:
    clock, loop = LoopClock(), asyncio.get_running_loop()
    assert loop.time() <= clock.time() <= loop.time()
    called = asyncio.Event()
    clock.call_later(0.001, called.set)
    await soon(called.wait())
    clock.call_at(loop.time() + 60, called.clear).cancel()
    with pytest.raises(AttributeError):
        clock.call_soon  # noqa: B018


async def test_a_sleep_ends_when_the_clock_is_turned() -> None:
    clock = ManualClock()
    sleeping = asyncio.ensure_future(sleep(clock, 10))
    await asyncio.sleep(0)
    clock.turn(9.9)
    await asyncio.sleep(0)
    assert not sleeping.done()
    clock.turn(0.1)
    await soon(sleeping)
    assert clock.waiting == 0


async def test_a_sleep_given_up_leaves_no_timer() -> None:
    clock = ManualClock()
    sleeping = asyncio.ensure_future(sleep(clock, 10))
    await asyncio.sleep(0)
    sleeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeping
    assert clock.waiting == 0


async def test_a_timeout() -> None:
    clock = ManualClock()

    async def wait() -> None:
        async with timeout(clock, 10):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await clock.run(wait())
    assert clock.now == 1010
    async with timeout(clock, 10):
        pass
    assert clock.waiting == 0


async def test_a_timeout_that_expires_before_its_time() -> None:
    clock = ManualClock()

    async def wait() -> None:
        async with timeout(clock, 10) as limit:
            expire(limit)
            expire(limit)
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await soon(wait())
    assert (clock.now, clock.waiting) == (1000, 0)


def test_the_clock_of_the_loop_follows_to_another_loop() -> None:
    clock = LoopClock()

    async def binds() -> tuple[bool, bool]:
        followed = clock.follow()
        clock.time()
        clock.call_later(0, int)
        return followed, clock.follow()

    assert asyncio.run(binds()) == (False, False)
    assert asyncio.run(binds()) == (True, False)
    clock.release()
    assert asyncio.run(binds()) == (False, False)
