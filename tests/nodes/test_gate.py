"""When memory counts as behind others, and what follows from it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from server.nodes.gate import Gate
from storage.errors import Unavailable
from tests.patience import SLACK


class Gated:
    """A gate whose clock is turned."""

    def __init__(self, *, alone: bool = False) -> None:
        self.now_s = 1000.0
        self.error: Exception | None = None
        self.fresh = 0
        self.behind = 0
        self.published = asyncio.Event()
        self.published.set()
        self.gate = self.gate_over(self._read)
        self.gate.alone = alone
        self.gate.fresh = self._count_fresh
        self.gate.behind = self._count_behind

    def gate_over(self, read: Callable[[], Awaitable[None]]) -> Gate:
        async def published() -> None:
            await self.published.wait()

        return Gate(read, published=published, now_s=lambda: self.now_s)

    def pass_s(self, seconds: float) -> None:
        """Time passes while the process runs."""
        for _ in range(round(seconds * 4)):
            self.now_s += 0.25
            self.gate.tick()

    def stop_s(self, seconds: float) -> None:
        """Time passes while the process is stopped."""
        self.now_s += seconds
        self.gate.tick()

    async def _read(self) -> None:
        if self.error is not None:
            raise self.error

    def _count_fresh(self) -> None:
        self.fresh += 1

    def _count_behind(self) -> None:
        self.behind += 1


async def test_two_seconds_without_a_look_are_too_long() -> None:
    gated = Gated()
    await gated.gate.look()
    gated.pass_s(2)
    assert not gated.gate.stale
    gated.pass_s(0.25)
    assert gated.gate.stale
    assert gated.gate.ready
    await gated.gate.look()
    assert not gated.gate.stale
    assert gated.fresh == 2


async def test_after_five_seconds_it_is_not_ready_and_after_thirty_it_ends_connections_once() -> None:
    gated = Gated()
    await gated.gate.look()
    gated.error = Unavailable("away")
    gated.pass_s(5)
    assert gated.gate.ready
    gated.pass_s(0.25)
    assert not gated.gate.ready
    gated.pass_s(24)
    assert gated.behind == 0
    gated.pass_s(20)
    assert gated.behind == 1
    gated.error = None
    await gated.gate.look()
    gated.error = Unavailable("away")
    gated.pass_s(31)
    assert gated.behind == 2


async def test_a_node_that_is_alone_does_not_wait_for_a_database_that_is_away() -> None:
    gated = Gated(alone=True)
    await gated.gate.look()
    gated.error = Unavailable("away")
    gated.pass_s(60)
    assert not gated.gate.stale
    assert gated.gate.ready
    assert gated.behind == 0


async def test_a_node_that_was_stopped_looks_whether_it_is_still_alone() -> None:
    gated = Gated(alone=True)
    await gated.gate.look()
    gated.stop_s(40)
    gated.pass_s(1)
    assert gated.gate.stale
    await gated.gate.look()
    assert not gated.gate.stale


async def test_a_node_that_was_stopped_and_cannot_look_goes_on_alone() -> None:
    gated = Gated(alone=True)
    await gated.gate.look()
    gated.stop_s(40)
    gated.error = Unavailable("away")
    with pytest.raises(Unavailable):
        await gated.gate.look()
    gated.pass_s(1)
    assert not gated.gate.stale


async def test_a_node_that_was_stopped_keeps_its_connections_if_it_can_look() -> None:
    gated = Gated()
    await gated.gate.look()
    gated.stop_s(40)
    assert gated.gate.stale
    await gated.gate.look()
    gated.pass_s(1)
    assert gated.behind == 0


async def test_a_node_that_was_stopped_and_cannot_look_ends_its_connections() -> None:
    gated = Gated()
    await gated.gate.look()
    gated.stop_s(40)
    gated.error = Unavailable("away")
    with pytest.raises(Unavailable):
        await gated.gate.look()
    gated.pass_s(0.25)
    assert gated.behind == 1


async def test_a_look_that_began_before_the_stop_is_not_enough() -> None:
    gated = Gated()
    reading, go_on = asyncio.Event(), asyncio.Event()

    async def read() -> None:
        reading.set()
        await go_on.wait()

    gate = gated.gate_over(read)
    gate.alone = False
    look = asyncio.ensure_future(gate.look())
    await reading.wait()
    gated.now_s += 40
    go_on.set()
    await look
    assert gate.stale
    await gate.caught_up()
    assert not gate.stale


async def test_looks_that_take_long_are_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a node with a slow database would never be fresh, though it knows more with each look."""
    gated = Gated()

    async def read() -> None:
        gated.pass_s(3)
        assert gated.gate.stale

    monkeypatch.setattr(gated, "_read", read)
    gated.gate = gated.gate_over(read)
    gated.gate.alone = False
    gated.gate.fresh = gated._count_fresh
    gated.gate.tick()
    for number in range(1, 4):
        await gated.gate.look()
        assert not gated.gate.stale
        assert gated.fresh == number


async def test_a_command_waits_for_a_look_and_not_longer_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.nodes.gate.CAUGHT_UP_WITHIN_S", 0.3)
    gated = Gated()
    gated.stop_s(3)
    gated.error = Unavailable("away")
    with pytest.raises(Unavailable):
        await gated.gate.caught_up()
    waiting = asyncio.ensure_future(gated.gate.caught_up())
    await asyncio.sleep(0.05)
    assert not waiting.done()
    gated.error = None
    await waiting


async def test_rows_that_wait_for_a_write_of_this_server_make_it_not_stale() -> None:
    """Who has to know what others acked waits for them; the server goes on with everything else."""
    gated = Gated()
    gated.published.clear()
    gated.pass_s(3)
    assert gated.gate.stale
    asked = asyncio.ensure_future(gated.gate.look())
    await asyncio.wait_for(gated.gate.caught_up(), 1 * SLACK)
    assert not gated.gate.stale
    assert not asked.done()
    gated.published.set()
    await asked


async def test_all_who_wait_share_the_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the database is away, thousands of commands may wait: they may not take the loop."""
    monkeypatch.setattr("server.nodes.gate.CAUGHT_UP_WITHIN_S", 0.35)
    gated = Gated()
    gated.error = Unavailable("away")
    gated.pass_s(3)
    asked = 0
    look = gated.gate.looks.look

    async def count_and_look() -> None:
        nonlocal asked
        asked += 1
        await look()

    monkeypatch.setattr(gated.gate.looks, "look", count_and_look)
    waiting = [asyncio.ensure_future(gated.gate.caught_up()) for _ in range(100)]
    await asyncio.sleep(0.05)
    waiting[0].cancel()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(answer) for answer in answers] == [asyncio.CancelledError, *[Unavailable] * 99]
    assert 2 <= asked <= 5
    late = asyncio.ensure_future(gated.gate.caught_up())
    await asyncio.sleep(0.05)
    gated.error = None
    await late
    assert not gated.gate.stale
    await gated.gate.stop()
