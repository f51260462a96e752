"""The fair semaphore: every key gets its turn, however often another key asks."""

import asyncio
from collections.abc import Sequence

import pytest

from handlers.live.fair_semaphore import FairSemaphore
from handlers.wire.errors import ChatError
from tests.patience import SLACK


class Line:
    """Callers who wait for a turn, and the order in which they got it. The first letter of a name is its key."""

    def __init__(self, at_once: int, waiting_max: int = 1000) -> None:
        self.semaphore = FairSemaphore(at_once, waiting_max=waiting_max)
        self.served: list[str] = []
        self.gone: set[str] = set()
        self.inside = self.most_inside = 0

    async def ask(self, *names: str) -> Sequence[str]:
        """All ask at once. Returns the outcome of each: served, or the code of its error."""
        waiting = [asyncio.ensure_future(self.wait(name)) for name in names]
        results = await asyncio.gather(*waiting, return_exceptions=True)
        return [result.code if isinstance(result, ChatError) else "served" for result in results]

    async def wait(self, name: str) -> None:
        async with self.semaphore.of(name[0], gone=lambda: name in self.gone):
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
            self.served.append(name)
            await asyncio.sleep(0)
            self.inside -= 1


async def test_who_asks_often_waits_for_those_who_ask_once() -> None:
    line = Line(1)
    await asyncio.gather(*map(line.wait, ["a1", "a2", "a3", "a4", "b1", "c1", "b2"]))
    assert line.served == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]


async def test_no_more_are_inside_than_may_be() -> None:
    line = Line(3)
    await asyncio.gather(*(line.wait(f"{key}{number}") for number in range(20) for key in "abc"))
    assert line.most_inside == 3
    assert len(line.served) == 60
    await asyncio.wait_for(line.wait("a"), 1 * SLACK)


async def test_a_cancelled_waiter_is_passed_over_and_a_turn_just_given_to_it_is_not_lost() -> None:
    line = Line(1)
    async with line.semaphore.of("x"):
        waiting = [asyncio.ensure_future(line.wait(name)) for name in ("a1", "b1", "c1")]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
    waiting[1].cancel()  # in the turn in which it is let in
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [
        asyncio.CancelledError,
        asyncio.CancelledError,
        type(None),
    ]
    assert line.served == ["c1"]
    await asyncio.wait_for(line.wait("d1"), 1 * SLACK)


async def test_a_waiter_whose_client_has_gone_gets_no_turn() -> None:
    line = Line(1)
    line.gone = {"a2", "b1", "d1"}
    assert await line.ask("a1", "a2", "b1", "c1", "d1") == [
        "served",
        *["bad_request"] * 2,
        "served",
        "bad_request",
    ]
    assert line.served == ["a1", "c1"]
    line.gone = {"e1"}
    assert await line.ask("e1", "f1") == ["bad_request", "served"]


async def test_above_the_bound_the_key_with_the_most_is_refused() -> None:
    line = Line(1, waiting_max=4)
    assert await line.ask("a1", "a2", "a3", "a4", "a5", "a6") == ["served"] * 5 + ["unavailable"]
    line.served.clear()
    # b and c come when a has filled it; the last of a make room, and a gets nothing more in.
    fared = dict(
        zip(names := ["a1", "a2", "a3", "a4", "a5", "b1", "c1", "a6"], await line.ask(*names), strict=True)
    )
    assert [name for name, how in fared.items() if how != "served"] == ["a4", "a5", "a6"]
    assert line.served == ["a1", "a2", "b1", "c1", "a3"]
    assert await line.ask("a1", "b1", "c1", "d1", "e1", "f1") == ["served"] * 5 + ["unavailable"]


async def test_waiters_whose_clients_have_gone_make_room_first() -> None:
    line = Line(1, waiting_max=3)

    async with line.semaphore.of("x"):
        waiting = [asyncio.ensure_future(line.wait(name)) for name in ("a1", "a2", "b1")]
        await asyncio.sleep(0)
        line.gone = {"b1", "a2"}
        waiting += [asyncio.ensure_future(line.wait(name)) for name in ("a3", "a4", "c1")]
        await asyncio.sleep(0)
    results = await asyncio.gather(*waiting, return_exceptions=True)
    codes = [result.code if isinstance(result, ChatError) else "served" for result in results]
    assert codes == ["served", "bad_request", "bad_request", "served", "unavailable", "served"]


async def test_a_refusal_says_when_to_come_back() -> None:
    semaphore = FairSemaphore(1, waiting_max=0)
    async with semaphore.of("a"):
        with pytest.raises(ChatError) as refused:
            async with semaphore.of("b"):
                pass
    assert (refused.value.code, refused.value.retry_after_ms) == ("unavailable", 10_000)
