"""The health of a store alone, with a probe that the tests hold in their hands."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from storage import health
from storage.errors import Trouble, Unavailable
from storage.health import StoreHealth
from tests.patience import within


class Desk:
    """A store that works, or does not."""

    def __init__(self) -> None:
        self.trouble: Trouble | None = None
        self.probes = 0
        self.busy = asyncio.Event()
        self.busy.set()
        self.health = StoreHealth(self._probe)

    async def _probe(self) -> None:
        self.probes += 1
        await self.busy.wait()
        if self.trouble is not None:
            raise Unavailable(f"it is {self.trouble}", self.trouble)

    def write(self, count: int = 1) -> None:
        """A batch of writes, as the batcher tells of it."""
        if self.trouble is None:
            self.health.saw([object()] * count, changed=True)
        else:
            self.health.saw([Unavailable("it is so", self.trouble)] * count, changed=False)

    async def serves(self) -> None:
        async with within(10):
            while self.health.failing:
                await asyncio.sleep(0.001)


@pytest.fixture
async def desk(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(health, "PAUSE_S", 0.005)
    monkeypatch.setattr(health, "PAUSE_MAX_S", 0.02)
    desk = Desk()
    yield desk
    desk.busy.set()
    await desk.health.close()
    await desk.health.close()


@pytest.fixture
def lines() -> Any:
    with capture_logs() as lines:
        yield lines


async def test_one_line_for_the_beginning_and_one_for_the_end(desk: Desk, lines: list[Any]) -> None:
    desk.write()
    assert lines == []
    desk.trouble = "full"
    for _ in range(50):
        desk.write(3)
    with pytest.raises(Unavailable) as error:
        await desk.health.check()
    assert error.value.trouble == "full"
    while desk.probes < 3:
        await asyncio.sleep(0.001)
    assert [line["event"] for line in lines] == ["the store fails"]
    assert desk.health.failing_since is not None
    desk.trouble = None
    await desk.serves()
    assert [line["event"] for line in lines] == ["the store fails", "the store serves again"]
    assert (lines[0]["trouble"], lines[1]["refused_writes"]) == ("full", 150)
    assert +desk.health.failed_writes == Counter({"full": 150})
    assert (desk.health.failures, desk.health.failing_since, desk.health.last_trouble) == (1, None, "full")
    await desk.health.check()


async def test_a_trouble_that_becomes_another_is_named_once(desk: Desk, lines: list[Any]) -> None:
    for trouble in ("slow", "locked", "slow", "locked", "locked"):
        desk.health.failed(Unavailable("it is so", trouble), 1)  # type: ignore[arg-type]
    assert [line["trouble"] for line in lines] == ["slow", "locked"]


async def test_small_writes_that_go_on_do_not_make_it_serve(desk: Desk, lines: list[Any]) -> None:
    desk.trouble = "full"
    desk.write()
    desk.health.saw([object()], changed=True)
    assert desk.health.failing
    with pytest.raises(Unavailable):
        await desk.health.check()


async def test_a_write_that_fails_during_a_probe_is_believed_more(desk: Desk, lines: list[Any]) -> None:
    desk.trouble = "failing"
    desk.write()
    desk.busy.clear()
    while not desk.probes:
        await asyncio.sleep(0.001)
    desk.write()
    desk.trouble = None
    desk.busy.set()
    await desk.serves()
    assert desk.probes == 2
    assert len(lines) == 2


async def test_however_many_ask_there_is_one_probe(desk: Desk) -> None:
    desk.busy.clear()
    asking = [asyncio.ensure_future(desk.health.check()) for _ in range(1000)]
    await asyncio.sleep(0.01)
    asking[0].cancel()  # the others are answered all the same
    desk.busy.set()
    await asyncio.gather(*asking[1:])
    for _ in range(1000):
        await desk.health.check()
    assert desk.probes == 1


async def test_a_write_is_as_good_as_a_probe_and_an_empty_one_is_not(desk: Desk) -> None:
    desk.write()
    await desk.health.check()
    assert desk.probes == 0
    other = Desk()
    other.health.saw([None], changed=False)
    await other.health.check()
    assert other.probes == 1


async def test_a_probe_that_fails_tells_all_who_ask(desk: Desk, lines: list[Any]) -> None:
    desk.trouble = "read_only"
    results = await asyncio.gather(*(desk.health.check() for _ in range(20)), return_exceptions=True)
    assert {type(result) for result in results} == {Unavailable}
    assert len({id(result) for result in results}) == 20
    assert +desk.health.failed_writes == Counter({})
    assert len(lines) == 1


async def test_a_write_that_does_not_end(
    desk: Desk, lines: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PROBE_TIMEOUT_S", 0.01)
    desk.busy.clear()
    with pytest.raises(Unavailable, match="has not ended") as error:
        await desk.health.check()
    assert error.value.trouble == "slow"
    desk.busy.set()
    await desk.serves()


@pytest.mark.parametrize("trouble", ["contested", "closed"])
async def test_what_is_not_the_stores_fault(desk: Desk, lines: list[Any], trouble: Trouble) -> None:
    desk.trouble = trouble
    desk.write(2)
    assert not desk.health.failing
    assert +desk.health.failed_writes == Counter({trouble: 2})
    assert desk.health.last_trouble is None
    assert lines == []


async def test_a_store_that_fails_again_and_again_is_probed_less_often(desk: Desk) -> None:
    pauses = []
    for _ in range(5):
        desk.trouble = "locked"
        desk.write()
        pauses.append(desk.health._pause_s)
        desk.trouble = None
        await desk.serves()
    assert pauses == [0.005, 0.01, 0.02, 0.02, 0.02]


async def test_a_probe_that_cannot_be_made_is_no_proof(lines: list[Any]) -> None:
    async def broken() -> None:
        raise RuntimeError("a bug")

    watched = StoreHealth(broken)
    with pytest.raises(Unavailable, match="RuntimeError"):
        await watched.check()
    await watched.close()
    with pytest.raises(Unavailable, match="closed"):
        await watched.check()


async def test_reads_are_logged_once_a_minute(
    desk: Desk, lines: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(10):
        desk.health.read_failed(Unavailable("a page is broken", "broken"))
    assert not desk.health.failing
    monkeypatch.setattr(health, "READ_LINES_EVERY_S", 0)
    desk.health.read_failed(Unavailable("a page is broken", "broken"))
    assert [(line["event"], line["failed_reads"]) for line in lines] == [
        ("a read of the store failed", 1),
        ("a read of the store failed", 11),
    ]
