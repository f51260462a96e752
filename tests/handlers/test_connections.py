"""Live connections: who has which, and when a connection's next command may run."""

import asyncio

import pytest

from handlers.live.connections import Connection, Connections, enter_room, leave_room
from handlers.live.directory import Directory
from handlers.policy import UNFINISHED_MAX
from handlers.wire.endings import Ending, Refused
from storage.promise import Promise
from tests.clients.hub import MemoryHub
from tests.clients.memory_store import MemoryChats, store_of
from tests.patience import SLACK


def connection(name: str = "ann 1", user_id: int = 1) -> Connection:
    return Connection(name, user_id, None, 0)


def test_connections_are_found_by_id_and_by_user() -> None:
    connections = Connections()
    one, two, bob = connection(), connection("ann 2"), connection("bob", 2)
    for each in (one, two, bob):
        connections.add(each)
    assert len(connections) == 3
    assert connections.get("ann 2") is two
    assert list(connections.of(1)) == [one, two]
    assert list(connections.ids_of(2)) == ["bob"]
    assert set(connections.users()) == {1, 2}
    connections.remove(one)
    connections.remove(two)
    assert connections.get("ann 1") is None
    assert (list(connections.of(1)), list(connections.ids_of(1)), set(connections.users())) == ([], [], {2})
    assert list(connections.all()) == [bob]


def test_a_connection_that_has_ended_is_refused_also_if_its_id_is_taken_again() -> None:
    connections = Connections()
    first = connection()
    connections.add(first)
    connections.check(first)
    connections.remove(first)
    connections.add(connection())
    with pytest.raises(Refused) as refused:
        connections.check(first)
    assert refused.value.ending is Ending.REVOKED


async def test_a_room_has_the_connections_that_entered_it() -> None:
    hub, directory = MemoryHub("ann 1"), Directory(store_of(MemoryChats({7: [1]})))
    chat, ann = await directory.for_member(1, 7), connection()
    for _ in range(2):
        enter_room(hub, ann, chat)
        assert (list(ann.joined), list(chat.joined)) == ([7], ["ann 1"])
    hub.emit("hello", {}, room="chat:7")
    assert leave_room(hub, ann, 7)
    assert not leave_room(hub, ann, 7)
    hub.emit("nobody", {}, room="chat:7")
    assert (list(ann.joined), list(chat.joined)) == ([], [])
    assert hub.take("ann 1") == [("hello", {})]


async def test_commands_wait_when_too_many_wait_for_the_disk() -> None:
    ann = connection()
    writes: list[Promise[None]] = [Promise() for _ in range(UNFINISHED_MAX)]
    for write in writes[:-1]:
        ann.begin(write)
    await asyncio.wait_for(ann.ready(), 1 * SLACK)
    ann.begin(writes[-1])
    waiting = asyncio.ensure_future(ann.ready())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    writes[100].settle(None)
    await asyncio.wait_for(waiting, 1 * SLACK)
    writes[0].settle(OSError())
    writes[1].cancel()
    assert ann.unfinished == UNFINISHED_MAX - 3
    assert writes[0].exception() is not None


async def test_commands_wait_for_the_rooms_asked_for_at_connect() -> None:
    ann, joining = connection(), asyncio.get_running_loop().create_future()
    ann.joining = joining
    waiting = asyncio.ensure_future(ann.ready())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    joining.set_result(None)
    await asyncio.wait_for(waiting, 1 * SLACK)
    assert ann.joining is None
