"""Presence over several nodes: others see one user, whichever nodes the user is connected to."""

import itertools
import random
from collections import Counter
from collections.abc import Callable

import pytest

from handlers.live.connections import Connection, leave_room
from handlers.live.peer_presence import USERS_PER_TURN
from handlers.live.presence import HEARD_WITHIN_S, NOTED_WITHIN_S
from handlers.wire.endings import RETRY_SPREAD_MS
from tests.clients.clock import ManualTimer
from tests.handlers.presence_scene import ANN, GRACE_S, HEARD_S, KEPT_S, Node, Scene


@pytest.fixture
async def scene() -> Scene:
    scene = Scene()
    for name in "abc":
        await scene.start(name)
    scene.seen()
    return scene


async def test_a_user_comes_and_goes_once_on_every_node(scene: Scene) -> None:
    a, _, _ = scene.nodes
    ann = a.open()
    assert scene.seen() == [["online"], [], []]
    scene.hear()
    assert scene.seen() == [[], ["online"], ["online"]]
    a.tracker.closed(ann)
    scene.clock.advance(GRACE_S)
    assert scene.seen() == [[], [], []]
    scene.clock.advance(HEARD_WITHIN_S)
    assert scene.seen() == [["offline"], [], []]
    scene.hear()
    assert scene.seen() == [[], ["offline"], ["offline"]]
    assert await scene.notes() == 1


async def test_others_see_the_strongest_status_of_all_nodes(scene: Scene) -> None:
    a, b, _ = scene.nodes
    one, two = a.open(), b.open()
    scene.hear()
    assert scene.seen() == [["online"]] * 3
    for node, connection, status, seen in (
        (a, one, "away", []),
        (b, two, "away", ["away"]),
        (a, one, "busy", ["busy"]),
        (b, two, "online", []),
        (a, one, "online", ["online"]),
    ):
        node.tracker.set(connection, status)
        scene.hear()
        assert scene.seen() == [seen] * 3, (connection.id, status)


async def test_a_status_counts_no_more_once_its_last_connection_is_gone_and_another_is_elsewhere(
    scene: Scene,
) -> None:
    a, b, _ = scene.nodes
    one, _ = a.open(), b.open()
    a.tracker.set(one, "busy")
    scene.hear()
    scene.seen()
    a.tracker.closed(one)
    assert scene.seen() == [["online"], [], []]
    scene.hear()
    assert scene.seen() == [[], ["online"], ["online"]]
    scene.clock.advance(60)
    assert (scene.seen(), await scene.notes()) == ([[], [], []], 0)


@pytest.mark.parametrize("after_s", [0.1, GRACE_S - 0.001])
async def test_who_changes_nodes_within_the_grace_time_was_never_gone(scene: Scene, after_s: float) -> None:
    a, b, _ = scene.nodes
    ann = a.open()
    scene.hear()
    scene.seen()
    a.tracker.closed(ann)
    scene.clock.advance(after_s)
    b.open()
    scene.clock.advance(60)
    assert (scene.seen(), scene.shown(), await scene.notes()) == ([[], [], []], {"online"}, 0)


async def test_all_connections_drop_at_once_and_come_back_elsewhere(scene: Scene) -> None:
    a, b, c = scene.nodes
    one, two = a.open(), b.open()
    scene.hear()
    scene.seen()
    a.tracker.closed(one)
    b.tracker.closed(two)
    scene.clock.advance(GRACE_S - 0.1)
    c.open()
    scene.clock.advance(60)
    assert (scene.seen(), scene.shown(), await scene.notes()) == ([[], [], []], {"online"}, 0)


async def test_the_last_two_connections_end_at_once(scene: Scene) -> None:
    a, b, _ = scene.nodes
    one, two = a.open(), b.open()
    scene.hear()
    scene.seen()
    a.tracker.closed(one)
    b.tracker.closed(two)
    scene.clock.advance(60)
    assert (scene.seen(), scene.shown()) == ([["offline"]] * 3, {"offline"})
    assert await scene.notes() >= 1, "each believed that the other had the user, and still it is noted"


async def test_who_comes_later_sees_the_users_of_the_others(scene: Scene) -> None:
    a, _, _ = scene.nodes
    a.tracker.set(a.open(), "busy")
    scene.hear()
    d = await scene.start("d")
    assert d.seen() == ["busy"]


async def test_the_wish_to_appear_offline_holds_on_every_node(scene: Scene) -> None:
    a, b, _ = scene.nodes
    one, _ = a.open(), b.open()
    scene.hear()
    scene.seen()
    a.tracker.set(one, "offline")
    scene.hear()
    assert scene.seen() == [["offline"]] * 3
    a.tracker.closed(one)
    scene.clock.advance(60)
    assert (scene.seen(), scene.shown()) == ([[], [], []], {"offline"}), "the wish outlives its connection"


@pytest.mark.parametrize("how", ["says so", "opens a connection"])
async def test_the_wish_to_appear_offline_ends_by_any_node(scene: Scene, how: str) -> None:
    a, b, c = scene.nodes
    one, two = a.open(), b.open()
    a.tracker.set(one, "offline")
    scene.hear()
    scene.seen()
    if how == "says so":
        b.tracker.set(two, "online")
    else:
        c.open()
    scene.hear()
    assert (scene.seen(), scene.shown()) == ([["online"]] * 3, {"online"})


async def test_the_wish_to_appear_offline_is_known_to_a_node_that_starts_later(scene: Scene) -> None:
    a, _, _ = scene.nodes
    a.tracker.set(a.open(), "offline")
    scene.hear()
    d = await scene.start("d")
    assert d.seen() == ["offline"]
    d.open()
    scene.hear()
    assert scene.shown() == {"online"}


async def test_two_nodes_that_do_not_know_of_each_other_agree_in_the_end(scene: Scene) -> None:
    a, b, c = scene.nodes
    one, two, _ = a.open(), b.open(), c.open()
    for first, second in (("offline", "online"), ("online", "offline"), ("offline", "offline")):
        for status in (first, second):
            a.tracker.set(one, status)
            b.tracker.set(two, {"offline": "online", "online": "offline"}[status])
        scene.clock.advance(10)
        assert len(scene.shown()) == 1, (first, second)
    a.tracker.set(one, "offline")
    b.tracker.set(two, "busy")
    scene.clock.advance(10)
    assert scene.shown() == {"offline"}, "in doubt a user who wants to be alone is"


async def test_the_wish_to_appear_offline_is_over_with_the_last_connection(scene: Scene) -> None:
    a, b, _ = scene.nodes
    one = a.open()
    a.tracker.set(one, "offline")
    scene.hear()
    a.tracker.closed(one)
    scene.clock.advance(60)
    scene.seen()
    b.open()
    scene.hear()
    assert scene.seen() == [["online"]] * 3


async def test_a_node_ends_all_connections_and_their_users_come_back_elsewhere(scene: Scene) -> None:
    a, b, _ = scene.nodes
    ann, other = a.open(), a.open(3)
    scene.hear()
    scene.seen()
    with a.tracker.coming_back():
        a.tracker.closed(ann)
        a.tracker.closed(other)
    scene.clock.advance(KEPT_S - HEARD_WITHIN_S - 0.1)
    b.open()
    scene.clock.advance(HEARD_WITHIN_S)
    assert [node.hub.take(node.watcher) for node in scene.nodes] == [[], [], []]
    scene.clock.advance(60)
    assert (scene.shown(), a.tracker.status_of(3)) == ({"online"}, "offline")


async def test_the_users_of_a_dead_node_are_offline_once_those_who_come_back_had_time_to(
    scene: Scene,
) -> None:
    a, b, _ = scene.nodes
    a.open()
    a.open(3)
    scene.hear()
    scene.seen()
    scene.kill(a)
    b.open(3)
    scene.clock.advance(KEPT_S - 0.01)
    assert scene.seen() == [[], []]
    scene.clock.advance(0.01)
    assert scene.seen() == [["offline"]] * 2
    assert scene.seen(of=3) == [[], []]
    assert scene.nodes[0].tracker.status_of(3) == "online"


@pytest.mark.parametrize("survivors", [1, 2])
async def test_last_seen_of_the_users_of_a_dead_node_is_written(scene: Scene, survivors: int) -> None:
    a, b, _ = scene.nodes
    a.open()
    a.open(3)
    b.open(3)
    scene.hear()
    scene.kill(a)
    if survivors == 1:  # the one that would have noted it dies too
        scene.kill(b)
    scene.clock.advance(KEPT_S)
    for _ in range(3):
        await scene.notes()
        scene.clock.advance(NOTED_WITHIN_S)
    assert await scene.notes(ANN) == 1
    assert await scene.notes(3) == (1 if survivors == 1 else 0)


async def test_the_users_of_a_node_that_wakes_are_back(scene: Scene) -> None:
    a, b, _ = scene.nodes
    a.open()
    busy = b.open(3)
    scene.hear()
    scene.seen()
    scene.net.die("a")
    b.tracker.set(busy, "busy")
    scene.clock.advance(60)
    assert scene.seen() == [[], ["offline"], ["offline"]]
    scene.net.wake("a")
    assert scene.seen() == [[], ["online"], ["online"]]
    assert a.tracker.status_of(3) == "busy", "and it knows what it has missed"


async def test_one_that_wakes_in_time_was_never_gone(scene: Scene) -> None:
    scene.nodes[0].open()
    scene.hear()
    scene.seen()
    scene.net.die("a")
    scene.clock.advance(KEPT_S - 0.01)
    scene.net.wake("a")
    scene.clock.advance(60)
    assert (scene.seen(), scene.shown()) == ([[], [], []], {"online"})


async def test_one_that_ends_tells_nothing_of_its_last_moments(scene: Scene) -> None:
    a, b, _ = scene.nodes
    ann, _ = a.open(), a.open(3)
    scene.hear()
    scene.seen()
    a.tracker.going_away()
    a.tracker.closed(ann)
    scene.clock.advance(GRACE_S)
    scene.stop(a)
    scene.clock.advance(RETRY_SPREAD_MS / 1000)
    b.open()
    scene.clock.advance(60)
    assert scene.seen() == [[], []]
    assert scene.seen(of=3) == [[], []]
    assert scene.shown() == {"online"}


@pytest.mark.parametrize("how", ["ends", "is killed"])
async def test_a_node_without_others_starts_with_nobody(how: str) -> None:
    scene = Scene()
    a = await scene.start("a")
    a.open()
    scene.clock.advance(1)
    (scene.stop if how == "ends" else scene.kill)(a)
    b = await scene.start("b")
    assert b.seen() == ["offline"]
    b.open()
    assert b.seen() == ["online"]
    scene.clock.advance(60)
    assert b.seen() == []
    assert await scene.notes() == (0 if how == "ends" else 1)


async def test_three_restarts_in_turn_publish_nothing(scene: Scene) -> None:
    """The users of a node that restarts come back to any node within the time that they get, as their clients
    do."""
    users = range(3, 51)
    at = {user_id: scene.nodes[user_id % 3] for user_id in users}
    connections = {user_id: node.open(user_id) for user_id, node in at.items()}
    scene.clock.advance(5)
    for node in scene.nodes:
        node.hub.take(node.watcher)
    published: Counter[str] = Counter()
    for round_, old in enumerate(list(scene.nodes)):
        old.tracker.going_away()
        leaving = [user_id for user_id in users if at[user_id] is old]
        for user_id in leaving:
            old.tracker.closed(connections[user_id])
        scene.clock.advance(0.5)
        scene.stop(old)
        new = await scene.start(f"{old.name} {round_}")
        new.hub.take(new.watcher)  # what a join shows
        for user_id in leaving:
            scene.clock.advance(RETRY_SPREAD_MS / 1000 / len(leaving))
            at[user_id] = scene.nodes[user_id % 7 % 3]
            connections[user_id] = at[user_id].open(user_id)
        scene.clock.advance(30)
        for node in scene.nodes:
            published.update(name for name, _ in node.hub.take(node.watcher))
    assert {node.tracker.status_of(user_id) for node in scene.nodes for user_id in users} == {"online"}
    assert await scene.notes(3) <= 3
    assert not published
    told = [value for _, topic, value in scene.net.told if topic == "presence"]
    assert len(told) < 5 * 60, "what changes within a fifth of a second is told together"


CROWD = range(1, 10_001)
"""More users than the watched chat has."""


@pytest.fixture
async def crowd() -> Scene:
    """Two nodes; the crowd is connected to the first one."""
    scene = Scene(delay_s=0.0)
    a, _ = await scene.start("a"), await scene.start("b")
    for user_id in CROWD:
        a.open(user_id)
    scene.clock.advance(1)
    scene.seen()
    return scene


async def test_many_users_are_told_in_few_values(crowd: Scene) -> None:
    told = [value for _, topic, value in crowd.net.told if topic == "presence"]
    assert len(told) <= 2
    assert [list(value) for value in told] == [["online"]] * len(told)


async def test_many_users_of_a_dead_node_leave_the_loop_free(
    crowd: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are worked on in many turns, each of which is over soon."""
    turns = 0
    call_later = crowd.clock.call_later

    def count(delay_s: float, callback: Callable[[], None]) -> ManualTimer:
        nonlocal turns
        turns += delay_s == 0
        return call_later(delay_s, callback)

    monkeypatch.setattr(crowd.clock, "call_later", count)
    crowd.kill(crowd.nodes[0])
    crowd.clock.advance(KEPT_S)
    assert crowd.seen() == [["offline"]]
    assert {crowd.nodes[0].tracker.status_of(user_id) for user_id in CROWD} == {"offline"}
    assert turns >= 2 * len(CROWD) / USERS_PER_TURN - 2, "once when they leave, and once when they are gone"


async def test_a_room_that_is_left_hears_nothing(scene: Scene) -> None:
    a, b, _ = scene.nodes
    chat = b.directory.peek(7)
    assert chat is not None
    leave_room(b.hub, chat.joined[b.watcher], 7)
    a.open()
    scene.hear()
    assert scene.seen() == [["online"], [], ["online"]]


@pytest.mark.parametrize("seed", range(30))
async def test_whatever_happens_all_nodes_agree_in_the_end(seed: int) -> None:
    """Connections open, close and say how they are; nodes are taken for dead, and wake. Nobody is told the same thing
    twice in a row, and what was told last is what holds."""
    chance = random.Random(seed)
    scene = Scene(delay_s=chance.choice((0.0, 0.1, HEARD_S)))
    nodes = [await scene.start(name) for name in "abc"]
    connections: list[tuple[Node, Connection]] = []
    asleep: list[Node] = []
    told: dict[str, list[str]] = {node.name: [] for node in nodes}

    def look() -> None:
        for node in nodes:
            told[node.name] += node.seen()

    for step in range(120):
        node = chance.choice(nodes)
        action = chance.choice(("open", "open", "close", "close", "set", "set", "die", "wake"))
        if action == "open":
            connections.append((node, node.open(ANN, f"{step}")))
        elif action == "close" and connections:
            at, connection = connections.pop(chance.randrange(len(connections)))
            at.tracker.closed(connection)
        elif action == "set" and connections:
            at, connection = chance.choice(connections)
            at.tracker.set(connection, chance.choice(("online", "away", "busy", "offline")))
        elif action == "die" and not asleep:
            scene.net.die(node.name)
            asleep.append(node)
        elif action == "wake" and asleep:
            scene.net.wake(asleep.pop().name)
        scene.clock.advance(chance.choice((0.0, 0.05, 0.3, 1.0, 3.0, 10.0)))
        look()
    for node in asleep:
        scene.net.wake(node.name)
    scene.clock.advance(60)
    look()
    (status,) = scene.shown()
    assert (status == "offline") or connections
    for statuses in told.values():
        assert statuses[-1] == status
        assert all(one != other for one, other in itertools.pairwise(statuses)), statuses
    while connections:
        at, connection = connections.pop()
        at.tracker.closed(connection)
    scene.clock.advance(60)
    assert scene.shown() == {"offline"}
    assert all(not node.tracker._users for node in nodes)
    assert not any(node.tracker._elsewhere.of(ANN) for node in nodes)
