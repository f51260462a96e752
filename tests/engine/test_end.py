"""`AsyncServer.end`: the last word of a connection."""

import asyncio
from typing import Any

import pytest
import socketio

from server.engine import AsyncServer
from tests.engine.conftest import Serve
from tests.engine.peers import CONNECT_S, Peer, soon, until
from tests.engine.test_limits import fill, stall


class Ending(AsyncServer):
    def __init__(self) -> None:
        super().__init__(async_handlers=False, close_timeout_s=0.2, buffer_limit_bytes=10**6)
        self.gone: list[str] = []
        self.on("disconnect", lambda sid, reason: self.gone.append(reason))
        self.on("leave", lambda sid, reconnect: self.end(sid, event="bye", reconnect=reconnect))

    @property
    def client(self) -> str:
        return next(iter(self.manager.rooms["/"][None]))


@pytest.fixture
def server() -> Ending:
    return Ending()


@pytest.fixture
async def peer(serve: Serve, server: Ending) -> Peer:
    return await serve(server)


@pytest.mark.parametrize("reconnect", [True, False])
async def test_a_websocket(peer: Peer, server: Ending, reconnect: bool) -> None:
    socket = await peer.connected()
    server.fan_out.post("before", None, room=server.client)
    server.end(server.client, event="closing", data={"code": 1}, reconnect=reconnect)
    server.end(server.client, event="again", reconnect=reconnect)
    server.fan_out.post("after", None, room=server.client)
    got = ['42["before"]', '42["closing",{"code":1}]', *([] if reconnect else ["41"])]
    assert [await socket.receive() for _ in got] == got
    assert await socket.close_code() == (1006 if reconnect else 1000)
    await until(lambda: not server.eio.sockets)
    assert server.gone == ["server disconnect"]


@pytest.mark.parametrize("reconnect", [True, False])
async def test_from_inside_a_handler(peer: Peer, server: Ending, reconnect: bool) -> None:
    socket = await peer.connected()
    await socket.send(f'421["leave",{str(reconnect).lower()}]')
    assert await socket.receive() == '42["bye"]'
    assert await socket.close_code() == (1006 if reconnect else 1000)
    assert server.gone == ["server disconnect"]


@pytest.mark.parametrize("reconnect", [True, False])
@pytest.mark.parametrize("waiting", [True, False], ids=["poll waits", "no poll waits"])
async def test_polling(peer: Peer, server: Ending, reconnect: bool, waiting: bool) -> None:
    sid = (await peer.open())["sid"]
    await peer.post(sid, "40")
    await peer.poll(sid)
    if waiting:
        poll = await peer.waiting_poll(server.eio, sid)
    server.end(server.client, event="closing", data=(1, 2), reconnect=reconnect)
    await until(lambda: not server.eio.sockets)
    if not waiting:
        poll = asyncio.ensure_future(peer.poll(sid))
    rest = "" if reconnect else "\x1e41"
    assert await soon(poll) == (200, f'42["closing",1,2]{rest}')
    assert (await peer.poll(sid))[0] == 400
    assert server.gone == ["server disconnect"]


async def test_a_peer_that_never_reads(peer: Peer, server: Ending) -> None:
    stalled = await stall(peer)
    await until(lambda: "/" in server.manager.rooms and server.manager.is_connected(server.client, "/"))
    server.fan_out.enter(server.client, "r")
    await fill(server, 100_000)
    transport = next(iter(server.eio.sockets.values()))._websocket.transport
    server.end(server.client, event="closing", reconnect=True)
    assert not transport.is_closing()
    await until(lambda: not transport.get_write_buffer_size())
    assert transport.is_closing()
    assert server.gone == ["server disconnect"]
    stalled.socket.close()


async def test_an_unknown_sid(server: Ending) -> None:
    server.end("unknown", reconnect=True)


@pytest.mark.parametrize("transports", [["websocket"], ["polling"]], ids=str)
@pytest.mark.parametrize("reconnect", [True, False])
async def test_what_the_official_client_does_at_the_end(
    peer: Peer, server: Ending, transports: list[str], reconnect: bool
) -> None:
    client = socketio.AsyncClient(
        reconnection_delay=0.01,
        reconnection_delay_max=0.01,
        http_session=peer.session,
        request_timeout=CONNECT_S,
    )
    words: list[Any] = []
    client.on("closing", lambda: words.append("closing"))
    client.on("connect", lambda: words.append("connect"))
    client.on("disconnect", lambda reason: words.append("disconnect"))
    await client.connect(peer.base, transports=transports, wait_timeout=CONNECT_S)
    server.end(server.client, event="closing", reconnect=reconnect)
    expected = ["connect", "closing", "disconnect", *(["connect"] if reconnect else [])]
    try:
        await until(lambda: len(words) == len(expected))
        assert sorted(words) == sorted(expected)  # that client runs its handlers in no order
    finally:
        await client.shutdown()


async def test_the_shutdown_of_the_application_waits_for_nobody(serve: Serve, server: Ending) -> None:
    peer = await serve(server)
    socket = await peer.connected()
    sid = (await peer.open())["sid"]
    poll = await peer.waiting_poll(server.eio, sid)
    await soon(server.eio.disconnect())
    assert await socket.receive() == "1"
    assert await socket.close_code() == 1000
    assert await poll == (200, "1")
    assert server.gone == ["server disconnect"]
