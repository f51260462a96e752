"""Rooms: who gets what, in which order, in how many writes."""

import asyncio
import random
from typing import Any

import pytest

from server.engine import AsyncServer, FanOut, FanOutManager, ReadyEvent, frames
from server.engine.deliveries import MEMBERS_PER_TURN
from tests.engine.conftest import Serve
from tests.engine.peers import Peer, WebSocket


@pytest.fixture
def server() -> AsyncServer:
    return AsyncServer(async_handlers=False)


@pytest.fixture
def fan_out(server: AsyncServer) -> FanOut:
    return server.fan_out


@pytest.fixture
async def peer(serve: Serve, server: AsyncServer) -> Peer:
    return await serve(server)


class Member:
    """A client and its sid; `got` are the events it has got, up to a mark."""

    def __init__(self, sid: str, socket: WebSocket, fan_out: FanOut) -> None:
        self.sid = sid
        self.socket = socket
        self.fan_out = fan_out

    async def got(self) -> list[Any]:
        self.fan_out.post("mark", None, room=self.sid)
        events = []
        while (packet := await self.socket.receive()) != '42["mark"]':
            events.append(packet)
        return events


async def join(peer: Peer, fan_out: FanOut, *rooms: str) -> Member:
    socket = await peer.direct()
    await socket.send("40")
    sid = str(await socket.receive())[len('40{"sid":"') : -2]
    for room in rooms:
        fan_out.enter(sid, room)
    return Member(sid, socket, fan_out)


async def test_data(peer: Peer, fan_out: FanOut) -> None:
    member = await join(peer, fan_out)
    for data in (None, (), 1, "x", [1], (1, 2), {"a": None}, ("да", [b"\x01"])):
        fan_out.post("e", data, room=member.sid)
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


async def test_rooms(peer: Peer, fan_out: FanOut) -> None:
    a, b, ab = (
        await join(peer, fan_out, "a"),
        await join(peer, fan_out, "b"),
        await join(peer, fan_out, "a", "b"),
    )
    fan_out.post("to", "a", room="a")
    fan_out.post("to", "b", room="b")
    fan_out.post("to", "both", room=["a", "b"])
    fan_out.post("to", "all", room=None)
    fan_out.post("to", "none", room="nobody")
    fan_out.post("to", "nowhere", "/other", room=None)
    fan_out.post("to", "one", room=b.sid)
    fan_out.post("to", "some", room="a", skip_sid=a.sid)
    fan_out.post("to", "nobody", room="a", skip_sid=[a.sid, ab.sid, "unknown"])
    assert [packet[9:-2] for packet in await a.got()] == ["a", "both", "all"]
    assert [packet[9:-2] for packet in await b.got()] == ["b", "both", "all", "one"]
    assert [packet[9:-2] for packet in await ab.got()] == ["a", "b", "both", "all", "some"]


async def test_membership_changes_between_two_events(peer: Peer, fan_out: FanOut) -> None:
    stays, comes, goes = (
        await join(peer, fan_out, "r"),
        await join(peer, fan_out),
        await join(peer, fan_out, "r"),
    )
    fan_out.post("n", 1, room="r")
    fan_out.enter(comes.sid, "r")
    fan_out.leave(goes.sid, "r")
    fan_out.post("n", 2, room="r")
    assert await stays.got() == ['42["n",1]', '42["n",2]']
    assert await comes.got() == ['42["n",2]']
    assert await goes.got() == ['42["n",1]']


async def test_data_may_change_after_the_call(peer: Peer, fan_out: FanOut) -> None:
    member = await join(peer, fan_out, "r")
    data = {"n": 1}
    fan_out.post("n", data, room="r")
    data["n"] = 2
    assert await member.got() == ['42["n",{"n":1}]']


async def test_data_that_cannot_be_encoded(peer: Peer, server: AsyncServer, fan_out: FanOut) -> None:
    member = await join(peer, fan_out, "r")
    fan_out.post("n", 1, room="r")
    with pytest.raises(TypeError):
        await server.emit("n", object(), to="r")
    fan_out.post("n", 2, room="r")
    assert await member.got() == ['42["n",1]', '42["n",2]']


async def test_one_write_a_turn(peer: Peer, server: AsyncServer, fan_out: FanOut) -> None:
    member = await join(peer, fan_out, "r")
    socket = server.eio.sockets[fan_out.rooms.eio_sid_from_sid(member.sid, "/")]
    writes: list[bytes] = []

    class Counting:
        def get_write_buffer_size(self) -> int:
            return 0

        def write(self, data: bytes) -> None:
            writes.append(data)

    wire, socket.wire = socket.wire, Counting()
    for number in range(20):
        fan_out.post("n", number, room="r")
    assert writes == []
    await asyncio.sleep(0)
    assert len(writes) == 1
    socket.wire = wire
    wire.write(writes[0])
    assert await member.got() == [f'42["n",{number}]' for number in range(20)]


def made_elsewhere(server: AsyncServer, packet: str) -> ReadyEvent:
    """An event as another process has encoded it."""
    dialect = server.eio.dialect
    return ReadyEvent("/", {dialect: frames.text(packet.encode())}, dialect)


@pytest.mark.parametrize("members_per_turn", [MEMBERS_PER_TURN, 2])
async def test_order_over_any_mixture_of_rooms(serve: Serve, members_per_turn: int) -> None:
    """Every connection sees what was for it in the order of the calls, in whichever way each was sent."""
    server = AsyncServer(
        async_handlers=False, client_manager=FanOutManager(members_per_turn=members_per_turn)
    )
    peer, fan_out = await serve(server), server.fan_out
    rooms = ["a", "b", "c"]
    members = [await join(peer, fan_out) for _ in range(6)]
    inside: dict[str, set[str]] = {member.sid: set() for member in members}
    expected: dict[str, list[int]] = {member.sid: [] for member in members}
    chance = random.Random(1)
    for number in range(2000):
        way, member = chance.randrange(10), chance.choice(members)
        room = chance.choice(rooms)
        to: set[str] = set()
        if way == 0:
            fan_out.enter(member.sid, room)
            inside[member.sid].add(room)
        elif way == 1:
            fan_out.leave(member.sid, room)
            inside[member.sid].discard(room)
        elif way == 2:
            fan_out.post("n", number, room=member.sid, volatile=True)
            to = {member.sid}
        elif way == 3:
            await server.emit("n", number, to=["a", "c"])
            to = {sid for sid in inside if inside[sid] & {"a", "c"}}
        elif way == 4:
            fan_out.post("n", number, room=None, skip_sid=member.sid)
            to = set(inside) - {member.sid}
        elif way == 5:
            await server.emit("n", number, to=member.sid, callback=print)
            to = {member.sid}
        elif way == 9:
            fan_out.post_event(made_elsewhere(server, f'42["n",{number}]'), room=room)
            to = {sid for sid in inside if room in inside[sid]}
        else:
            fan_out.post("n", number, room=room, skip_sid=member.sid if way == 6 else None, volatile=way == 7)
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
        server.fan_out.enter(sid, "r")
        server.fan_out.post("first", None, room="r")
        return "then"

    member = await join(peer, server.fan_out)
    await member.socket.send('421["go"]')
    assert [await member.socket.receive() for _ in range(2)] == ['42["first"]', '431["then"]']


async def test_a_member_that_breaks_costs_the_others_nothing(
    peer: Peer, server: AsyncServer, fan_out: FanOut, caplog: pytest.LogCaptureFixture
) -> None:
    first, broken, last = [await join(peer, fan_out, "r") for _ in range(3)]
    socket = server.eio.sockets[fan_out.rooms.eio_sid_from_sid(broken.sid, "/")]
    wire, socket.wire = socket.wire, object()
    fan_out.post("n", 1, room="r")
    fan_out.flush()
    socket.wire = wire
    assert await first.got() == ['42["n",1]']
    assert await last.got() == ['42["n",1]']
    assert caplog.records


async def test_flush_of_one_connection(peer: Peer, fan_out: FanOut) -> None:
    inside, outside = await join(peer, fan_out, "r"), await join(peer, fan_out)
    fan_out.post("n", 1, room="r")
    room = fan_out.rooms.by_namespace["/"]["r"]
    fan_out.flush(fan_out.rooms.eio_sid_from_sid(outside.sid, "/"))
    assert room.pending
    fan_out.flush(fan_out.rooms.eio_sid_from_sid(inside.sid, "/"))
    assert not room.pending


async def test_the_books_are_empty_when_all_have_gone(
    peer: Peer, server: AsyncServer, fan_out: FanOut
) -> None:
    members = [await join(peer, fan_out, "a", "b") for _ in range(5)]
    assert set(server.rooms(members[0].sid)) == {members[0].sid, "a", "b"}
    await server.close_room("a")
    assert set(server.rooms(members[0].sid)) == {members[0].sid, "b"}
    await server.eio.disconnect()
    rooms = fan_out.rooms
    assert not rooms.by_namespace
    assert not rooms._rooms_of
    assert not any(rooms.sids.values())
    assert not any(rooms.connecting.values())
    assert not any(rooms.disconnecting.values())
    assert not server.environ
    assert not server.eio.sockets
    assert not len(server.eio.heartbeat)
    assert server.rooms(members[0].sid) == []


async def test_what_cannot_be_entered(peer: Peer, server: AsyncServer, fan_out: FanOut) -> None:
    one, other = await join(peer, fan_out), await join(peer, fan_out)
    with pytest.raises(ValueError, match="sid room"):
        fan_out.enter(one.sid, other.sid)
    with pytest.raises(ValueError, match="not connected"):
        fan_out.enter(one.sid, "r", "/nowhere")
    with pytest.raises(KeyError):
        fan_out.enter("unknown", "r")
    with pytest.raises(ValueError, match="sid room"):
        await server.close_room(one.sid)
    fan_out.leave(one.sid, "nowhere")


async def test_many_emits_in_one_turn_let_the_loop_write(peer: Peer, server: AsyncServer) -> None:
    member = await join(peer, server.fan_out, "r")
    for _ in range(3000):
        await server.emit("n", "x" * 1000, to="r")
    assert len(await member.got()) == 3000
