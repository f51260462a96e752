"""The rules of Socket.IO v5, in the order of its specification."""

import asyncio
import json
from typing import Any

import pytest
import socketio

from server.engine import AsyncServer
from tests.engine.clocks import ManualClock
from tests.engine.conftest import Serve
from tests.engine.peers import Peer, until


class Chatty(socketio.AsyncNamespace):
    """Sends a client its own auth once it is connected, and sends back what it gets."""

    def __init__(self, namespace: str) -> None:
        super().__init__(namespace)
        self.auths: dict[str, Any] = {}
        self.gone: list[str] = []

    def on_connect(self, sid: str, environ: dict[str, Any], auth: Any) -> None:
        self.auths[sid] = auth or {}

    async def ready(self, sid: str) -> None:
        await self.emit("auth", self.auths.pop(sid), to=sid)

    def on_disconnect(self, sid: str, reason: str) -> None:
        self.gone.append(reason)

    async def on_message(self, sid: str, *args: Any) -> None:
        await self.emit("message-back", args, to=sid)

    async def on_ack(self, sid: str, *args: Any) -> tuple[Any, ...]:
        return args

    async def on_ask(self, sid: str, *args: Any) -> None:
        await self.emit(
            "question", args, to=sid, callback=lambda *answer: self.emit("answered", answer, to=sid)
        )


@pytest.fixture
def server(clock: ManualClock) -> AsyncServer:
    server = AsyncServer(connect_timeout_s=10, clock=clock)
    server.register_namespace(Chatty("/"))
    server.register_namespace(Chatty("/custom"))
    return server


@pytest.fixture
async def peer(serve: Serve, server: AsyncServer) -> Peer:
    return await serve(server)


@pytest.mark.parametrize("namespace", ["", "/custom,"])
@pytest.mark.parametrize("auth", ["", '{"token":"123"}'])
async def test_connect(peer: Peer, namespace: str, auth: str) -> None:
    socket = await peer.direct()
    await socket.send(f"40{namespace}{auth}")
    answer = str(await socket.receive())
    assert answer.startswith(f"40{namespace}")
    assert list(json.loads(answer.removeprefix(f"40{namespace}"))) == ["sid"]
    assert await socket.receive() == f'42{namespace}["auth",{auth or "{}"}]'


async def test_a_namespace_with_a_query(peer: Peer) -> None:
    socket = await peer.direct()
    await socket.send("40/custom?x=1,")
    assert str(await socket.receive()).startswith("40/custom,{")


async def test_an_unknown_namespace_is_refused_and_the_connection_stays(peer: Peer) -> None:
    socket = await peer.direct()
    await socket.send("40/random")
    assert await socket.receive() == '44/random,{"message":"Invalid namespace"}'
    await socket.send("40")
    assert str(await socket.receive()).startswith("40{")


@pytest.mark.parametrize("words", [[], ["40/random,"]], ids=["silent", "refused"])
async def test_no_connect_in_time(
    peer: Peer, server: AsyncServer, clock: ManualClock, words: list[str]
) -> None:
    socket = await peer.direct()
    for word in words:
        await socket.send(word)
        assert str(await socket.receive()).startswith("44")
    clock.turn(9.9)
    assert not next(iter(server.eio.sockets.values())).is_closing
    clock.turn(0.1)
    assert await socket.close_code() == 1000
    await until(lambda: not server.eio.sockets)
    assert not server.environ


async def test_no_connect_in_time_over_polling(peer: Peer, server: AsyncServer, clock: ManualClock) -> None:
    await peer.open()
    clock.turn(10)
    await until(lambda: not server.eio.sockets)


async def test_disconnect_leaves_the_connection_open(peer: Peer, server: AsyncServer) -> None:
    socket = await peer.connected()
    await socket.receive()
    await socket.send("41")
    await until(lambda: server.namespace_handlers["/"].gone == ["client disconnect"])
    await socket.send("40")
    assert str(await socket.receive()).startswith("40{")


async def test_but_not_for_ever(peer: Peer, server: AsyncServer, clock: ManualClock) -> None:
    socket = await peer.connected()
    await socket.receive()
    await socket.send("41")
    await until(lambda: server.namespace_handlers["/"].gone == ["client disconnect"])
    clock.turn(10)
    assert await socket.close_code() == 1000
    assert server.namespace_handlers["/"].gone == ["client disconnect"]


async def test_disconnect_from_one_namespace_of_two(peer: Peer) -> None:
    socket = await peer.connected()
    await socket.receive()
    await socket.send("40/custom,")
    assert str(await socket.receive()).startswith("40/custom,")
    await socket.receive()
    await socket.send("41/custom,")
    await socket.send('42["message","message to main namespace"]')
    assert await socket.receive() == '42["message-back","message to main namespace"]'


@pytest.mark.parametrize("namespace", ["", "/custom,"])
async def test_an_event(peer: Peer, namespace: str) -> None:
    socket = await peer.connected(namespace)
    await socket.receive()
    await socket.send(f'42{namespace}["message",1,"2",{{"3":[true]}}]')
    assert await socket.receive() == f'42{namespace}["message-back",1,"2",{{"3":[true]}}]'


async def test_an_event_with_attachments(peer: Peer) -> None:
    socket = await peer.connected()
    await socket.receive()
    places = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'
    await socket.send(f'452-["message",{places}]')
    await socket.send(b"\x01\x02\x03")
    await socket.send(b"\x04\x05\x06")
    assert [await socket.receive() for _ in range(3)] == [
        f'452-["message-back",{places}]',
        b"\x01\x02\x03",
        b"\x04\x05\x06",
    ]


async def test_an_ack(peer: Peer) -> None:
    socket = await peer.connected()
    await socket.receive()
    await socket.send('42456["ack",1,"2",{"3":[false]}]')
    assert await socket.receive() == '43456[1,"2",{"3":[false]}]'


async def test_an_ack_with_attachments(peer: Peer) -> None:
    socket = await peer.connected()
    await socket.receive()
    places = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'
    await socket.send(f'452-789["ack",{places}]')
    await socket.send(b"\x01\x02\x03")
    await socket.send(b"\x04\x05\x06")
    assert [await socket.receive() for _ in range(3)] == [
        f"462-789[{places}]",
        b"\x01\x02\x03",
        b"\x04\x05\x06",
    ]


async def test_an_answer_with_attachments(peer: Peer) -> None:
    socket = await peer.connected()
    await socket.receive()
    await socket.send('42["ask",1]')
    assert await socket.receive() == '421["question",1]'
    await socket.send('461-1[{"_placeholder":true,"num":0}]')
    await socket.send(b"\x07")
    assert await socket.receive() == '451-["answered",{"_placeholder":true,"num":0}]'
    assert await socket.receive() == b"\x07"


async def test_the_whole_protocol_over_polling(peer: Peer) -> None:
    sid = (await peer.open())["sid"]
    await peer.post(
        sid,
        '40\x1e452-7["ack",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]\x1ebAQ==\x1ebAg==',
    )
    packets: list[str] = []
    while len(packets) < 5:
        packets += (await peer.poll(sid))[1].split("\x1e")
    assert packets[1:] == [
        '42["auth",{}]',
        '462-7[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
        "bAQ==",
        "bAg==",
    ]


async def test_an_answer_nobody_asked_for_is_ignored(peer: Peer) -> None:
    socket = await peer.connected()
    await socket.receive()
    await socket.send("4399[1]")
    await socket.send('42["message"]')
    assert await socket.receive() == '42["message-back"]'


async def test_an_answer_with_id_0_leaves_the_ids_of_acks_alone(peer: Peer, server: AsyncServer) -> None:
    socket = await peer.connected()
    await socket.receive()
    answers: list[Any] = []
    for ack_id in (1, 2):
        await server.emit("question", callback=lambda *answer: answers.append(answer))
        assert await socket.receive() == f'42{ack_id}["question"]'
        await socket.send("430[]")
        await socket.send(f"43{ack_id}[{ack_id}]")
        await until(lambda: len(answers) == ack_id)  # noqa: B023
    assert answers == [(1,), (2,)]


async def test_an_event_for_a_namespace_just_left_is_ignored(peer: Peer, server: AsyncServer) -> None:
    socket = await peer.connected()
    await socket.receive()
    sid = next(iter(server.manager.get_participants("/", None)))[0]
    await server.disconnect(sid)
    await socket.send('42["message"]')
    assert await socket.receive() == "41"
    await socket.send("40")
    assert str(await socket.receive()).startswith("40{")


async def test_what_follows_connect_at_once_is_handled_after_ready(peer: Peer) -> None:
    socket = await peer.direct()
    await socket.send("40")
    await socket.send('42["message"]')
    assert str(await socket.receive()).startswith("40{")
    assert await socket.receive() == '42["auth",{}]'
    assert await socket.receive() == '42["message-back"]'


async def test_a_refusal_later_than_the_connect_timeout(serve: Serve, clock: ManualClock) -> None:
    server = AsyncServer(connect_timeout_s=10, clock=clock)

    @server.on("connect")
    async def on_connect(sid: str, environ: dict[str, Any]) -> bool:
        clock.turn(15)
        return False

    peer = await serve(server)
    socket = await peer.direct()
    await socket.send("40")
    assert await socket.receive() == '44{"message":"Connection rejected by server"}'
    assert not next(iter(server.eio.sockets.values())).is_closing
    clock.turn(10)
    assert await socket.close_code() == 1000


async def test_a_connect_handler_that_disconnects_leaves_the_connect_timeout(
    serve: Serve, clock: ManualClock
) -> None:
    server, ready = AsyncServer(always_connect=True, connect_timeout_s=10, clock=clock), list[str]()

    class Namespace(socketio.AsyncNamespace):
        async def on_connect(self, sid: str, environ: dict[str, Any]) -> None:
            await self.disconnect(sid)

        def ready(self, sid: str) -> None:
            ready.append(sid)

    server.register_namespace(Namespace("/"))
    socket = await (await serve(server)).connected()
    assert await socket.receive() == "41"
    clock.turn(10)
    assert await socket.close_code() == 1000
    assert ready == []


async def test_namespaces_that_clients_have_left_leave_nothing_behind(serve: Serve) -> None:
    server = AsyncServer(namespaces="*")
    socket = await (await serve(server)).connected()
    for number in range(3):
        await socket.send(f"40/{number},")
        await socket.receive()
        await socket.send(f"41/{number},")
    rooms = server.fan_out.rooms
    await until(lambda: set(rooms.by_namespace) == {"/"})
    assert (set(rooms.sids), rooms.connecting, rooms.disconnecting) == ({"/"}, {}, {})


async def test_an_event_for_which_something_was_cancelled(serve: Serve) -> None:
    class Namespace(socketio.AsyncNamespace):
        async def trigger_event(self, event: str, *args: Any) -> str:
            if event == "cancelled":
                raise asyncio.CancelledError
            return "ok"

    server = AsyncServer(async_handlers=False)
    server.register_namespace(Namespace("/"))
    socket = await (await serve(server)).connected()
    await socket.send('421["cancelled"]')
    await socket.send('422["x"]')
    assert [await socket.receive(), await socket.receive()] == ["431[]", '432["ok"]']
    await socket.ws.close()
    await until(lambda: not server.eio.sockets)
