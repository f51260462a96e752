"""One node among others: its lease, what it keeps for those that start later, and when it leaves."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from server.nodes.node import Node
from storage.errors import Unavailable
from tests.nodes.memory_nodes import MemoryNodes, Shared

LEASE_S = 60.0


class Turned:
    """A node whose clock is turned. What is due is done when a test says so."""

    def __init__(self, shared: Shared, name: str, url: str = "") -> None:
        self.now_s = 1000.0
        self.nodes = MemoryNodes(shared, name)
        self.node = Node(
            self.nodes, url=url or f"http://{name}", lease_s=LEASE_S, key_id="key", now_s=lambda: self.now_s
        )

    async def after(self, seconds: float) -> None:
        self.now_s += seconds
        await self.node._do_what_is_due()

    @property
    def beat(self) -> int:
        return self.nodes.shared.leases[self.nodes.incarnation].beat


@pytest.fixture
async def start() -> AsyncIterator[Callable[..., Turned]]:
    """Makes nodes of one database; those that were started are stopped in the end."""
    shared = Shared()
    made: list[Turned] = []

    def make(name: str, url: str = "") -> Turned:
        made.append(Turned(shared, name, url))
        return made[-1]

    yield make
    for one in made:
        await one.node.stop()


async def test_a_node_knows_the_others_when_it_has_started(start: Callable[..., Turned]) -> None:
    one, two = start("a"), start("b")
    await one.node.start()
    assert (one.node.others, one.node.freshness.alone) == ({}, True)
    await two.node.start()
    assert (list(two.node.others), two.node.freshness.alone) == (["a"], False)
    await one.node.freshness.look()
    assert list(one.node.others) == ["b"]


async def test_the_lease_is_renewed_four_times_in_its_length(start: Callable[..., Turned]) -> None:
    one = start("a")
    await one.node.start()
    await one.after(14)
    assert one.beat == 1
    await one.after(1)
    assert one.beat == 2
    for _ in range(4 * 60):
        await one.after(1)
    assert one.beat == 2 + 16


async def test_a_node_starts_when_the_database_answers(start: Callable[..., Turned]) -> None:
    one = start("a")
    one.nodes.may_answer.clear()
    starting = asyncio.ensure_future(one.node.start())
    await asyncio.sleep(0.05)
    assert not starting.done()
    one.nodes.may_answer.set()
    await starting


async def test_a_first_look_that_fails_is_made_again(start: Callable[..., Turned]) -> None:
    one = start("a")
    leases = one.nodes.leases
    tries = 0

    async def fails_twice() -> object:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise Unavailable("away")
        return await leases()

    one.nodes.leases = fails_twice  # type: ignore[method-assign, assignment]
    await one.node.start()
    assert tries == 3


async def test_what_is_shared_is_kept_for_those_who_start_later(start: Callable[..., Turned]) -> None:
    one, two = start("a"), start("b")
    loaded: list[object] = []
    one.node.peers.share("state", lambda: {"ann": 1}, lambda *_: None)
    two.node.peers.share("state", dict, lambda *state: loaded.append(state))
    await one.node.start()
    one.node.peers.tell("state", ["ann", 1])
    await one.after(20)
    await two.node.start()
    assert loaded == [("a", {"ann": 1})]


async def test_a_node_that_others_may_have_taken_for_dead_tells_the_whole(
    start: Callable[..., Turned],
) -> None:
    one, two = start("a"), start("b")
    loaded: list[object] = []
    one.node.peers.share("state", lambda: {"ann": 1}, lambda *_: None)
    two.node.peers.share("state", dict, lambda *state: loaded.append(state))
    await one.node.start()
    await two.node.start()
    for _ in range(5):
        await one.after(15)
    await two.node.freshness.look()
    assert loaded == []
    await one.after(56)
    await two.node.freshness.look()
    assert loaded == [("a", {"ann": 1})]


async def test_the_gone_are_buried_after_a_while(start: Callable[..., Turned]) -> None:
    one, two = start("a"), start("b")
    await one.node.start()
    await two.node.start()
    await one.node.freshness.look()
    await two.nodes.leave()
    await one.node.freshness.look()
    await one.after(59)
    assert "b" in one.nodes.shared.leases
    await one.after(2)
    assert "b" not in one.nodes.shared.leases
    await one.node.freshness.look()


async def test_the_lowest_format_of_the_living_says_what_is_written(start: Callable[..., Turned]) -> None:
    one, two = start("a"), start("b")
    two.nodes.format = 2
    await one.node.start()
    await two.node.start()
    assert two.nodes.lowest_format == 1
    await one.nodes.leave()
    await two.node.freshness.look()
    assert two.nodes.lowest_format == 2


async def test_a_node_that_meets_something_newer_has_to_leave(start: Callable[..., Turned]) -> None:
    one = start("a")
    await one.node.start()
    assert one.node.trouble() is None
    for kind in ("of tomorrow", "of the day after"):
        one.nodes.meet_newer(kind)
    assert one.node.trouble() == "newer"
    assert "of tomorrow" in await one.node.must_leave


async def test_a_node_that_cannot_look_is_behind(start: Callable[..., Turned]) -> None:
    one, two = start("a"), start("b")
    ended: list[bool] = []
    two.node.end_all = lambda: ended.append(True)
    await one.node.start()
    await two.node.start()
    two.nodes.away = True
    for _ in range(6 * 4):
        two.now_s += 0.25
        two.node.freshness.tick()
    assert (two.node.trouble(), ended) == ("behind", [])
    for _ in range(30 * 4):
        two.now_s += 0.25
        two.node.freshness.tick()
    assert ended == [True]
