"""Streams over several nodes: a stream is one, on whichever nodes its user calls."""

import pytest

from handlers.live.streams import StreamTracker
from handlers.policy import STREAM_EVERY_S, STREAM_LINGERS_S, STREAM_SHOWN_S, STREAMS_PER_USER
from tests.clients.clock import ManualClock
from tests.clients.hub import MemoryHub
from tests.clients.peers import PeerNet

ANN, BOB, CHAT = 1, 2, 7

Seen = list[str | None]


class Node:
    """A node with Ann in the room of the chat."""

    def __init__(self, name: str, net: PeerNet) -> None:
        self.hub = MemoryHub("ann")
        self.tracker = StreamTracker(self.hub, net.clock, net.join(name))
        net.load(name)
        self.hub.enter("ann", f"chat:{CHAT}")

    def stream(self, content: str, name: str = "a") -> None:
        self.tracker.update(CHAT, BOB, name, content, session_id="s")

    def seen(self) -> Seen:
        return [payload["content"] for _, payload in self.hub.take("ann")]


class Scene:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.net = PeerNet(self.clock)
        self.a, self.b = Node("a", self.net), Node("b", self.net)

    def seen(self) -> list[Seen]:
        return [self.a.seen(), self.b.seen()]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_content_is_seen_everywhere_at_most_every_200_ms_and_ends_by_itself(scene: Scene) -> None:
    for number in range(6):
        scene.a.stream(str(number))
        scene.clock.advance(0.35 * STREAM_EVERY_S)
    assert scene.seen() == [["0", "2", "5"]] * 2
    assert len(scene.net.told) == 3
    scene.clock.advance(STREAM_SHOWN_S - 0.35 * STREAM_EVERY_S - 0.001)
    assert scene.seen() == [[], []]
    scene.clock.advance(0.001)
    assert scene.seen() == [[None], [None]]
    scene.clock.advance(60)
    assert scene.seen() == [[], []]


def test_two_connections_on_two_nodes_write_one_stream(scene: Scene) -> None:
    scene.a.stream("1")
    scene.clock.advance(1)
    scene.b.stream("2")
    assert scene.seen() == [["1", "2"]] * 2
    scene.clock.advance(STREAM_SHOWN_S - 0.001)
    assert scene.seen() == [[], []], "the call at the first node has no end of its own"
    scene.clock.advance(0.001)
    assert scene.seen() == [[None], [None]]


def test_what_it_has_at_other_nodes_does_not_count_against_a_user(scene: Scene) -> None:
    for number in range(STREAMS_PER_USER):
        scene.a.stream("1", str(number))
    scene.clock.advance(1)
    scene.b.stream("1", "here")
    for number in range(STREAMS_PER_USER):
        scene.b.stream("2", str(number))
    scene.clock.advance(1)
    for number in range(STREAMS_PER_USER):
        scene.a.stream("1", f"more {number}")


def test_a_message_ends_it_on_each_node_without_telling(scene: Scene) -> None:
    scene.a.stream("1")
    scene.a.stream("2")
    told = len(scene.net.told)
    scene.b.tracker.settle(CHAT, BOB, "a")
    scene.a.tracker.settle(CHAT, BOB, "a")
    scene.clock.advance(60)
    assert scene.seen() == [["1"], ["1"]]
    assert len(scene.net.told) == told


def test_content_that_comes_after_the_end_is_ended_by_the_node_it_comes_from(scene: Scene) -> None:
    scene.a.stream("1")
    scene.b.tracker.end_of_member(CHAT, BOB)
    scene.clock.advance(1)
    scene.a.stream("2")  # this node does not know of the removal yet
    scene.a.tracker.end_of_member(CHAT, BOB)
    assert scene.seen() == [["1", "2", None], ["1", None, "2", None]]
    assert not scene.b.tracker


def test_it_can_be_ended_on_the_other_node(scene: Scene) -> None:
    """As by a repeat of its message, of which no other node hears."""
    scene.a.stream("1")
    scene.b.tracker.end(CHAT, BOB, "a")
    assert scene.seen() == [["1", None]] * 2
    assert not scene.a.tracker
    assert not scene.b.tracker


def test_a_stream_of_a_dead_node_ends_a_second_later(scene: Scene) -> None:
    scene.a.stream("1")
    scene.net.die("a")
    scene.clock.advance(STREAM_SHOWN_S + STREAM_LINGERS_S - 0.001)
    assert scene.b.seen() == ["1"]
    scene.clock.advance(0.001)
    assert scene.b.seen() == [None]


def test_without_a_bus_a_stream_stays_on_its_node(scene: Scene) -> None:
    scene.net.has_bus = False
    scene.a.stream("1")
    scene.clock.advance(60)
    assert scene.seen() == [["1", None], []]


@pytest.mark.parametrize("lost", ["the beginning", "the end"])
def test_lost_values_leave_no_stream_behind(scene: Scene, lost: str) -> None:
    scene.net.has_bus = lost == "the end"
    scene.a.stream("1")
    scene.net.has_bus = not scene.net.has_bus
    scene.a.tracker.end(CHAT, BOB, "a")
    scene.clock.advance(60)
    assert scene.seen() == [["1", None], ["1", None] if lost == "the end" else []]
    assert not scene.a.tracker
    assert not scene.b.tracker
