"""One look: what is read of the others, from where, and what is missed."""

from collections.abc import Sequence

import pytest

from server.nodes.leases import LeaseBook
from server.nodes.peers import HintedPeers
from server.nodes.reader import FIRST_HINTS, MISSED_AFTER_S, ROWS_AT_ONCE, HintReader
from storage.errors import Unavailable
from storage.node_ports import Hint, Lease
from tests.nodes.memory_nodes import MemoryNodes, Shared


class Reading:
    """Node a reads what node b writes."""

    def __init__(self) -> None:
        self.shared = Shared()
        self.nodes = MemoryNodes(self.shared, "a")
        self.other = MemoryNodes(self.shared, "b")
        self.peers = HintedPeers(self.nodes)
        self.missed = 0
        self.now_s = 1000.0
        self.living: set[str] = set()
        self.reader = HintReader(
            self.nodes,
            LeaseBook("a", "http://a", 60),
            self.peers,
            users=lambda: [7],
            seen=lambda others: self._see(set(others.living)),
            missed=self._miss,
            now_s=lambda: self.now_s,
        )

    async def join(self, beat: int = 1) -> None:
        await self.other.join(Lease("b", "http://b", 1, "key", beat, ended=False))

    async def read(self, after_s: float = 0.25) -> list[int]:
        """The numbers of the hints that this look applies."""
        self.now_s += after_s
        before = len(self.nodes.applied)
        await self.reader.read()
        return [hint.number for hint in self.nodes.applied[before:]]

    def _see(self, living: set[str]) -> None:
        self.living = living

    def _miss(self) -> None:
        self.missed += 1


async def test_each_hint_is_applied_once() -> None:
    reading = Reading()
    await reading.join()
    assert await reading.read() == []
    reading.other.hint(users={1: True})
    reading.other.hint(users={2: True})
    assert await reading.read() == [1, 2]
    assert await reading.read() == []
    assert reading.living == {"b"}


async def test_an_incarnation_that_comes_later_is_read_from_its_first_hint() -> None:
    reading = Reading()
    await reading.read()
    await reading.join()
    reading.other.hint(users={1: True})
    assert await reading.read() == [1]
    assert reading.missed == 0


async def test_at_the_start_nothing_that_is_gone_counts_as_missed() -> None:
    reading = Reading()
    await reading.join()
    for _ in range(5):
        reading.other.hint(users={1: True})
    for number in (1, 2, 3):
        del reading.shared.hints["b"][number]
    assert await reading.read() == [4, 5]
    assert reading.missed == 0
    assert reading.nodes.compared == []


async def test_at_the_start_only_the_rows_of_the_last_hints_are_published() -> None:
    """A row that a hint tells of may not be in the log yet. All else is in the store, but for what was told."""
    reading = Reading()
    await reading.join()
    heard: list[int] = []
    reading.peers.listen("news", lambda _incarnation, value: heard.append(value))
    for number in range(1, 41):
        reading.other.hint(rows={7: (number, number)}, users={1: True}, told=[("news", [number, number])])
    await reading.read()
    assert heard == list(range(1, 41))
    assert [hint.number for hint in reading.nodes.applied if hint.rows] == list(range(41 - FIRST_HINTS, 41))
    reading.other.hint(rows={7: (41, 41)})
    await reading.read()
    assert reading.nodes.applied[-1].rows == {7: (41, 41)}


async def test_a_look_that_breaks_off_goes_on_where_it_was() -> None:
    reading = Reading()
    await reading.join()
    await reading.read()
    for number in range(1, 6):
        reading.other.hint(rows={number: (1, ROWS_AT_ONCE)})
    apply = reading.nodes.apply

    async def breaks_off(hints: Sequence[Hint]) -> None:
        if len(reading.nodes.applied) == 3:
            raise Unavailable("away")
        await apply(hints)

    reading.nodes.apply = breaks_off  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        await reading.read()
    reading.nodes.apply = apply  # type: ignore[method-assign]
    assert await reading.read() == [4, 5]


async def test_a_look_that_fails_loses_nothing() -> None:
    reading = Reading()
    await reading.join()
    await reading.read()
    reading.other.hint(users={1: True})
    reading.nodes.away = True
    with pytest.raises(Unavailable):
        await reading.read()
    reading.nodes.away = False
    assert await reading.read() == [1]


async def test_the_last_hints_of_one_that_is_gone_are_read() -> None:
    reading = Reading()
    await reading.join()
    await reading.read()
    reading.other.hint(told=[("news", [1, "last"])])
    await reading.other.leave()
    heard: list[str] = []
    reading.peers.listen("news", lambda _incarnation, value: heard.append(value))
    reading.peers.on_gone(lambda incarnation, ended: heard.append(f"{incarnation} ended: {ended}"))
    assert await reading.read() == [1]
    assert heard == ["last", "b ended: True"]
    assert reading.living == set()
    await reading.nodes.bury("b")
    await reading.read()


async def test_nothing_is_reported_of_an_incarnation_that_was_gone_before() -> None:
    """An older process on the own address, for example: nobody would say that it is gone."""
    reading = Reading()
    heard: list[str] = []
    reading.peers.listen("news", lambda _incarnation, value: heard.append(value))
    reading.peers.share("news", str, lambda _incarnation, value: heard.append(value))
    reading.peers.on_gone(lambda incarnation, _ended: heard.append(incarnation))
    await reading.other.join(Lease("b", "http://a", 1, "key", 1, ended=False))
    reading.other.hint(told=[("news", [1, "old"])])
    await reading.other.keep_record("news", [1, "whole"])
    await reading.read()
    assert heard == []


async def test_after_a_long_pause_everything_is_compared_even_if_no_hint_is_gone() -> None:
    reading = Reading()
    await reading.join()
    await reading.read()
    reading.other.hint(users={1: True})
    assert await reading.read(after_s=MISSED_AFTER_S + 1) == [1]
    assert (reading.missed, reading.nodes.compared) == (1, [[7]])
    await reading.read()
    assert reading.missed == 1


async def test_hints_that_are_gone_are_missed() -> None:
    reading = Reading()
    await reading.join()
    reading.other.hint(users={1: True})
    await reading.read()
    for _ in range(4):
        reading.other.hint(users={1: True})
    for number in (1, 2, 3):
        del reading.shared.hints["b"][number]
    assert await reading.read(after_s=90) == [4, 5]
    assert reading.missed == 1


async def test_an_incarnation_whose_first_hints_are_gone_is_missed() -> None:
    """This node saw neither its lease nor its hints in time."""
    reading = Reading()
    await reading.read()
    await reading.join()
    for _ in range(3):
        reading.other.hint(users={1: True})
    del reading.shared.hints["b"][1]
    assert await reading.read() == [2, 3]
    assert reading.missed == 1


async def test_a_comparison_that_fails_is_made_at_the_next_look() -> None:
    reading = Reading()
    await reading.join()
    await reading.read()

    async def fails(_user_ids: object) -> None:
        raise Unavailable("away")

    compare, reading.nodes.compare = reading.nodes.compare, fails  # type: ignore[method-assign, assignment]
    with pytest.raises(Unavailable):
        await reading.read(after_s=90)
    assert reading.missed == 0
    reading.nodes.compare = compare  # type: ignore[method-assign]
    await reading.read()
    assert reading.missed == 1


async def test_a_node_that_is_alone_misses_nothing_while_the_database_is_away() -> None:
    reading = Reading()
    await reading.read()
    reading.nodes.away = True
    for _ in range(20):
        with pytest.raises(Unavailable):
            await reading.read(after_s=10)
    reading.nodes.away = False
    await reading.read()
    assert reading.missed == 0


async def test_a_node_that_was_alone_and_suspended_may_have_missed_others() -> None:
    reading = Reading()
    await reading.read()
    await reading.read(after_s=500)
    assert reading.missed == 1


async def test_what_is_shared_is_loaded_though_the_first_look_failed() -> None:
    reading = Reading()
    await reading.join()
    loaded: list[object] = []
    reading.peers.share("state", dict, lambda *state: loaded.append(state))
    await reading.other.keep_record("state", [3, "whole"])
    records = reading.nodes.records

    async def fails(_topic: str) -> None:
        raise Unavailable("away")

    reading.nodes.records = fails  # type: ignore[method-assign, assignment]
    with pytest.raises(Unavailable):
        await reading.read()
    reading.nodes.records = records  # type: ignore[method-assign]
    await reading.read()
    assert loaded == [("b", "whole")]


async def test_an_end_is_reported_though_the_look_that_saw_it_failed() -> None:
    reading = Reading()
    await reading.join()
    await reading.read()
    gone: list[tuple[str, bool]] = []
    reading.peers.on_gone(lambda *one: gone.append(one))
    await reading.other.leave()
    hints = reading.nodes.hints

    async def fails(_after: object) -> None:
        raise Unavailable("away")

    reading.nodes.hints = fails  # type: ignore[method-assign, assignment]
    with pytest.raises(Unavailable):
        await reading.read()
    reading.nodes.hints = hints  # type: ignore[method-assign]
    assert gone == []
    await reading.read()
    assert gone == [("b", True)]


async def test_one_that_was_suspended_for_so_long_that_it_was_buried_is_read_on() -> None:
    reading = Reading()
    await reading.join()
    reading.other.hint(users={1: True})
    await reading.read()
    await reading.nodes.bury("b")
    await reading.read()
    await reading.join(beat=2)
    assert await reading.read() == []
    reading.other.hint(users={2: True})
    assert await reading.read() == [2]
    assert reading.missed == 0
