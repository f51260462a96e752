"""Rooms: who gets what, in which order, in how many writes."""

import asyncio
import random
from typing import Any

import pytest

from server.engine import AsyncServer, FanOutManager, deliveries
from tests.engine.conftest import Serve
from tests.engine.peers import Peer, WebSocket


@pytest.fixture
def server() -> AsyncServer:
    return AsyncServer(async_handlers=False)


@pytest.fixture
def manager(server: AsyncServer) -> FanOutManager:
    return server.manager


@pytest.fixture
async def peer(serve: Serve, server: AsyncServer) -> Peer:
    return await serve(server)


class Member:
    """A client and its sid; `got` are the events it has got, up to a mark."""

    def __init__(self, sid: str, socket: WebSocket, manager: FanOutManager) -> None:
        self.sid = sid
        self.socket = socket
        self.manager = manager

    async def got(self) -> list[Any]:
        self.manager.post("mark", None, room=self.sid)
        events = []
        while (packet := await self.socket.receive()) != '42["mark"]':
            events.append(packet)
        return events


async def join(peer: Peer, manager: FanOutManager, *rooms: str) -> Member:
    socket = await peer.direct()
    await socket.send("40")
    sid = str(await socket.receive())[len('40{"sid":"') : -2]
    for room in rooms:
        manager.enter(sid, room)
    return Member(sid, socket, manager)


async def test_data(peer: Peer, manager: FanOutManager) -> None:
    member = await join(peer, manager)
    for data in (None, (), 1, "x", [1], (1, 2), {"a": None}, ("да", [b"\x01"])):
        manager.post("e", data, room=member.sid)
    assert await member.got() == [
        '42["e"]',
        '42["e"]',
        '42["e",1]',
        '42["e","x"]',
        '42["e",[1]]',
        '42["e",1,2]',
        '42["e",{"a":null}]',
        '451-["e","\\u0434\\u0430",[{"_placeholder":true,"num":0}]]',
        b"\x01",
    ]


async def test_rooms(peer: Peer, manager: FanOutManager) -> None:
    a, b, ab = (
        await join(peer, manager, "a"),
        await join(peer, manager, "b"),
        await join(peer, manager, "a", "b"),
    )
    manager.post("to", "a", room="a")
    manager.post("to", "b", room="b")
    manager.post("to", "both", room=["a", "b"])
    manager.post("to", "all", room=None)
    manager.post("to", "none", room="nobody")
    manager.post("to", "nowhere", "/other", room=None)
    manager.post("to", "one", room=b.sid)
    manager.post("to", "some", room="a", skip_sid=a.sid)
    manager.post("to", "nobody", room="a", skip_sid=[a.sid, ab.sid, "unknown"])
    assert [packet[9:-2] for packet in await a.got()] == ["a", "both", "all"]
    assert [packet[9:-2] for packet in await b.got()] == ["b", "both", "all", "one"]
    assert [packet[9:-2] for packet in await ab.got()] == ["a", "b", "both", "all", "some"]


async def test_membership_changes_between_two_events(peer: Peer, manager: FanOutManager) -> None:
    stays, comes, goes = (
        await join(peer, manager, "r"),
        await join(peer, manager),
        await join(peer, manager, "r"),
    )
    manager.post("n", 1, room="r")
    manager.enter(comes.sid, "r")
    manager.leave(goes.sid, "r")
    manager.post("n", 2, room="r")
    assert await stays.got() == ['42["n",1]', '42["n",2]']
    assert await comes.got() == ['42["n",2]']
    assert await goes.got() == ['42["n",1]']


async def test_data_may_change_after_the_call(peer: Peer, manager: FanOutManager) -> None:
    member = await join(peer, manager, "r")
    data = {"n": 1}
    manager.post("n", data, room="r")
    data["n"] = 2
    assert await member.got() == ['42["n",{"n":1}]']


async def test_data_that_cannot_be_encoded(peer: Peer, server: AsyncServer, manager: FanOutManager) -> None:
    member = await join(peer, manager, "r")
    manager.post("n", 1, room="r")
    with pytest.raises(TypeError):
        await server.emit("n", object(), to="r")
    manager.post("n", 2, room="r")
    assert await member.got() == ['42["n",1]', '42["n",2]']


async def test_one_write_a_turn(peer: Peer, server: AsyncServer, manager: FanOutManager) -> None:
    member = await join(peer, manager, "r")
    socket = server.eio.sockets[manager.eio_sid_from_sid(member.sid, "/")]
    writes: list[bytes] = []

    class Counting:
        def get_write_buffer_size(self) -> int:
            return 0

        def write(self, data: bytes) -> None:
            writes.append(data)

    wire, socket.wire = socket.wire, Counting()
    for number in range(20):
        manager.post("n", number, room="r")
    assert writes == []
    await asyncio.sleep(0)
    assert len(writes) == 1
    socket.wire = wire
    wire.write(writes[0])
    assert await member.got() == [f'42["n",{number}]' for number in range(20)]


@pytest.mark.parametrize("members_per_turn", [deliveries.MEMBERS_PER_TURN, 2])
async def test_order_over_any_mixture_of_rooms(
    peer: Peer,
    server: AsyncServer,
    manager: FanOutManager,
    members_per_turn: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every connection sees what was for it in the order of the calls, whatever the ways."""
    monkeypatch.setattr(deliveries, "MEMBERS_PER_TURN", members_per_turn)
    rooms = ["a", "b", "c"]
    members = [await join(peer, manager) for _ in range(6)]
    inside: dict[str, set[str]] = {member.sid: set() for member in members}
    expected: dict[str, list[int]] = {member.sid: [] for member in members}
    chance = random.Random(1)
    for number in range(2000):
        way, member = chance.randrange(9), chance.choice(members)
        room = chance.choice(rooms)
        to: set[str] = set()
        if way == 0:
            manager.enter(member.sid, room)
            inside[member.sid].add(room)
        elif way == 1:
            manager.leave(member.sid, room)
            inside[member.sid].discard(room)
        elif way == 2:
            manager.post("n", number, room=member.sid, volatile=True)
            to = {member.sid}
        elif way == 3:
            await server.emit("n", number, to=["a", "c"])
            to = {sid for sid in inside if inside[sid] & {"a", "c"}}
        elif way == 4:
            manager.post("n", number, room=None, skip_sid=member.sid)
            to = set(inside) - {member.sid}
        elif way == 5:
            await server.emit("n", number, to=member.sid, callback=print)
            to = {member.sid}
        else:
            manager.post("n", number, room=room, skip_sid=member.sid if way == 6 else None, volatile=way == 7)
            to = {sid for sid in inside if room in inside[sid] and not (way == 6 and sid == member.sid)}
        for sid in to:
            expected[sid].append(number)
        if chance.random() < 0.1:
            await asyncio.sleep(0)
    for member in members:
        got = [int(str(packet).split(",")[1][:-1]) for packet in await member.got()]
        assert got == expected[member.sid]


async def test_an_ack_comes_after_what_was_sent_before_it(peer: Peer, server: AsyncServer) -> None:
    @server.on("go")
    def go(sid: str) -> str:
        server.manager.enter(sid, "r")
        server.manager.post("first", None, room="r")
        return "then"

    member = await join(peer, server.manager)
    await member.socket.send('421["go"]')
    assert [await member.socket.receive() for _ in range(2)] == ['42["first"]', '431["then"]']


async def test_a_member_that_breaks_costs_the_others_nothing(
    peer: Peer, server: AsyncServer, manager: FanOutManager, caplog: pytest.LogCaptureFixture
) -> None:
    first, broken, last = [await join(peer, manager, "r") for _ in range(3)]
    socket = server.eio.sockets[manager.eio_sid_from_sid(broken.sid, "/")]
    wire, socket.wire = socket.wire, object()
    manager.post("n", 1, room="r")
    manager.flush()
    socket.wire = wire
    assert await first.got() == ['42["n",1]']
    assert await last.got() == ['42["n",1]']
    assert caplog.records


async def test_flush_of_one_connection(peer: Peer, manager: FanOutManager) -> None:
    inside, outside = await join(peer, manager, "r"), await join(peer, manager)
    manager.post("n", 1, room="r")
    room = manager.rooms["/"]["r"]
    manager.flush(manager.eio_sid_from_sid(outside.sid, "/"))
    assert room.pending
    manager.flush(manager.eio_sid_from_sid(inside.sid, "/"))
    assert not room.pending


async def test_the_books_are_empty_when_all_have_gone(
    peer: Peer, server: AsyncServer, manager: FanOutManager
) -> None:
    members = [await join(peer, manager, "a", "b") for _ in range(5)]
    assert set(server.rooms(members[0].sid)) == {members[0].sid, "a", "b"}
    await server.close_room("a")
    assert set(server.rooms(members[0].sid)) == {members[0].sid, "b"}
    await server.eio.disconnect()
    assert not manager.rooms
    assert not manager._rooms_of
    assert not any(manager.eio_to_sid.values())
    assert not any(manager.pending_connect.values())
    assert not any(manager.pending_disconnect.values())
    assert not server.environ
    assert not server.eio.sockets
    assert not len(server.eio.heartbeat)
    assert server.rooms(members[0].sid) == []


async def test_what_cannot_be_entered(peer: Peer, manager: FanOutManager) -> None:
    one, other = await join(peer, manager), await join(peer, manager)
    with pytest.raises(ValueError, match="sid room"):
        manager.enter(one.sid, other.sid)
    with pytest.raises(ValueError, match="not connected"):
        manager.enter(one.sid, "r", "/nowhere")
    with pytest.raises(KeyError):
        manager.enter("unknown", "r")
    with pytest.raises(ValueError, match="sid room"):
        await manager.close_room(one.sid, "/")
    manager.leave(one.sid, "nowhere")


async def test_many_emits_in_one_turn_let_the_loop_write(peer: Peer, server: AsyncServer) -> None:
    member = await join(peer, server.manager, "r")
    for _ in range(3000):
        await server.emit("n", "x" * 1000, to="r")
    assert len(await member.got()) == 3000
