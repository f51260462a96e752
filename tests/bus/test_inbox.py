"""What others spread comes to the clients here in the order of the log, or not at all."""

import asyncio
from collections.abc import Sequence
from typing import Any, Literal, cast

import pytest

from domain.changes import ChatRenamed
from domain.models import Chat
from server.nodes import bus_inbox
from server.nodes.bus_counters import BusCounters
from server.nodes.bus_frames import Message
from server.nodes.bus_inbox import Inbox
from storage.errors import Unavailable
from storage.node_ports import Hint, Nodes
from tests.cluster.waiting import until
from tests.storage.world import START

CHAT = 5


class Log:
    """The part of `storage.node_ports.Nodes` that an inbox uses. `there` are the rows of the chat's log that `apply`
    finds; what `apply` publishes is in `published`, with what the inbox handed out."""

    def __init__(self) -> None:
        self.position = 0
        self.there = 0
        self.published: list[tuple[str, int]] = []
        self.applied: list[Hint] = []
        self.is_away = False

    def received(self, chat_id: int, n: int, seq: int) -> Literal["next", "old", "ahead"]:
        if n != self.position + 1:
            return "old" if n <= self.position else "ahead"
        self.position = n
        return "next"

    async def apply(self, hints: Sequence[Hint]) -> None:
        self.applied += hints
        if self.is_away:
            raise Unavailable("away", "unreachable")
        await asyncio.sleep(0)
        self.read_log()

    def read_log(self) -> None:
        while self.position < self.there:
            self.position += 1
            self.published.append(("log", self.position))


class World:
    def __init__(self) -> None:
        self.log = Log()
        self.counters = BusCounters()
        self.is_stale = False
        self.inbox = Inbox(cast(Nodes, self.log), self.counters, stale=lambda: self.is_stale)
        self.inbox.hand_out = self._hand_out

    def _hand_out(self, chat_id: int, seq: int, sender_id: int, blobs: Any, *, new: bool) -> None:
        assert (chat_id, sender_id, new) == (CHAT, 7, True)
        self.log.published.append(("bus", seq - 100))

    def take(self, *rows: int) -> None:
        self.inbox.take([Message(CHAT, n, n + 100, 7, True, (b"r" * 10, b"s" * 10)) for n in rows])

    @property
    def published(self) -> list[tuple[str, int]]:
        return self.log.published

    async def quiet(self) -> None:
        """Returns when nothing is held."""

        async def look() -> bool:
            return not self.inbox._held and not self.inbox._chases

        await until(look)
        assert self.counters.held_bytes == 0


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(bus_inbox, "CHASED_AFTER_S", 0.02)
    return World()


async def test_what_is_next_is_handed_out_at_once_and_what_is_old_never(world: World) -> None:
    world.take(1, 2)
    world.take(2, 1, 3)
    assert world.published == [("bus", 1), ("bus", 2), ("bus", 3)]
    assert world.counters.messages_late == 2
    assert world.counters.messages_received == 5


async def test_what_comes_too_early_waits_for_what_is_before_it(world: World) -> None:
    world.take(3)
    world.take(2, 4)
    assert world.published == []
    assert world.counters.held_bytes == 60
    world.take(1)
    assert world.published == [("bus", 1), ("bus", 2), ("bus", 3), ("bus", 4)]
    await world.quiet()
    assert world.log.applied == []


async def test_what_waits_comes_when_the_store_has_published_what_is_before_it(world: World) -> None:
    world.take(2, 3)
    world.log.there = 1
    world.log.read_log()
    chat = Chat(CHAT, "Room", "group", START, 1, 0, 1)
    world.inbox.published([ChatRenamed(chat)])
    assert world.published == [("log", 1), ("bus", 2), ("bus", 3)]
    await world.quiet()


async def test_rows_that_do_not_arrive_are_read_from_the_log(world: World) -> None:
    world.take(2, 4)
    world.log.there = 3
    await world.quiet()
    assert world.published == [("log", 1), ("log", 2), ("log", 3), ("bus", 4)]
    assert [dict(hint.rows) for hint in world.log.applied] == [{CHAT: (2, 4)}]
    assert world.counters.chases == 1


async def test_what_the_log_does_not_have_is_left_to_the_looks(world: World) -> None:
    world.take(3)
    await world.quiet()
    assert world.published == []
    world.take(1, 2)
    assert world.published == [("bus", 1), ("bus", 2)]


async def test_a_database_that_is_away_costs_nothing_but_time(world: World) -> None:
    world.log.is_away = True
    world.take(2)
    await world.quiet()
    assert world.published == []


async def test_a_node_that_is_behind_hands_out_nothing_until_it_has_looked(world: World) -> None:
    world.is_stale = True
    world.take(1, 2)
    await asyncio.sleep(0.1)
    assert (world.published, world.log.applied) == ([], [])
    world.take(3)
    world.is_stale = False
    await world.quiet()
    assert world.published == [("bus", 1), ("bus", 2), ("bus", 3)]


async def test_what_is_held_has_a_limit_in_bytes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_inbox, "HELD_BYTES_MAX", 100)
    world.take(*range(2, 7))
    assert world.counters.held_bytes == 100
    world.take(7)
    assert world.counters.held_bytes == 0
    await world.quiet()
    world.take(1)
    assert world.published == [("bus", 1)]


async def test_stop_ends_what_is_under_way(world: World) -> None:
    world.take(2)
    world.inbox.stop()
    await asyncio.sleep(0.1)
    assert world.log.applied == []
