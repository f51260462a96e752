"""Too slow, too silent, too much: the connection ends, the memory stays bounded."""

import asyncio
import contextlib
import socket as sockets
from collections.abc import AsyncIterator
from typing import Any

import pytest

from server.engine import AsyncServer
from server.engine.engineio_session import Session
from tests.engine.clocks import ManualClock
from tests.engine.conftest import Serve
from tests.engine.peers import Peer, soon, until
from tests.patience import within

KIB = 1024


class Stalled:
    """A WebSocket client that says CONNECT and never reads."""

    def __init__(self, peer: Peer) -> None:
        host, port = peer.base.removeprefix("http://").split(":")
        self.address = host, int(port)
        self.path = peer.at("websocket").removeprefix(peer.base)
        self.socket = sockets.socket()
        self.socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        self.socket.setblocking(False)

    async def send(self, text: str) -> None:
        payload = text.encode()
        size = (
            bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2, "big")
        )
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(self.socket, b"\x81" + size + bytes(4) + payload)

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self.socket, self.address)
        await loop.sock_sendall(
            self.socket,
            (
                f"GET {self.path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
            ).encode(),
        )
        await self.send("40")


class Watched(AsyncServer):
    def __init__(self, **options: Any) -> None:
        super().__init__(
            async_handlers=False, buffer_limit_bytes=256 * KIB, volatile_limit_bytes=64 * KIB, **options
        )
        self.gone: list[str] = []
        self.on("connect", self.enter)
        self.on("echo", lambda sid, data: data)
        self.on("disconnect", lambda sid, reason: self.gone.append(reason))

    def enter(self, sid: str, environ: dict[str, Any]) -> None:
        self.fan_out.enter(sid, "r")

    @property
    def client(self) -> str:
        return next(iter(self.manager.rooms["/"]["r"]))

    @property
    def engine_socket(self) -> Session:
        return next(iter(self.eio.sockets.values()))  # type: ignore[no-any-return]


async def stall(peer: Peer) -> Stalled:
    client = Stalled(peer)
    await client.connect()
    return client


@pytest.fixture
async def stalled() -> AsyncIterator[list[Stalled]]:
    clients: list[Stalled] = []
    yield clients
    for client in clients:
        client.socket.close()


async def connected(server: Watched) -> None:
    await until(lambda: "/" in server.manager.rooms and server.manager.is_connected(server.client, "/"))


async def fill(server: Watched, limit: int) -> None:
    while server.fan_out.unsent_bytes(server.client) <= limit:
        server.fan_out.post("n", "x" * 10 * KIB, room="r")
        await asyncio.sleep(0)


async def test_a_slow_member_is_cut(serve: Serve, stalled: list[Stalled]) -> None:
    server = Watched()
    peer = await serve(server)
    stalled.append(await stall(peer))
    await connected(server)
    while not server.gone:
        server.fan_out.post("n", "x" * 10 * KIB, room="r")
        await asyncio.sleep(0)
        assert not server.eio.sockets or (server.fan_out.unsent_bytes(server.client) < 300 * KIB)
    assert server.gone == ["transport error"]
    await until(lambda: not server.eio.sockets)
    assert server.gone == ["transport error"]


async def test_volatile_events_are_left_out_first(serve: Serve, stalled: list[Stalled]) -> None:
    server = Watched()
    peer = await serve(server)
    stalled.append(await stall(peer))
    await connected(server)
    await fill(server, 64 * KIB)
    before = server.fan_out.unsent_bytes(server.client)
    server.fan_out.post("typing", None, room="r", volatile=True)
    server.fan_out.flush()
    assert server.fan_out.unsent_bytes(server.client) == before
    server.fan_out.post("typing", None, room="r", volatile=True)
    server.fan_out.post("n", None, room="r")
    server.fan_out.flush()
    assert server.fan_out.unsent_bytes(server.client) == before + len('..42["n"]')
    assert server.gone == []


async def test_a_peer_that_sends_and_never_reads(serve: Serve, stalled: list[Stalled]) -> None:
    server = Watched()
    peer = await serve(server)
    stalled.append(await stall(peer))
    await connected(server)
    request = '421["echo","' + "x" * 30_000 + '"]'
    with contextlib.suppress(ConnectionError):
        async with within(5):
            while not server.gone:
                await stalled[0].send(request)
                await asyncio.sleep(0)
                unsent = [
                    each._websocket.transport.get_write_buffer_size() for each in server.eio.sockets.values()
                ]
                assert all(size < 300 * KIB for size in unsent)
    await until(lambda: server.gone)
    assert server.gone == ["transport error"]


async def test_a_peer_that_pings_and_never_reads(serve: Serve, stalled: list[Stalled]) -> None:
    server = Watched()
    peer = await serve(server)
    stalled.append(await stall(peer))
    await connected(server)
    await fill(server, 256 * KIB)
    await asyncio.get_running_loop().sock_sendall(stalled[0].socket, b"\x89\x80" + bytes(4))
    await until(lambda: server.gone == ["transport error"])


async def test_a_polling_client_that_does_not_poll(serve: Serve) -> None:
    server = Watched()
    peer = await serve(server)
    sid = (await peer.open())["sid"]
    await peer.post(sid, "40")
    for _ in range(100):
        server.fan_out.post("n", "x" * 10 * KIB, room="r")
        await asyncio.sleep(0)
    await until(lambda: server.gone == ["transport error"])
    assert (await peer.poll(sid))[0] == 400


async def test_volatile_events_for_a_polling_client(serve: Serve) -> None:
    server = Watched()
    peer = await serve(server)
    sid = (await peer.open())["sid"]
    await peer.post(sid, "40")
    await fill(server, 64 * KIB)
    server.fan_out.post("typing", None, room="r", volatile=True)
    server.fan_out.post("n", None, room="r")
    packets: list[str] = []
    while '42["n"]' not in packets:
        packets += (await peer.poll(sid))[1].split("\x1e")
    assert packets[-1] == '42["n"]'
    assert '42["typing"]' not in packets


async def test_the_hook_for_the_slow(serve: Serve, clock: ManualClock, stalled: list[Stalled]) -> None:
    overflowed: list[str] = []
    server = Watched(on_overflow=overflowed.append, close_timeout_s=2, clock=clock)
    peer = await serve(server)
    stalled.append(await stall(peer))
    await connected(server)
    sid = server.engine_socket.sid
    await fill(server, 256 * KIB)
    for _ in range(3):
        server.fan_out.post("n", None, room="r")
        server.fan_out.flush()
    assert overflowed == []  # the members of a room are being written to
    await asyncio.sleep(0)
    assert overflowed == [sid]
    assert server.gone == []
    unsent = server.engine_socket._websocket.transport.get_write_buffer_size()
    await server.emit("n", "x" * 1000, to=server.client)
    await asyncio.sleep(0)
    assert server.engine_socket._websocket.transport.get_write_buffer_size() <= unsent
    clock.turn(1.9)
    assert not server.engine_socket.is_closing
    clock.turn(0.1)
    await until(lambda: server.gone == ["transport error"])


async def test_the_overflow_hook_may_end_the_connection_itself(serve: Serve) -> None:
    def hook(eio_sid: str) -> None:
        sid = server.manager.sid_from_eio_sid(eio_sid, "/")
        server.end(sid, event="closing", data={"code": 1013}, reconnect=True)

    server = Watched(on_overflow=hook)
    peer = await serve(server)
    sid = (await peer.open())["sid"]
    await peer.post(sid, "40")
    while not server.engine_socket.is_closing:
        server.fan_out.post("n", "x" * 10 * KIB, room="r")
        await asyncio.sleep(0)
    packets: list[str] = []
    while not packets or not packets[-1].startswith('42["closing"'):
        packets += (await peer.poll(sid))[1].split("\x1e")
    assert packets[-1] == '42["closing",{"code":1013}]'
    assert (await peer.poll(sid))[0] == 400
    await until(lambda: server.gone == ["server disconnect"])


async def test_the_hook_for_the_silent(serve: Serve, clock: ManualClock) -> None:
    def hook(eio_sid: str) -> None:
        sid = server.manager.sid_from_eio_sid(eio_sid, "/")
        server.end(sid, event="closing", data={"code": 4408}, reconnect=True)

    server = Watched(on_silence=hook, clock=clock)
    peer = await serve(server)
    socket = await peer.connected()
    socket.answers_pings = False
    clock.turn(45)
    assert await socket.receive() == '42["closing",{"code":4408}]'
    assert await socket.close_code() == 1006
    await until(lambda: server.gone == ["server disconnect"])


async def test_a_hook_that_fails(serve: Serve, clock: ManualClock, caplog: pytest.LogCaptureFixture) -> None:
    def hook(eio_sid: str) -> None:
        raise RuntimeError("oops")

    server = Watched(on_silence=hook, close_timeout_s=2, clock=clock)
    peer = await serve(server)
    socket = await peer.connected()
    socket.answers_pings = False
    clock.turn(45)
    await asyncio.sleep(0)
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [RuntimeError]
    assert not server.engine_socket.is_closing
    clock.turn(2)
    assert await socket.close_code() == 1006
    await until(lambda: server.gone == ["ping timeout"])


async def test_a_slow_handler_is_not_silence(serve: Serve, clock: ManualClock) -> None:
    server = Watched(clock=clock)
    going = asyncio.Event()
    waiting = asyncio.Event()

    @server.on("wait")
    async def wait(sid: str) -> bool:
        waiting.set()
        return await going.wait()

    peer = await serve(server)
    socket = await peer.connected()
    await socket.send('421["wait"]')
    answer = asyncio.ensure_future(socket.receive())
    await soon(waiting.wait())
    clock.turn(100)
    assert not server.engine_socket.is_closing
    going.set()
    assert await soon(answer) == "431[true]"


async def test_without_monitoring_nobody_is_expired(serve: Serve, clock: ManualClock) -> None:
    server = Watched(monitor_clients=False, clock=clock)
    peer = await serve(server)
    socket = await peer.connected()
    socket.answers_pings = False
    clock.turn(100)
    await socket.send('421["echo",1]')
    assert await socket.receive() == "431[1]"
