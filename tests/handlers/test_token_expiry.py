"""Token expiry: a warning a minute before, an end in time, by the wall clock; and no memory of what is gone."""

import math
from typing import Any

import pytest

from handlers.live.connections import Connection, Connections
from handlers.live.token_expiry import CHECK_EVERY_S, SPARE, WARN_BEFORE_S, TokenExpiry
from handlers.wire.endings import Ending, Refused
from tests.clients.clock import ManualClock
from tests.clients.hub import MemoryHub

DAY_S = 24 * 3600


class Scene:
    def __init__(self) -> None:
        self.clock, self.hub, self.connections = ManualClock(), MemoryHub("ann", "bob"), Connections()
        self.hub.on_end(self._ended)
        self.expiry = TokenExpiry(self.hub, self.clock, self.connections)

    def connect(self, name: str, good_for_s: float) -> Connection:
        connection = Connection(name, 1, None, self.clock.unix_s() + good_for_s)
        self.connections.add(connection)
        self.expiry.watch(connection)
        return connection

    def _ended(self, connection_id: str, _ending: Ending) -> None:
        connection = self.connections.get(connection_id)
        if connection is not None:
            self.connections.remove(connection)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_connection_is_warned_and_then_ends(scene: Scene) -> None:
    scene.connect("ann", 100)
    scene.clock.advance(100 - WARN_BEFORE_S - 1)
    assert scene.hub.take("ann") == []
    scene.clock.advance(1.01)
    assert scene.hub.take("ann") == [("token_expiring", {"expires_in": WARN_BEFORE_S})]
    scene.clock.advance(WARN_BEFORE_S - 1)
    assert (scene.hub.take("ann"), scene.hub.ended) == ([], {})
    scene.clock.advance(1)
    assert scene.hub.ended == {"ann": Ending.UNAUTHENTICATED}


def test_a_new_token_counts_from_then_on(scene: Scene) -> None:
    ann = scene.connect("ann", 100)
    scene.clock.advance(50)
    ann.expires_at += 100
    scene.expiry.watch(ann)
    scene.clock.advance(60)
    assert (len(scene.hub.take("ann")), scene.hub.ended) == (1, {})
    scene.clock.advance(90.1)
    assert (scene.hub.take("ann"), scene.hub.ended) == (
        [("token_expiring", {"expires_in": WARN_BEFORE_S})],
        {"ann": Ending.UNAUTHENTICATED},
    )


def test_each_ends_in_its_own_time(scene: Scene) -> None:
    scene.connect("ann", 300)
    scene.connect("bob", 10)
    scene.clock.advance(10.1)
    assert scene.hub.ended == {"bob": Ending.UNAUTHENTICATED}
    scene.clock.advance(290)
    assert scene.hub.ended.keys() == {"ann", "bob"}


def test_a_machine_that_slept_ends_it_at_the_next_check(scene: Scene) -> None:
    scene.connect("ann", DAY_S)
    scene.clock.jump(2 * DAY_S)
    scene.clock.advance(CHECK_EVERY_S)
    assert scene.hub.ended == {"ann": Ending.UNAUTHENTICATED}


def test_a_command_does_not_wait_for_the_check(scene: Scene) -> None:
    ann = scene.connect("ann", DAY_S)
    scene.expiry.check(ann)
    scene.clock.jump(DAY_S)
    with pytest.raises(Refused) as refused:
        scene.expiry.check(ann)
    assert refused.value.ending is Ending.UNAUTHENTICATED
    assert scene.hub.ended == {"ann": Ending.UNAUTHENTICATED}


def test_a_wall_clock_that_is_set_back_warns_anew(scene: Scene) -> None:
    scene.connect("ann", 100)
    scene.clock.advance(41)
    assert len(scene.hub.take("ann")) == 1
    scene.clock.jump(-1000)
    scene.clock.advance(1000)
    assert scene.hub.take("ann")[-1] == ("token_expiring", {"expires_in": WARN_BEFORE_S})
    assert scene.hub.ended == {}
    scene.clock.advance(60)
    assert scene.hub.ended == {"ann": Ending.UNAUTHENTICATED}


def test_after_the_stop_nobody_ends(scene: Scene) -> None:
    scene.connect("ann", 10)
    scene.expiry.stop()
    scene.clock.advance(DAY_S)
    assert scene.hub.ended == {}


def test_connections_that_are_gone_are_not_kept_until_their_tokens_end(scene: Scene) -> None:
    scene.connect("staying", DAY_S)
    for number in range(10_000):
        scene.connections.remove(scene.connect(f"passing {number}", DAY_S))
    due: list[Any] = scene.expiry._due
    assert len(due) <= SPARE + 4
    assert "staying" in [entry[1] for entry in due]


def test_a_connection_with_one_token_after_the_other_is_noted_once_or_twice(scene: Scene) -> None:
    ann = scene.connect("ann", DAY_S)
    day = ann.expires_at
    for number in range(10_000):
        ann.expires_at = day + number % 2
        scene.expiry.watch(ann)
    assert len(scene.expiry._due) <= SPARE + 4


def test_the_token_of_a_bot_is_never_due(scene: Scene) -> None:
    bot = scene.connect("ann", math.inf)
    assert scene.clock._timers == []
    scene.clock.advance(100 * 365 * DAY_S)
    scene.clock.jump(-3600)
    scene.expiry.check(bot)
    assert (scene.hub.take("ann"), scene.hub.ended) == ([], {})


def test_a_connection_may_change_to_the_token_of_a_bot_and_back(scene: Scene) -> None:
    bot = scene.connect("ann", 100)
    bot.expires_at = math.inf
    scene.expiry.watch(bot)
    scene.clock.advance(200)
    assert (scene.hub.take("ann"), scene.hub.ended) == ([], {})
    bot.expires_at = scene.clock.unix_s() + 100
    scene.expiry.watch(bot)
    scene.clock.advance(101)
    assert scene.hub.ended == {"ann": Ending.UNAUTHENTICATED}
