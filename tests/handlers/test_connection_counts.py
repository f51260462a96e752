"""The number of connections on all nodes."""

from collections.abc import Callable
from typing import Any

from handlers.live.connection_counts import TOLD_EVERY_S, TOPIC, ConnectionCounts
from handlers.live.connections import Connections
from tests.clients.clock import ManualClock


class Peers:
    """Two other nodes that tell what a test has them tell."""

    incarnation = "here"
    others = ("a", "b")

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []

    def tell(self, topic: str, value: Any) -> None:
        self.told.append((topic, value))

    def tell_at_once(self, topic: str, value: Any) -> None: ...

    def listen(self, topic: str, listener: Callable[[str, Any], None]) -> None:
        self.hear = listener

    def share(self, topic: str, snapshot: Callable[[], Any], load: Callable[[str, Any], None]) -> None:
        self.snapshot, self.load = snapshot, load

    def on_gone(self, listener: Callable[[str, bool], None]) -> None:
        self.gone = listener


async def test_other_nodes_count_until_they_are_gone() -> None:
    peers = Peers()
    counts = ConnectionCounts(Connections(), peers, ManualClock())
    assert (counts.total, peers.snapshot()) == (0, 0)
    peers.load("a", 5)
    peers.hear("b", 2)
    peers.hear("a", 4)
    peers.hear("b", "what a later version says")
    assert counts.total == 6
    peers.gone("a", False)
    peers.gone("unknown", True)
    assert counts.total == 2


async def test_the_own_number_is_published_at_most_once_a_second() -> None:
    clock, peers = ManualClock(), Peers()
    counts = ConnectionCounts(Connections(), peers, clock)
    for _ in range(3):
        counts.changed()
    assert peers.told == []
    clock.advance(TOLD_EVERY_S)
    assert peers.told == [(TOPIC, 0)]
    counts.changed()
    counts.stop()
    clock.advance(10)
    assert peers.told == [(TOPIC, 0)]
