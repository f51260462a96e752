"""Client managers other than ours: python-socketio's own, and those that reach other processes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import socketio
from socketio.async_pubsub_manager import AsyncPubSubManager

from server.engine import AsyncServer, FanOutManager
from tests.engine.conftest import Serve
from tests.engine.links import Link
from tests.engine.peers import CONNECT_S, Peer, soon, until

Connect = Callable[[Peer], Awaitable[socketio.AsyncClient]]


class Bus(AsyncPubSubManager):
    """Reaches all servers of a test."""

    def __init__(self, channels: list[asyncio.Queue[Any]]) -> None:
        super().__init__()
        self.channels = channels
        self.own: asyncio.Queue[Any] = asyncio.Queue()

    async def _publish(self, data: Any) -> None:
        for channel in self.channels:
            channel.put_nowait(data)

    async def _listen(self) -> AsyncIterator[Any]:
        self.channels.append(self.own)
        while True:
            yield await self.own.get()


class BusFanOut(Bus, FanOutManager):
    """The same, with our rooms for the members here."""


@pytest.fixture(params=["websocket", "polling"])
async def connect(request: pytest.FixtureRequest) -> AsyncIterator[Connect]:
    clients: list[socketio.AsyncClient] = []

    async def start(peer: Peer) -> socketio.AsyncClient:
        client = socketio.AsyncClient(
            reconnection=False, http_session=peer.session, request_timeout=CONNECT_S
        )
        client.events = asyncio.Queue()
        client.on("*", lambda *event: client.events.put_nowait(event))
        clients.append(client)
        await soon(client.connect(peer.base, transports=[request.param], wait_timeout=CONNECT_S))
        return client

    yield start
    for client in clients:
        await client.disconnect()


async def test_the_library_s_own(serve: Serve, connect: Connect) -> None:
    server = AsyncServer(client_manager=socketio.AsyncManager())
    gone: list[str] = []
    server.on("echo", lambda sid, data: data)
    server.on("disconnect", lambda sid, reason: gone.append(reason))
    peer = await serve(server)
    one, other = await connect(peer), await connect(peer)
    for client in (one, other):
        await server.enter_room(client.get_sid(), "r")
    await server.emit("to", {"r": b"\x01"}, room="r")
    await server.emit("to", 2, room="r", skip_sid=other.get_sid())
    await server.emit("to", 3, to=one.get_sid())
    await server.leave_room(one.get_sid(), "r")
    await server.emit("to", 4, room="r")
    await server.close_room("r")
    await server.emit("to", 5, room="r")
    assert [await soon(one.events.get()) for _ in range(3)] == [("to", {"r": b"\x01"}), ("to", 2), ("to", 3)]
    assert [await soon(other.events.get()) for _ in range(2)] == [("to", {"r": b"\x01"}), ("to", 4)]
    assert await one.call("echo", 1) == 1
    one.on("ask", lambda: 5)
    assert await server.call("ask", to=one.get_sid()) == 5
    assert server.rooms(one.get_sid()) == [one.get_sid()]
    server.end(one.get_sid(), event="to", data=6, reconnect=False)
    assert await soon(one.events.get()) == ("to", 6)
    await server.disconnect(other.get_sid())
    await until(lambda: not server.eio.sockets)
    assert gone == ["server disconnect"] * 2
    assert server.manager.rooms == {}


@pytest.mark.parametrize("manager_class", [Bus, BusFanOut])
async def test_one_that_reaches_other_processes(
    serve: Serve, connect: Connect, manager_class: type[Bus]
) -> None:
    channels: list[asyncio.Queue[Any]] = []
    servers = [AsyncServer(client_manager=manager_class(channels)) for _ in range(2)]
    clients = [await connect(await serve(server)) for server in servers]
    sids = [client.get_sid() for client in clients]
    await until(lambda: len(channels) == 2)
    for sid in sids:
        await servers[0].enter_room(sid, "r")  # the second is at the other server
    await until(lambda: len(servers[1].rooms(sids[1])) == 2)
    await servers[0].emit("to", (1, b"\x01"), room="r")
    await servers[1].emit("to", 2, room="r", skip_sid=[sids[0]])
    await servers[1].emit("to", 3, to=sids[0])
    for client, expected in zip(clients, (3, 2), strict=True):  # no order holds between two servers
        got = [await soon(client.events.get()) for _ in range(2)]
        assert sorted(got, key=len) == [("to", expected), ("to", 1, b"\x01")]
    clients[1].on("ask", lambda: 5)
    assert await soon(servers[0].call("ask", to=sids[1])) == 5
    await servers[0].disconnect(sids[1])
    await until(lambda: not clients[1].connected)
    for server in servers:
        server.manager.thread.cancel()


async def test_only_our_manager_can_do_this_and_the_error_says_so() -> None:
    server = AsyncServer(client_manager=socketio.AsyncManager())
    for attempt in (lambda: server.fan_out, lambda: server.attach_link(Link("a"))):
        with pytest.raises(TypeError, match="needs a FanOutManager as client_manager, not a AsyncManager"):
            attempt()
    assert server.eio.sockets == {}


@pytest.mark.parametrize(
    "manager", [socketio.Manager(), object(), FanOutManager], ids=["threads", "nothing of the kind", "class"]
)
def test_a_manager_that_is_not_for_asyncio_is_refused(manager: Any) -> None:
    with pytest.raises(TypeError, match=r"client_manager has to be a socketio\.AsyncManager"):
        AsyncServer(client_manager=manager)


def test_a_json_module_of_a_server_reaches_its_manager() -> None:
    class Json:
        dumps = staticmethod(lambda *_args, **_options: '"mine"')
        loads = staticmethod(lambda _text: "mine")

    assert AsyncServer(client_manager=socketio.AsyncManager(), json=Json).manager.json is Json
