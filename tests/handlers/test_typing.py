"""Typing: each start that is published ends with exactly one `is_typing: false`."""

import pytest

from handlers.live.connections import Connection, Connections
from handlers.live.peers import NoPeers
from handlers.live.typing import TypingTracker
from handlers.policy import TYPING_REPEAT_S, TYPING_SHOWN_S
from tests.clients.clock import ManualClock
from tests.clients.hub import MemoryHub

ANN, BOB, CHAT = 1, 2, 7


class Scene:
    """Ann types in a chat; Bob is in its room, and so are both of Ann's connections."""

    def __init__(self) -> None:
        self.clock, self.hub, connections = ManualClock(), MemoryHub("bob", "ann 1", "ann 2"), Connections()
        self.tracker = TypingTracker(self.hub, self.clock, connections, NoPeers())
        self.one, self.two = Connection("ann 1", ANN, None, 0), Connection("ann 2", ANN, None, 0)
        for connection in (self.one, self.two, Connection("bob", BOB, None, 0)):
            connections.add(connection)
            self.hub.enter(connection.id, f"chat:{CHAT}")

    def seen(self) -> list[bool]:
        assert [self.hub.take("ann 1"), self.hub.take("ann 2")] == [[], []], "Ann does not see herself type"
        received = self.hub.take("bob")
        assert all((payload["chat_id"], payload["user_id"]) == (CHAT, ANN) for _, payload in received)
        return [payload["is_typing"] for _, payload in received]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_sign_is_seen_at_once_and_ends_by_itself(scene: Scene) -> None:
    scene.tracker.type(CHAT, scene.one)
    assert (scene.seen(), scene.tracker.is_shown(CHAT, ANN)) == ([True], True)
    scene.clock.advance(TYPING_SHOWN_S - 0.001)
    assert scene.seen() == []
    scene.clock.advance(0.001)
    assert (scene.seen(), scene.tracker.is_shown(CHAT, ANN)) == ([False], False)
    scene.clock.advance(60)
    assert scene.seen() == []


def test_repeats_extend_it_and_are_seen_at_most_once_a_second(scene: Scene) -> None:
    for _ in range(25):
        scene.tracker.type(CHAT, scene.one)
        scene.clock.advance(TYPING_REPEAT_S / 5)
    assert scene.seen() == [True] * 5
    scene.clock.advance(TYPING_SHOWN_S - TYPING_REPEAT_S / 5 - 0.001)
    assert scene.seen() == []
    scene.clock.advance(0.001)
    assert scene.seen() == [False]


def test_it_is_ended_once_however_often_that_is_said(scene: Scene) -> None:
    scene.tracker.stop(CHAT, ANN)
    assert scene.seen() == []
    scene.tracker.type(CHAT, scene.one)
    scene.tracker.stop(CHAT, ANN)
    scene.tracker.stop(CHAT, ANN)
    scene.clock.advance(60)
    assert scene.seen() == [True, False]


def test_it_ends_with_the_connection_that_typed_last(scene: Scene) -> None:
    scene.tracker.type(CHAT, scene.one)
    scene.tracker.type(CHAT, scene.two)
    scene.tracker.gone(scene.one)
    assert scene.seen() == [True]
    scene.tracker.gone(scene.two)
    assert scene.seen() == [False]


def test_it_ends_where_the_connection_has_left_and_only_there(scene: Scene) -> None:
    scene.tracker.gone(scene.one, (CHAT,))
    scene.tracker.type(CHAT, scene.one)
    scene.tracker.gone(scene.one, (CHAT + 1,))
    scene.tracker.gone(scene.two, (CHAT,))
    assert scene.seen() == [True]
    scene.tracker.gone(scene.one, (CHAT, CHAT + 1))
    assert scene.seen() == [False]
