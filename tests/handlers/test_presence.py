"""Presence: what others see of a user, and when it is published."""

import pytest

from handlers.live.connections import Connection, enter_room
from handlers.live.directory import Directory
from handlers.live.last_seen import LastSeen
from handlers.live.peers import NoPeers
from handlers.live.presence import PresenceTracker
from handlers.policy import PRESENCE_MEMBERS_MAX
from tests.clients.clock import ManualClock
from tests.clients.hub import MemoryHub
from tests.clients.memory_store import MemoryChats, store_of

GRACE_S = 2.0
ANN, BOB = 1, 2


class NotedUsers(LastSeen):
    """Keeps in memory of whom the store would note when they were last seen."""

    def __init__(self) -> None:
        self.noted: list[int] = []

    def note(self, user_id: int) -> None:
        self.noted.append(user_id)


class Scene:
    """Bob watches chat 7, of which Ann is a member too."""

    def __init__(self) -> None:
        self.clock, self.hub = ManualClock(), MemoryHub("bob", "ann 1", "ann 2")
        self.chats = MemoryChats({7: [ANN, BOB], 8: range(1, PRESENCE_MEMBERS_MAX + 2)})
        self.directory = Directory(store_of(self.chats))
        self.last_seen = NotedUsers()
        self.left = self.last_seen.noted
        self.tracker = PresenceTracker(
            self.hub, self.clock, self.directory, NoPeers(), grace_s=GRACE_S, last_seen=self.last_seen
        )
        self.bob = Connection("bob", BOB, None, 0)
        self.one, self.two = Connection("ann 1", ANN, None, 0), Connection("ann 2", ANN, None, 0)

    async def watch(self, chat_id: int) -> None:
        enter_room(self.hub, self.bob, await self.directory.for_member(BOB, chat_id))

    def seen(self) -> list[str]:
        """What Bob was sent of Ann: her statuses."""
        received = self.hub.take("bob")
        assert all(payload["user_id"] == ANN for _, payload in received)
        return [payload.get("status", "offline") for _, payload in received]


@pytest.fixture
async def scene() -> Scene:
    scene = Scene()
    await scene.watch(7)
    return scene


async def test_a_connection_is_online_until_the_grace_time_after_its_end(scene: Scene) -> None:
    scene.tracker.opened(scene.one)
    assert (scene.seen(), scene.tracker.status_of(ANN)) == (["online"], "online")
    scene.tracker.closed(scene.one)
    scene.clock.advance(GRACE_S - 0.001)
    assert (scene.seen(), scene.tracker.status_of(ANN), scene.left) == ([], "online", [])
    scene.clock.advance(0.001)
    assert (scene.seen(), scene.tracker.status_of(ANN), scene.left) == (["offline"], "offline", [ANN])


async def test_a_page_reload_is_silent(scene: Scene) -> None:
    scene.tracker.opened(scene.one)
    scene.tracker.closed(scene.one)
    scene.clock.advance(GRACE_S / 2)
    scene.tracker.opened(scene.two)
    scene.clock.advance(10 * GRACE_S)
    assert (scene.seen(), scene.left) == (["online"], [])


async def test_others_see_the_strongest_status_and_only_changes(scene: Scene) -> None:
    scene.tracker.opened(scene.one)
    scene.tracker.opened(scene.two)
    assert scene.seen() == ["online"]
    for connection, status, seen in (
        (scene.one, "away", []),
        (scene.two, "away", ["away"]),
        (scene.one, "busy", ["busy"]),
        (scene.two, "online", []),
        (scene.one, "online", ["online"]),
    ):
        scene.tracker.set(connection, status)
        assert scene.seen() == seen, (connection.id, status)


async def test_the_status_of_a_lost_connection_counts_no_more(scene: Scene) -> None:
    scene.tracker.opened(scene.one)
    scene.tracker.opened(scene.two)
    scene.tracker.set(scene.one, "busy")
    scene.seen()
    scene.tracker.closed(scene.one)
    assert scene.seen() == ["online"]


@pytest.mark.parametrize("how", ["says so", "opens a connection"])
async def test_the_wish_to_appear_offline_holds_for_all_connections_until_one(scene: Scene, how: str) -> None:
    scene.tracker.opened(scene.one)
    scene.seen()
    scene.tracker.set(scene.one, "offline")
    assert (scene.seen(), scene.left) == (["offline"], [])
    if how == "says so":
        scene.tracker.set(scene.one, "away")
        assert scene.seen() == ["away"]
    else:
        scene.tracker.opened(scene.two)
        assert scene.seen() == ["online"]


async def test_a_chat_too_large_carries_no_presence(scene: Scene) -> None:
    large = Scene()
    await large.watch(8)
    large.tracker.opened(large.one)
    assert large.seen() == []
    chat = await large.directory.for_member(BOB, 8)
    large.tracker.show(chat, large.bob)
    assert large.seen() == []


async def test_who_joins_is_shown_every_other_member(scene: Scene) -> None:
    chat = await scene.directory.for_member(BOB, 7)
    scene.tracker.show(chat, scene.bob)
    assert scene.seen() == ["offline"]
    scene.tracker.opened(scene.one)
    scene.tracker.set(scene.one, "busy")
    scene.seen()
    scene.tracker.show(chat, scene.bob)
    assert scene.seen() == ["busy"]


async def test_nobody_else_s_end_matters(scene: Scene) -> None:
    scene.tracker.closed(scene.one)
    scene.tracker.opened(scene.two)
    scene.tracker.closed(scene.one)
    scene.clock.advance(GRACE_S)
    assert (scene.seen(), scene.left) == (["online"], [])


async def test_at_the_stop_those_in_their_grace_time_are_gone(scene: Scene) -> None:
    scene.tracker.opened(scene.one)
    scene.tracker.closed(scene.one)
    scene.tracker.stop()
    assert (scene.seen(), scene.left) == (["online", "offline"], [ANN])
    scene.clock.advance(GRACE_S)
    assert scene.left == [ANN]
