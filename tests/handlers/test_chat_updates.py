"""`chat_updated`: to members who have not joined, at once and then once a second, the last state always."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from domain.models import ChatState
from handlers.live.chat_updates import PUBLISHED_EVERY_S, QUERIES_MAX, ChatUpdates
from handlers.live.connections import Connection, Connections, enter_room
from handlers.live.directory import Directory
from handlers.wire.file_links import FileLinks
from tests.clients.clock import ManualClock
from tests.clients.hub import MemoryHub
from tests.clients.memory_store import MemoryChats, store_of

CHAT = 7
ANN, BOB, CARL, EVE = 1, 2, 3, 4


class Scene:
    """Ann, Bob and Carl are members and connected, Ann twice; Eve is a stranger."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.people = {"ann 1": ANN, "ann 2": ANN, "bob": BOB, "carl": CARL, "eve": EVE}
        self.hub, self.connections = MemoryHub(*self.people), Connections()
        for name, user_id in self.people.items():
            self.connections.add(Connection(name, user_id, None, 0))
        self.chats = MemoryChats({CHAT: [ANN, BOB, CARL, 99]})
        store = store_of(self.chats)
        self.directory = Directory(store)
        links = FileLinks(b"key", self.clock.unix_s)
        self.updates = ChatUpdates(store, self.hub, self.clock, self.connections, self.directory, links)

    async def join(self, name: str) -> None:
        connection = self.connections.get(name)
        assert connection is not None
        enter_room(self.hub, connection, await self.directory.for_member(connection.user_id, CHAT))

    async def seen(self) -> dict[str, list[tuple[int, int]]]:
        """By connection, the count and the mark in each event since the last time."""
        await self.sent()
        return {
            name: [(payload["unread_count"], payload["read_seq"]) for _, payload in received]
            for name in self.people
            if (received := self.hub.take(name))
        }

    async def sent(self) -> None:
        """Returns when all that is due is sent."""
        for _ in range(20):  # more turns of the loop than anything here takes
            await asyncio.sleep(0)

    def previews(self) -> int:
        return sum(question[0] == "preview" for question in self.chats.asked)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    scene = Scene()
    yield scene
    scene.updates.stop()


async def test_members_who_have_not_joined_get_it_and_nobody_else(scene: Scene) -> None:
    await scene.join("bob")
    scene.chats.unread = {CARL: 3}
    scene.updates.changed(CHAT)
    assert await scene.seen() == {"ann 1": [(0, 0)], "ann 2": [(0, 0)], "carl": [(3, 0)]}


async def test_each_member_gets_their_own_mentions(scene: Scene) -> None:
    """Those whose counts are alike share an event; one who differs in mentions alone does not."""
    scene.chats.unread = {ANN: 2, BOB: 2, CARL: 2}
    scene.chats.unread_mentions = {CARL: 1}
    scene.updates.changed(CHAT)
    await scene.sent()
    received = {
        name: [payload["unread_mentions"] for _, payload in scene.hub.take(name)] for name in scene.people
    }
    assert received == {"ann 1": [0], "ann 2": [0], "bob": [0], "carl": [1], "eve": []}


async def test_each_connection_that_has_not_joined_gets_it(scene: Scene) -> None:
    await scene.join("ann 1")
    scene.updates.changed(CHAT)
    assert (await scene.seen()).keys() == {"ann 2", "bob", "carl"}


async def test_a_member_who_reads_at_another_server_costs_no_query_here(scene: Scene) -> None:
    scene.updates.read(CHAT, 99)
    assert await scene.seen() == {}
    assert scene.chats.asked == []


async def test_a_server_to_which_nobody_is_connected_loads_no_chat(scene: Scene) -> None:
    for connection in list(scene.connections.all()):
        scene.connections.remove(connection)
    scene.updates.changed(CHAT)
    assert await scene.seen() == {}
    assert scene.chats.asked == []


async def test_chats_of_other_servers_are_loaded_a_few_at_a_time(scene: Scene) -> None:
    chats = range(100, 150)
    scene.chats.members |= {chat_id: [BOB] for chat_id in chats}
    may_load, loading, most = asyncio.Event(), 0, 0
    load = scene.chats.load

    async def slow_load(chat_id: int) -> ChatState | None:
        nonlocal loading, most
        loading += 1
        most = max(most, loading)
        await may_load.wait()
        loading -= 1
        return await load(chat_id)

    scene.chats.load = slow_load  # type: ignore[method-assign]
    for chat_id in chats:
        scene.updates.changed(chat_id)
    assert await scene.seen() == {}
    may_load.set()
    for _ in range(20):
        await scene.seen()
    assert most == QUERIES_MAX
    assert {question[1] for question in scene.chats.asked if question[0] == "preview"} == set(chats)


async def test_a_burst_is_one_event_at_once_and_one_a_second_later(scene: Scene) -> None:
    scene.updates.changed(CHAT)
    assert (await scene.seen())["bob"] == [(0, 0)]
    for number in range(1, 6):
        scene.chats.unread = {BOB: number}
        scene.updates.changed(CHAT)
        assert await scene.seen() == {}
    scene.clock.advance(PUBLISHED_EVERY_S)
    assert (await scene.seen())["bob"] == [(5, 0)], "the last state"
    scene.clock.advance(PUBLISHED_EVERY_S)
    assert await scene.seen() == {}
    assert scene.previews() == 2
    scene.updates.changed(CHAT)
    assert (await scene.seen())["bob"] == [(5, 0)], "at once again"


async def test_a_reader_s_own_connections_get_it_alone(scene: Scene) -> None:
    scene.chats.read_seqs = {ANN: 6}
    scene.updates.read(CHAT, ANN)
    assert await scene.seen() == {"ann 1": [(0, 6)], "ann 2": [(0, 6)]}
    assert scene.chats.asked[-1] == ("preview", CHAT, [ANN])


async def test_if_all_have_joined_the_store_is_not_asked(scene: Scene) -> None:
    for name in ("ann 1", "ann 2", "bob", "carl"):
        await scene.join(name)
    scene.updates.changed(CHAT)
    assert (await scene.seen(), scene.previews()) == ({}, 0)


async def test_while_the_store_is_away_it_waits(scene: Scene) -> None:
    scene.chats.is_away = True
    scene.updates.changed(CHAT)
    scene.updates.read(CHAT, ANN)
    assert await scene.seen() == {}
    scene.chats.is_away = False
    scene.clock.advance(PUBLISHED_EVERY_S)
    assert (await scene.seen()).keys() == {"ann 1", "ann 2", "bob", "carl"}


async def test_a_chat_that_only_newer_servers_serve_is_asked_for_once(scene: Scene) -> None:
    scene.chats.is_away, scene.chats.trouble = True, "newer"
    scene.updates.changed(CHAT)
    await scene.seen()
    asked = scene.previews()
    for _ in range(3):
        scene.clock.advance(PUBLISHED_EVERY_S)
        await scene.seen()
    assert (scene.previews(), scene.updates._due) == (asked, {})


async def test_a_chat_that_is_gone_is_no_more_published(scene: Scene) -> None:
    scene.updates.changed(CHAT + 1)
    assert await scene.seen() == {}
    scene.clock.advance(PUBLISHED_EVERY_S)
    await scene.seen()
    assert scene.updates._due == {}
