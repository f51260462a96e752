"""Typing over several nodes: a user's sign in a chat is one, on whichever nodes they type."""

import pytest

from handlers.live.connections import Connection, Connections
from handlers.live.typing import TypingTracker
from handlers.policy import TYPING_REPEAT_S, TYPING_SHOWN_S
from tests.clients.clock import ManualClock
from tests.clients.hub import MemoryHub
from tests.clients.peers import PeerNet

ANN, BOB, CHAT = 1, 2, 7


class Node:
    """A node to which Ann and Bob are connected, both in the room of the chat."""

    def __init__(self, name: str, net: PeerNet) -> None:
        self.hub, self.connections = MemoryHub("ann", "bob"), Connections()
        self.tracker = TypingTracker(self.hub, net.clock, self.connections, net.join(name))
        net.load(name)
        self.ann = Connection("ann", ANN, None, 0)
        for connection in (self.ann, Connection("bob", BOB, None, 0)):
            self.connections.add(connection)
            self.hub.enter(connection.id, f"chat:{CHAT}")

    def seen(self) -> list[bool]:
        assert self.hub.take("ann") == [], "Ann does not see herself type, on no server"
        received = self.hub.take("bob")
        assert all((payload["chat_id"], payload["user_id"]) == (CHAT, ANN) for _, payload in received)
        return [payload["is_typing"] for _, payload in received]


class Scene:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.net = PeerNet(self.clock)
        self.a, self.b = Node("a", self.net), Node("b", self.net)

    def seen(self) -> list[list[bool]]:
        return [self.a.seen(), self.b.seen()]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_sign_is_seen_everywhere_and_ends_by_itself(scene: Scene) -> None:
    scene.a.tracker.type(CHAT, scene.a.ann)
    assert scene.seen() == [[True], [True]]
    scene.clock.advance(TYPING_SHOWN_S - 0.001)
    assert scene.seen() == [[], []]
    scene.clock.advance(0.001)
    assert scene.seen() == [[False], [False]]
    scene.clock.advance(60)
    assert scene.seen() == [[], []]


def test_repeats_are_told_once_a_second_and_the_end_when_it_comes(scene: Scene) -> None:
    for _ in range(25):
        scene.a.tracker.type(CHAT, scene.a.ann)
        scene.clock.advance(TYPING_REPEAT_S / 5)
    assert scene.seen() == [[True] * 5] * 2
    scene.clock.advance(TYPING_SHOWN_S - TYPING_REPEAT_S / 5 - 0.001)
    assert scene.seen() == [[], []]
    scene.clock.advance(0.001)
    assert scene.seen() == [[False], [False]]
    assert len(scene.net.told) == 6


def test_two_devices_on_two_nodes_are_one_typing_sign(scene: Scene) -> None:
    scene.a.tracker.type(CHAT, scene.a.ann)
    scene.clock.advance(0.5)
    scene.b.tracker.type(CHAT, scene.b.ann)
    assert scene.seen() == [[True], [True]]
    scene.a.tracker.gone(scene.a.ann)
    assert scene.seen() == [[], []], "the connection that typed last is another one"
    scene.clock.advance(TYPING_SHOWN_S - 0.001)
    assert scene.seen() == [[], []], "the second one extends it for both"
    scene.b.tracker.gone(scene.b.ann)
    assert scene.seen() == [[False], [False]]
    scene.clock.advance(60)
    assert scene.seen() == [[], []]


def test_it_can_be_ended_on_the_other_node(scene: Scene) -> None:
    scene.a.tracker.type(CHAT, scene.a.ann)
    assert scene.b.tracker.is_shown(CHAT, ANN)
    scene.b.tracker.end(CHAT, ANN)
    assert scene.seen() == [[True, False]] * 2


def test_a_change_of_the_chat_ends_it_on_each_node_without_telling(scene: Scene) -> None:
    scene.a.tracker.type(CHAT, scene.a.ann)
    told = len(scene.net.told)
    scene.b.tracker.stop(CHAT, ANN)
    assert scene.seen() == [[True], [True, False]]
    scene.a.tracker.stop(CHAT, ANN)
    assert scene.seen() == [[False], []]
    assert len(scene.net.told) == told


def test_typing_at_a_dead_node_ends_at_most_a_second_later(scene: Scene) -> None:
    scene.a.tracker.type(CHAT, scene.a.ann)
    scene.net.die("a")
    scene.clock.advance(TYPING_SHOWN_S + TYPING_REPEAT_S - 0.001)
    assert scene.b.seen() == [True]
    scene.clock.advance(0.001)
    assert scene.b.seen() == [False]


def test_typing_without_a_bus_stays_on_its_node(scene: Scene) -> None:
    scene.net.has_bus = False
    scene.a.tracker.type(CHAT, scene.a.ann)
    scene.clock.advance(60)
    assert scene.seen() == [[True, False], []]


@pytest.mark.parametrize("lost", ["the beginning", "the end"])
def test_lost_values_leave_no_typing_sign_behind(scene: Scene, lost: str) -> None:
    scene.net.has_bus = lost == "the end"
    scene.a.tracker.type(CHAT, scene.a.ann)
    scene.net.has_bus = not scene.net.has_bus
    scene.a.tracker.end(CHAT, ANN)
    scene.clock.advance(60)
    assert scene.seen() == [[True, False], [True, False] if lost == "the end" else []]
