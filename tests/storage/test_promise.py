"""Promises call back in the turn in which they are settled."""

import asyncio

import pytest

from storage.promise import Promise


def promise() -> Promise[int]:
    return Promise(loop=asyncio.get_running_loop())


async def test_callbacks_run_in_their_order_before_settle_returns() -> None:
    write, seen = promise(), list[str]()
    write.then(lambda done: seen.append(f"first {done.result()}"))
    write.then(lambda _: seen.append("second"))
    write.settle(7)
    assert seen == ["first 7", "second"]
    write.then(lambda _: seen.append("at once"))
    assert seen[-1] == "at once"
    assert await write == 7


async def test_an_exception_is_raised_to_whoever_awaits() -> None:
    write, seen = promise(), list[BaseException | None]()
    write.then(lambda done: seen.append(done.exception()))
    error = LookupError("gone")
    write.settle(error)
    assert seen == [error]
    with pytest.raises(LookupError, match="gone"):
        await write


async def test_what_is_cancelled_calls_back_and_stays_cancelled() -> None:
    write, seen = promise(), list[bool]()
    write.then(lambda done: seen.append(done.cancelled()))
    write.cancel()
    write.settle(7)
    assert seen == [True]
    assert write.cancelled()


async def test_a_callback_that_raises_keeps_nobody_from_the_next() -> None:
    write, seen, reported = promise(), list[str](), list[BaseException]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["exception"]))
    error = RuntimeError("a bug")

    def fail(_write: object) -> None:
        raise error

    write.then(fail)
    write.then(lambda _: seen.append("called"))
    write.settle(7)
    assert (seen, reported) == (["called"], [error])


async def test_a_callback_may_ask_for_another() -> None:
    write, seen = promise(), list[str]()
    write.then(lambda done: done.then(lambda _: seen.append("inner")))
    write.settle(7)
    assert seen == ["inner"]
