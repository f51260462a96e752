"""The batcher alone, with a store that the tests hold in their hands."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from domain.changes import Change, ChatDeleted
from domain.refusals import NotFound
from storage.batching import Batcher, Written
from storage.errors import Unavailable


@dataclass(frozen=True)
class Item:
    name: int
    weight: int = 0
    is_write: bool = True
    fails: bool = False


class Desk:
    """Writes when the test lets it."""

    def __init__(self, publish: Callable[[Sequence[Change]], None] | None = None, **bounds: int) -> None:
        self.batches: list[list[int]] = []
        self.published: list[Change] = []
        self.free = asyncio.Event()
        self.free.set()
        self.error: Exception | None = None
        self.batcher = Batcher(self._write, publish or self.published.extend, **bounds)

    async def _write(self, items: Sequence[Item]) -> Written:
        self.batches.append([item.name for item in items])
        await self.free.wait()
        if self.error:
            raise self.error
        return Written(
            [NotFound(item.name) if item.fails else item.name * 10 for item in items],
            [ChatDeleted(item.name, ()) for item in items if not item.fails],
        )

    def submit(self, *names: int) -> list[asyncio.Future[int]]:
        return [self.batcher.submit(Item(name)) for name in names]


async def test_one_turn_is_one_batch() -> None:
    desk = Desk()
    assert await asyncio.gather(*desk.submit(*range(10))) == [name * 10 for name in range(10)]
    assert desk.batches == [list(range(10))]


async def test_turns_that_each_bring_something_share_a_batch_but_not_for_ever() -> None:
    desk = Desk()
    futures = []
    while not desk.batches:
        futures += desk.submit(len(futures))
        await asyncio.sleep(0)
    await asyncio.gather(*futures)
    assert len(desk.batches[0]) > 1
    assert [name for batch in desk.batches for name in batch] == list(range(len(futures)))


async def test_who_has_company_is_waited_for_and_who_is_alone_does_not_wait() -> None:
    desk = Desk()

    async def turns_until_written() -> int:
        before, turns = len(desk.batches), 0
        (future,) = desk.submit(len(desk.published))
        while len(desk.batches) == before:
            await asyncio.sleep(0)
            turns += 1
        await future
        return turns

    alone = await turns_until_written()
    await asyncio.gather(*desk.submit(100, 101))
    assert alone < await turns_until_written()
    assert await turns_until_written() == alone


async def test_as_many_as_the_last_time_are_waited_for_no_longer() -> None:
    desk = Desk()

    async def turns_until_written(*names: int) -> int:
        before, futures, turns = len(desk.batches), desk.submit(names[0]), 0
        for name in names[1:]:
            await asyncio.sleep(0)
            futures += desk.submit(name)
        while len(desk.batches) == before:
            await asyncio.sleep(0)
            turns += 1
        await asyncio.gather(*futures)
        return turns

    await asyncio.gather(*desk.submit(1, 2, 3))
    all_came = await turns_until_written(4, 5, 6)
    one_is_missing = await turns_until_written(7, 8)
    assert all_came < 5 < one_is_missing
    assert desk.batches == [[1, 2, 3], [4, 5, 6], [7, 8]]


async def test_those_who_wait_already_are_not_taken_for_the_last_ones() -> None:
    desk = Desk()
    desk.free.clear()
    futures = desk.submit(1, 2)
    while not desk.batches:
        await asyncio.sleep(0)
    futures += desk.submit(3)
    desk.free.set()
    await asyncio.gather(*futures[:2])
    futures += desk.submit(4, 5)
    await asyncio.gather(*futures)
    assert desk.batches == [[1, 2], [3, 4, 5]]


async def test_who_asked_to_be_called_back_is_called_when_it_is_published() -> None:
    desk = Desk()
    seen: list[tuple[str, int]] = []
    first, second = (desk.batcher.submit(Item(name, fails=name == 2)) for name in (1, 2))
    first.then(lambda _: seen.append(("first", len(desk.published))))
    first.then(lambda _: seen.append(("again", len(desk.published))))
    second.then(lambda _: seen.append(("second", len(desk.published))))
    assert await first == 10
    assert seen == [("first", 1), ("again", 1), ("second", 1)]
    with pytest.raises(NotFound):
        await second
    first.then(lambda _: seen.append(("late", 0)))
    assert seen[-1] == ("late", 0)


async def test_one_who_is_called_back_and_raises_costs_nobody_anything() -> None:
    desk, loop = Desk(), asyncio.get_running_loop()
    reported: list[str] = []
    loop.set_exception_handler(lambda _, context: reported.append(str(context["exception"])))
    first, second = (desk.batcher.submit(Item(name)) for name in (1, 2))

    def fail(_: object) -> None:
        raise ValueError("oops")

    first.then(fail)
    first.then(lambda _: reported.append("next"))
    assert await asyncio.gather(first, second) == [10, 20]
    assert reported == ["oops", "next"]


async def test_while_one_is_written_the_next_gathers() -> None:
    desk = Desk()
    desk.free.clear()
    futures = desk.submit(1)
    while not desk.batches:
        await asyncio.sleep(0)
    for name in (2, 3, 4):
        futures += desk.submit(name)
        await asyncio.sleep(0)
    assert desk.batches == [[1]]
    desk.free.set()
    await asyncio.gather(*futures)
    assert desk.batches == [[1], [2, 3, 4]]


async def test_batches_are_bounded() -> None:
    desk = Desk(max_items=3, max_weight=100)
    weights = [0, 0, 0, 0, 60, 40, 1, 100, 101, 1, 99, 1]
    futures = [desk.batcher.submit(Item(name, weight)) for name, weight in enumerate(weights)]
    assert await asyncio.gather(*futures) == [name * 10 for name in range(12)]
    assert desk.batches == [[0, 1, 2], [3, 4, 5], [6], [7], [8], [9, 10], [11]]


async def test_published_before_anybody_resumes_and_all_in_one_turn() -> None:
    log: list[object] = []
    desk = Desk(lambda changes: log.append(len(changes)))

    async def wait(name: int) -> None:
        (future,) = desk.submit(name)
        await future
        log.append(future)

    await asyncio.gather(*map(wait, range(5)))
    assert log[0] == 5
    assert len(log) == 6


async def test_an_items_failure_is_its_own() -> None:
    desk = Desk()
    futures = [desk.batcher.submit(Item(name, fails=name == 2)) for name in range(4)]
    results = await asyncio.gather(*futures, return_exceptions=True)
    assert [results[0], results[1], results[3]] == [0, 10, 30]
    assert isinstance(results[2], NotFound)
    assert desk.published == [ChatDeleted(0, ()), ChatDeleted(1, ()), ChatDeleted(3, ())]


async def test_a_failing_write_is_everybodys_failure() -> None:
    desk = Desk()
    desk.error = OSError("no space")
    results = await asyncio.gather(*desk.submit(1, 2), return_exceptions=True)
    assert [type(result) for result in results] == [Unavailable, Unavailable]
    assert results[0] is not results[1]
    assert str(results[0]) == "no space"
    assert results[0].__cause__ is desk.error
    assert desk.published == []
    desk.error = None
    assert await desk.submit(3)[0] == 30


async def test_a_cancelled_waiter_is_skipped() -> None:
    desk = Desk()
    first, second, third = desk.submit(1, 2, 3)
    first.cancel()
    desk.free.clear()
    await asyncio.sleep(0)
    second.cancel()
    desk.free.set()
    assert await third == 30
    assert desk.batches == [[1, 2, 3]]
    assert len(desk.published) == 3


async def test_close_finishes_the_queue_and_takes_no_more() -> None:
    desk = Desk(max_items=2)
    futures = desk.submit(*range(5))
    desk.free.clear()
    closing = [asyncio.create_task(desk.batcher.close()) for _ in range(2)]
    await asyncio.sleep(0)
    (late,) = desk.submit(6)
    desk.free.set()
    await asyncio.gather(*closing)
    assert [future.result() for future in futures] == [0, 10, 20, 30, 40]
    with pytest.raises(Unavailable):
        await late
    assert desk.batches == [[0, 1], [2, 3], [4]]
    await desk.batcher.close()


async def test_closing_can_be_cancelled_without_harm() -> None:
    desk = Desk()
    desk.free.clear()
    (future,) = desk.submit(1)
    closing = asyncio.create_task(desk.batcher.close())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.wait([closing])
    desk.free.set()
    assert await future == 10
