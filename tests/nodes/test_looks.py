"""Looks: one at a time, shared, and never an answer that is older than the question."""

import asyncio

import pytest

from server.nodes.looks import Looks
from storage.errors import Unavailable
from tests.patience import within


class Database:
    """`read` ends when `go_on` is set."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.began: list[int] = []
        self.ended = 0
        self.error: Exception | None = None
        self.done: list[float] = []
        self.failed = 0
        self.looks = Looks(self.read, done=self.done.append, failed=self._fail)

    async def read(self) -> None:
        self.began.append(len(self.began))
        await self.go_on.wait()
        if self.error is not None:
            raise self.error
        self.ended += 1

    def _fail(self) -> None:
        self.failed += 1


async def settle(database: Database, number: int) -> None:
    async with within(5):
        while len(database.began) < number:
            await asyncio.sleep(0.001)


async def test_who_asks_while_a_look_is_under_way_gets_the_next_one() -> None:
    database = Database()
    first = asyncio.ensure_future(database.looks.look())
    await settle(database, 1)  # the first look has begun, so it may miss what came after
    late = [asyncio.ensure_future(database.looks.look()) for _ in range(100)]
    database.go_on.set()
    await asyncio.gather(first, *late)
    assert len(database.began) == database.ended == len(database.done) == 2


async def test_a_thousand_askers_share_a_few_looks() -> None:
    database = Database()
    database.go_on.set()

    async def ask(number: int) -> None:
        await asyncio.sleep(number * 0.0001)
        await database.looks.look()

    loop = asyncio.get_running_loop()
    began_s = loop.time()
    await asyncio.gather(*(ask(number) for number in range(1000)))
    assert len(database.began) <= (loop.time() - began_s) / 0.01 + 2


async def test_a_look_that_fails_fails_for_all_who_wait_for_it() -> None:
    database = Database()
    database.error = Unavailable("away")
    database.go_on.set()
    outcomes = await asyncio.gather(*(database.looks.look() for _ in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3
    assert len({id(outcome) for outcome in outcomes}) == 3
    assert (database.failed, database.done) == (1, [])
    database.error = None
    await database.looks.look()
    assert len(database.done) == 1


async def test_nobody_waits_long_for_a_look_that_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.nodes.looks.WAIT_S", 0.05)
    database = Database()
    with pytest.raises(Unavailable):
        await database.looks.look()
    assert (database.failed, database.done) == (0, [])
    database.go_on.set()
    await database.looks.look()
    assert (len(database.began), len(database.done)) == (2, 2)


async def test_a_caller_who_goes_takes_nobody_along() -> None:
    database = Database()
    gone = asyncio.ensure_future(database.looks.look())
    stays = asyncio.ensure_future(database.looks.look())
    await settle(database, 1)
    gone.cancel()
    database.go_on.set()
    await stays


async def test_it_looks_by_itself_until_it_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.nodes.looks.LOOK_EVERY_S", 0.01)
    database = Database()
    database.go_on.set()
    database.looks.start()
    await settle(database, 3)
    database.error = RuntimeError("a fault")
    await settle(database, 5)
    await database.looks.stop()
    count = len(database.began)
    await asyncio.sleep(0.05)
    assert len(database.began) == count


async def test_callers_that_wait_for_a_look_get_an_error_when_the_node_stops() -> None:
    database = Database()
    waiting = [asyncio.ensure_future(database.looks.look())]
    await settle(database, 1)
    waiting.append(asyncio.ensure_future(database.looks.look()))
    await asyncio.sleep(0)
    await database.looks.stop()
    for one in waiting:
        with pytest.raises(Unavailable):
            await one


async def test_who_is_cancelled_while_they_wait_is_cancelled() -> None:
    database = Database()
    waiting = asyncio.ensure_future(database.looks.look())
    await settle(database, 1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await database.looks.stop()
