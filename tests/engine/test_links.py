"""Connections of another kind in the same rooms."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from server.engine import AsyncServer
from tests.engine.conftest import Serve


class Shout:
    """A dialect that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def encode(self, event: str, args: Sequence[Any], namespace: str) -> bytes:
        self.asked += 1
        return json.dumps([event.upper(), *args]).encode() + b"\n"


class Wire:
    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.unsent = 0

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def get_write_buffer_size(self) -> int:
        return self.unsent


SHOUT = Shout()


class Foreign:
    def __init__(self, sid: str) -> None:
        self.sid = sid
        self.dialect = SHOUT
        self.wire: Wire | None = Wire()
        self.closed = False
        self.session: dict[str, Any] = {}
        self.queue: list[tuple[str, Sequence[Any], str]] = []
        self.overflows = 0
        self.reasons: list[str | None] = []

    def write(self, blob: bytes) -> None:
        assert self.wire is not None
        if self.wire.unsent > 1024 * 1024:
            self.overflow()
        else:
            self.wire.write(blob)

    def enqueue(self, event: str, args: Sequence[Any], namespace: str) -> None:
        self.queue.append((event, args, namespace))

    def overflow(self) -> None:
        self.overflows += 1

    def close(self, reason: str) -> None:
        self.reasons.append(reason)
        self.closed = True


@pytest.fixture
def server() -> AsyncServer:
    def never(*args: Any) -> None:
        raise AssertionError(args)

    server = AsyncServer()
    server.on("disconnect", never)
    return server


async def test_rooms_and_order(server: AsyncServer) -> None:
    link, other = Foreign("a"), Foreign("b")
    sid, other_sid = server.attach_link(link), server.attach_link(other)
    fan_out = server.fan_out
    for each in (sid, other_sid):
        fan_out.enter(each, "r")
    asked = SHOUT.asked
    fan_out.post("one", 1, room="r")
    fan_out.post("two", (2, 3), room="r", skip_sid=other_sid)
    fan_out.post("three", None, room=sid)
    fan_out.flush()
    assert b"".join(link.wire.written) == b'["ONE", 1]\n["TWO", 2, 3]\n["THREE"]\n'
    assert b"".join(other.wire.written) == b'["ONE", 1]\n'
    assert len(link.wire.written) == 2
    assert SHOUT.asked == asked + 3


async def test_it_is_a_client_like_others(server: AsyncServer) -> None:
    link = Foreign("a")
    sid = server.attach_link(link)
    assert server.manager.is_connected(sid, "/")
    assert server.transport(sid) == "websocket"
    await server.save_session(sid, {"n": 1})
    assert await server.get_session(sid) == {"n": 1}
    await server.enter_room(sid, "r")
    assert set(server.rooms(sid)) == {sid, "r"}
    with pytest.raises(ValueError, match="attached"):
        server.attach_link(link)


async def test_without_a_wire_it_gets_the_events_themselves(server: AsyncServer) -> None:
    link = Foreign("a")
    sid = server.attach_link(link)
    wire, link.wire = link.wire, None
    server.fan_out.post("one", 1, room=sid)
    server.fan_out.post("two", None, room=None)
    server.fan_out.flush()
    assert link.queue == [("one", (1,), "/"), ("two", (), "/")]
    assert wire.written == []


async def test_back_pressure(server: AsyncServer) -> None:
    link = Foreign("a")
    sid = server.attach_link(link)
    link.wire.unsent = 300 * 1024
    server.fan_out.post("typing", None, room=sid, volatile=True)
    server.fan_out.post("said", None, room=sid)
    server.fan_out.flush()
    assert link.wire.written == [b'["SAID"]\n']
    assert server.fan_out.unsent_bytes(sid) == 300 * 1024
    link.wire.unsent = 2 * 1024 * 1024
    server.fan_out.post("typing", None, room=sid, volatile=True)
    server.fan_out.flush()
    assert link.overflows == 0
    server.fan_out.post("said", None, room=sid)
    server.fan_out.flush()
    assert link.overflows == 1
    assert link.wire.written == [b'["SAID"]\n']


async def test_detaching_writes_what_is_pending_and_leaves_nothing(server: AsyncServer) -> None:
    link = Foreign("a")
    sid = server.attach_link(link)
    server.fan_out.enter(sid, "r")
    server.fan_out.post("one", None, room="r")
    server.detach_link(link)
    server.detach_link(link)
    server.fan_out.post("two", None, room="r")
    server.fan_out.flush()
    assert link.wire.written == [b'["ONE"]\n']
    assert server.manager.rooms == {}
    assert server.eio.sockets == {}
    assert server.fan_out.unsent_bytes(sid) == 0


async def test_disconnect_closes_it(server: AsyncServer) -> None:
    link = Foreign("a")
    await server.disconnect(server.attach_link(link))
    assert link.reasons == ["server disconnect"]
    assert server.eio.sockets == {}


async def test_end_closes_it_after_a_last_event(server: AsyncServer) -> None:
    link = Foreign("a")
    server.end(server.attach_link(link), event="closing", data={"code": 1}, reconnect=True)
    assert link.wire.written == [b'["CLOSING", {"code": 1}]\n']
    assert link.closed


async def test_shutdown_closes_it(serve: Serve, server: AsyncServer) -> None:
    link = Foreign("a")
    server.attach_link(link)
    await serve(server)
    await server.eio.disconnect()
    assert link.reasons == ["server disconnect"]


async def test_its_sid_opens_nothing_over_http(serve: Serve, server: AsyncServer) -> None:
    server.attach_link(Foreign("a"))
    peer = await serve(server)
    assert (await peer.poll("a"))[0] == 400
    assert (await peer.post("a", "4x"))[0] == 400
    await asyncio.sleep(0)
    server.eio.sockets.clear()


async def test_both_kinds_in_one_room(serve: Serve, server: AsyncServer) -> None:
    server.handlers.clear()
    peer = await serve(server)
    socket = await peer.connected()
    link = Foreign("a")
    server.attach_link(link)
    server.fan_out.post("one", {"n": 1}, room=None)
    assert await socket.receive() == '42["one",{"n":1}]'
    assert link.wire.written == [b'["ONE", {"n": 1}]\n']
