"""What a user has chosen to be shown as stands above the statuses of their connections, at every node."""

import itertools
import random

import pytest

from handlers.live.connections import Connection
from handlers.live.presence_outbox import GATHERED_S
from tests.handlers.presence_scene import ANN, GRACE_S, HEARD_S, KEPT_S, Node, Scene

SETTLED_S = 1.0 + HEARD_S + GATHERED_S + 0.01
"""Within this time every node knows a choice, and what the others say of their connections by then."""


@pytest.fixture
async def alone() -> Node:
    node = await Scene().start("a")
    node.seen()
    return node


@pytest.fixture
async def scene() -> Scene:
    scene = Scene()
    for name in "abc":
        await scene.start(name)
    scene.seen()
    return scene


@pytest.mark.parametrize("chosen", ["away", "busy"])
async def test_others_see_the_choice_and_no_status_of_a_connection(alone: Node, chosen: str) -> None:
    alone.scene.choose(alone, chosen)
    assert (alone.seen(), alone.tracker.status_of(ANN)) == ([], "offline"), "without a connection"
    ann = alone.open()
    assert alone.seen() == [chosen]
    for status in ("busy", "away", "offline", "online"):
        alone.tracker.set(ann, status)
        assert (alone.seen(), alone.tracker.status_of(ANN)) == ([], chosen)
    alone.tracker.closed(ann)
    alone.scene.clock.advance(GRACE_S - 0.01)
    assert alone.seen() == [], "the grace time counts as connected"
    alone.scene.clock.advance(0.01)
    assert alone.seen() == ["offline"]
    assert await alone.scene.notes() == 1


async def test_who_has_chosen_to_be_offline_comes_and_goes_without_a_word(alone: Node) -> None:
    alone.scene.choose(alone, "offline")
    for _ in range(3):
        one, two = alone.open(name="one"), alone.open(name="two")
        alone.tracker.set(one, "busy")
        for connection in (one, two):
            alone.tracker.closed(connection)
            alone.scene.clock.advance(GRACE_S / 2)
    alone.scene.clock.advance(60)
    assert (alone.seen(), alone.tracker.status_of(ANN), await alone.scene.notes()) == ([], "offline", 0)


async def test_a_choice_counts_at_once_and_auto_shows_what_the_connections_say(alone: Node) -> None:
    one, two = alone.open(name="one"), alone.open(name="two")
    assert alone.seen() == ["online"]
    for chosen, seen in (("away", ["away"]), ("offline", ["offline"]), ("offline", []), ("busy", ["busy"])):
        alone.scene.choose(alone, chosen)
        assert alone.seen() == seen
    alone.tracker.set(one, "away")
    alone.tracker.set(two, "away")
    alone.scene.choose(alone, "auto")
    assert alone.seen() == ["away"]


async def test_a_connection_that_said_offline_meanwhile_is_so_once_it_is_auto(alone: Node) -> None:
    one, two = alone.open(name="one"), alone.open(name="two")
    alone.scene.choose(alone, "busy")
    alone.tracker.set(one, "offline")
    assert alone.seen() == ["online", "busy"]
    alone.scene.choose(alone, "auto")
    assert alone.seen() == ["offline"]
    alone.tracker.set(two, "online")
    assert alone.seen() == ["online"]


async def test_who_hides_in_the_grace_time_is_gone_and_not_noted(alone: Node) -> None:
    alone.tracker.closed(alone.open())
    assert alone.seen() == ["online"]
    alone.scene.choose(alone, "offline")
    assert alone.seen() == ["offline"]
    alone.scene.clock.advance(60)
    assert (alone.seen(), await alone.scene.notes()) == ([], 0)


async def test_who_has_ended_is_offline_at_once_and_noted_at_every_node(scene: Scene) -> None:
    a, b, _ = scene.nodes
    one = a.open()
    scene.choose(a, "busy")
    scene.hear()
    scene.seen()
    number, _ = scene.choice
    scene.choice = number, "ended"
    b.learn()
    assert b.seen() == ["offline"], "before the node with the connection has heard of it"
    a.learn()
    a.tracker.closed(one)
    scene.clock.advance(SETTLED_S)
    scene.nodes[2].learn()
    scene.clock.advance(60)
    assert scene.seen() == [["offline"], [], ["offline"]]
    assert await scene.notes() == 1
    scene.choice = number, "busy"
    for node in scene.nodes:
        node.learn()
    a.open()
    scene.hear()
    assert scene.seen() == [["busy"]] * 3


async def test_a_choice_without_a_number_is_taken_in_the_order_of_calls(alone: Node) -> None:
    """A store of one node does not number them."""
    alone.tracker.opened(Connection("1", ANN, None, 0), (0, "busy"))
    for chosen in ("offline", "away", "auto"):
        alone.tracker.chosen(ANN, (0, chosen))
    assert alone.seen() == ["busy", "offline", "away", "online"]


async def test_a_choice_counts_on_every_node_wherever_the_connections_are(scene: Scene) -> None:
    a, b, c = scene.nodes
    one = a.open()
    scene.hear()
    scene.seen()
    for chosen in ("away", "offline", "busy"):
        scene.choose(c, chosen)
        scene.clock.advance(SETTLED_S)
        assert scene.seen() == [[chosen]] * 3
    b.open()
    a.tracker.closed(one)
    scene.clock.advance(60)
    assert scene.seen() == [[]] * 3
    scene.choose(a, "auto")
    scene.clock.advance(SETTLED_S)
    assert scene.seen() == [["online"]] * 3


async def test_nobody_hears_at_any_node_of_who_is_hidden(scene: Scene) -> None:
    """Over connections that move from node to node, that say how they are, over dead nodes and new ones."""
    a, b, c = scene.nodes
    scene.choose(a, "offline")
    one = a.open()
    scene.hear()
    b.tracker.set(b.open(), "busy")
    scene.hear()
    a.tracker.closed(one)
    scene.clock.advance(60)
    d = await scene.start("d")
    assert d.seen() == ["offline"]
    scene.kill(b)
    scene.clock.advance(KEPT_S)
    c.open()
    scene.stop(c)
    scene.clock.advance(KEPT_S)
    assert (scene.seen(), scene.shown()) == ([[], []], {"offline"})


async def test_a_node_that_is_behind_shows_nothing_of_who_hides_at_another(scene: Scene) -> None:
    """It learns the choice from the other node's word, before it reads the account."""
    a, b, _ = scene.nodes
    one, two = a.open(), b.open()
    scene.hear()
    scene.seen()
    scene.choose(a, "offline", delay_s=100)
    scene.hear()
    assert scene.seen() == [["offline"]] * 3
    b.tracker.set(two, "busy")
    a.tracker.closed(one)
    scene.clock.advance(60)
    assert scene.seen() == [[]] * 3
    assert scene.shown() == {"offline"}


async def test_the_late_word_of_a_node_that_is_behind_does_not_undo_a_choice(scene: Scene) -> None:
    _, b, c = scene.nodes
    ann = b.open()
    scene.hear()
    scene.seen()
    scene.choose(c, "offline", delay_s=100)
    assert c.seen() == ["offline"]
    b.tracker.set(ann, "busy")
    scene.hear()
    assert (c.seen(), c.tracker.status_of(ANN)) == ([], "offline")
    scene.clock.advance(100)
    assert scene.shown() == {"offline"}
    assert c.seen() == []


async def test_who_hides_while_their_only_node_is_dead_is_hidden(scene: Scene) -> None:
    a, b, _ = scene.nodes
    a.open()
    scene.hear()
    scene.seen()
    scene.kill(a)
    scene.choose(b, "offline")
    scene.clock.advance(SETTLED_S)
    assert scene.seen() == [["offline"]] * 2
    scene.clock.advance(60)
    assert scene.seen() == [[]] * 2


class Storm:
    """Ann's connections at three nodes, and what the watchers were told; whatever happens is chance."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.scene = Scene(delay_s=self.chance.choice((0.0, 0.1, HEARD_S)))
        self.connections: list[tuple[Node, Connection]] = []
        self.told: dict[str, list[str]] = {name: [] for name in "abc"}
        self.chosen_s = 0.0

    def act(self) -> None:
        chance, scene, connections = self.chance, self.scene, self.connections
        node = chance.choice(scene.nodes)
        action = chance.choice(("open", "open", "close", "close", "say", "choose", "hide"))
        if action == "open":
            connections.append((node, node.open(ANN, f"{len(connections)} {chance.random()}")))
        elif action == "close" and connections:
            self.close(chance.randrange(len(connections)))
        elif action == "say" and connections:
            at, connection = chance.choice(connections)
            at.tracker.set(connection, chance.choice(("online", "away", "busy", "offline")))
        elif action == "choose" or (action == "hide" and scene.choice[1] != "offline"):
            status = "offline" if action == "hide" else chance.choice(("auto", "away", "busy"))
            scene.choose(node, status, delay_s=chance.random())
            self.chosen_s = scene.clock.monotonic()

    def close(self, index: int = -1) -> None:
        at, connection = self.connections.pop(index)
        at.tracker.closed(connection)

    def advance(self, seconds: float) -> None:
        """In small parts: before each, it is known whether anything may be told in it."""
        clock = self.scene.clock
        until = clock.monotonic() + seconds
        while True:
            is_hidden = self.scene.choice[1] == "offline" and clock.monotonic() - self.chosen_s > SETTLED_S
            clock.advance(min(0.5, until - clock.monotonic()))
            for node in self.scene.nodes:
                seen = node.seen()
                assert not (is_hidden and seen), (node.name, seen)
                self.told[node.name] += seen
            if clock.monotonic() >= until:
                return


@pytest.mark.parametrize("seed", range(30))
async def test_whatever_happens_all_nodes_agree_and_nobody_hears_of_who_is_hidden(seed: int) -> None:
    storm = Storm(seed)
    scene = storm.scene
    for name in "abc":
        await scene.start(name)
    for _ in range(150):
        storm.act()
        storm.advance(storm.chance.choice((0.0, 0.05, 0.3)))
        storm.advance(storm.chance.choice((0.0, 3.0, 10.0)))
    storm.advance(60)
    (status,) = scene.shown()
    if scene.choice[1] != "auto":
        assert status == (scene.choice[1] if storm.connections else "offline")
    for statuses in storm.told.values():
        assert statuses[-1] == status
        assert all(one != other for one, other in itertools.pairwise(statuses)), statuses
    while storm.connections:
        storm.close()
    storm.advance(60)
    assert scene.shown() == {"offline"}
    assert not any(node.tracker._elsewhere.of(ANN) for node in scene.nodes)
