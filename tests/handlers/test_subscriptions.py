"""`subscribe=all`: a connection joins every chat of its user, now and as they come."""

import asyncio

import pytest

from domain.models import ChatState
from handlers.live.connections import Connection, Connections
from handlers.live.directory import Directory
from handlers.live.peers import NoPeers
from handlers.live.streams import StreamTracker
from handlers.live.subscriptions import Subscriptions
from handlers.wire.endings import Ending
from storage.errors import Unavailable
from tests.clients.clock import ManualClock
from tests.clients.hub import MemoryHub
from tests.clients.memory_store import MemoryChats, store_of

ANN = 1


class Scene:
    """Ann is in chats 7 and 8, and not in 9."""

    def __init__(self) -> None:
        self.hub, self.connections = MemoryHub("ann", "other"), Connections()
        self.chats = MemoryChats({7: [1, 2], 8: [1], 9: [2]})
        store = store_of(self.chats)
        self.directory = Directory(store)
        self.streams = StreamTracker(self.hub, ManualClock(), NoPeers())
        self.subscriptions = Subscriptions(store, self.hub, self.connections, self.directory, self.streams)
        self.ann, self.other = Connection("ann", ANN, None, 0), Connection("other", ANN, None, 0)
        self.connections.add(self.ann)
        self.connections.add(self.other)


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_a_subscribing_connection_is_in_all_rooms_when_its_first_command_runs(scene: Scene) -> None:
    scene.subscriptions.begin(scene.ann)
    assert sorted(scene.ann.joined) == []
    await scene.ann.ready()
    assert sorted(scene.ann.joined) == [7, 8]
    assert sorted(scene.other.joined) == []
    scene.hub.emit("hello", {}, room="chat:8")
    assert scene.hub.take("ann") == [("hello", {})]


async def test_a_chat_that_comes_later_is_joined_at_once(scene: Scene) -> None:
    scene.subscriptions.begin(scene.ann)
    await scene.ann.ready()
    scene.chats.members[9].append(ANN)  # type: ignore[attr-defined]
    chat = await scene.directory.for_member(ANN, 9)
    scene.subscriptions.added(ANN, chat)
    assert sorted(scene.ann.joined) == [7, 8, 9]
    assert sorted(scene.other.joined) == []


async def test_without_a_store_the_connection_ends(scene: Scene) -> None:
    scene.chats.is_away = True
    scene.subscriptions.begin(scene.ann)
    await scene.ann.ready()
    assert scene.hub.ended == {"ann": Ending.OVERLOADED}


async def test_a_chat_that_only_newer_servers_serve_is_left_out(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = scene.chats.load

    async def newer(chat_id: int) -> ChatState | None:
        if chat_id == 7:
            raise Unavailable("a row of an unknown kind", "newer")
        return await load(chat_id)

    monkeypatch.setattr(scene.chats, "load", newer)
    scene.subscriptions.begin(scene.ann)
    await scene.ann.ready()
    assert (sorted(scene.ann.joined), scene.hub.ended) == ([8], {})


async def test_a_connection_that_ends_meanwhile_joins_nothing_more(scene: Scene) -> None:
    scene.subscriptions.begin(scene.ann)
    scene.connections.remove(scene.ann)
    await scene.ann.ready()
    assert (sorted(scene.ann.joined), scene.hub.ended) == ([], {})


async def test_a_member_who_was_removed_meanwhile_does_not_join(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def a_moment_ago(_user_id: int) -> list[int]:
        return [7, 9]

    monkeypatch.setattr(scene.chats, "ids_of", a_moment_ago)
    scene.subscriptions.begin(scene.ann)
    await scene.ann.ready()
    assert sorted(scene.ann.joined) == [7]


async def test_a_stop_ends_what_has_begun(scene: Scene) -> None:
    scene.subscriptions.begin(scene.ann)
    scene.subscriptions.stop()
    joining = scene.ann.joining
    assert joining is not None
    await asyncio.wait((joining,))
    assert joining.cancelled()
