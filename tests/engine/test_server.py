"""`AsyncServer` in the place of `socketio.AsyncServer`, seen by python-socketio's own client."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import socketio

from server.engine import AsyncServer
from tests.engine.conftest import Serve
from tests.engine.peers import CONNECT_S, Peer, soon, until

Connect = Callable[..., Awaitable[socketio.AsyncClient]]
only_websocket = pytest.mark.parametrize("transports", ["websocket"], indirect=True)


@pytest.fixture(params=["websocket", "polling", "upgrade"])
def transports(request: pytest.FixtureRequest) -> list[str] | None:
    return None if request.param == "upgrade" else [request.param]


@pytest.fixture
async def connect(transports: list[str] | None) -> AsyncIterator[Connect]:
    clients: list[socketio.AsyncClient] = []

    async def start(
        peer: Peer, *, client: dict[str, Any] | None = None, **options: Any
    ) -> socketio.AsyncClient:
        started = socketio.AsyncClient(
            reconnection=False, http_session=peer.session, request_timeout=CONNECT_S, **(client or {})
        )
        started.events = asyncio.Queue()
        for namespace in options.get("namespaces", ["/"]):
            started.on("*", lambda *event: started.events.put_nowait(event), namespace=namespace)
        clients.append(started)
        await soon(started.connect(peer.base, transports=transports, wait_timeout=CONNECT_S, **options))
        return started

    yield start
    for client in clients:
        await client.disconnect()


async def test_handlers_by_decorator(serve: Serve, connect: Connect) -> None:
    server = AsyncServer(async_mode="aiohttp")
    seen: list[Any] = []

    server.on("connect", lambda sid, environ, auth: seen.append((server.get_environ(sid) is environ, auth)))
    server.on("disconnect", lambda sid: seen.append("gone"))

    @server.on("add")
    async def add(sid: str, one: int, two: int) -> int:
        return one + two

    @server.on("*")
    def anything(event: str, sid: str, *args: Any) -> list[Any]:
        return [event, *args]

    client = await connect(await serve(server), auth={"token": "x"})
    assert seen == [(True, {"token": "x"})]
    assert await client.call("add", (1, 2)) == 3
    assert await client.call("other", (b"\x01", {"b": [b"\x02"]})) == ["other", b"\x01", {"b": [b"\x02"]}]
    await client.disconnect()
    await until(lambda: seen[1:] == ["gone"])


async def test_emit_call_and_callback(serve: Serve, connect: Connect) -> None:
    server = AsyncServer()
    client = await connect(await serve(server))
    sid = client.get_sid()
    client.on("ask", lambda number: (number + 1, b"\x01"))
    await server.emit("hello", {"a": b"\x00"}, to=sid)
    await server.send("text", to=sid)
    assert await soon(client.events.get()) == ("hello", {"a": b"\x00"})
    assert await soon(client.events.get()) == ("message", "text")
    assert await server.call("ask", 1, to=sid) == (2, b"\x01")
    answers: asyncio.Queue[Any] = asyncio.Queue()
    await server.emit("ask", 2, to=sid, callback=lambda *answer: answers.put_nowait(answer))
    assert await soon(answers.get()) == (3, b"\x01")


async def test_call_gives_up(serve: Serve, connect: Connect) -> None:
    server = AsyncServer()
    client = await connect(await serve(server))
    going = asyncio.Event()

    @client.on("mute")
    async def mute() -> None:
        await going.wait()

    with pytest.raises(socketio.exceptions.TimeoutError):
        await server.call("mute", to=client.get_sid(), timeout=0.05)
    with pytest.raises(RuntimeError):
        await AsyncServer(async_handlers=False).call("x", to="y")
    going.set()


async def test_namespaces(serve: Serve, connect: Connect) -> None:
    server = AsyncServer(namespaces=["/", "/listed"])

    class Admin(socketio.AsyncNamespace):
        def on_who(self, sid: str) -> str:
            return f"{self.namespace} {sid}"

    server.register_namespace(Admin("/admin"))
    server.on("who", lambda sid: "/ " + sid)
    client = await connect(await serve(server), namespaces=["/", "/admin", "/listed"])
    for namespace in ("/", "/admin"):
        assert await client.call("who", namespace=namespace) == f"{namespace} {client.get_sid(namespace)}"
    assert len({client.get_sid(namespace) for namespace in client.namespaces}) == 3
    await server.emit("only", namespace="/listed")
    assert await soon(client.events.get()) == ("only",)


async def test_any_namespace(serve: Serve, connect: Connect) -> None:
    server = AsyncServer(namespaces="*")
    server.on("who", lambda namespace, sid: namespace, namespace="*")
    client = await connect(await serve(server), namespaces=["/one"])
    assert await client.call("who", namespace="/one") == "/one"


async def test_sessions(serve: Serve, connect: Connect) -> None:
    server = AsyncServer()
    left: list[Any] = []

    @server.on("connect")
    async def on_connect(sid: str, environ: dict[str, Any]) -> None:
        await server.save_session(sid, {"n": 1})

    @server.on("more")
    async def more(sid: str) -> int:
        async with server.session(sid) as session:
            session["n"] += 1
            return session["n"]  # type: ignore[no-any-return]

    @server.on("disconnect")
    async def on_disconnect(sid: str, reason: str) -> None:
        left.append((await server.get_session(sid), reason))

    client = await connect(await serve(server))
    assert await client.call("more") == 2
    assert await client.call("more") == 3
    await server.disconnect(client.get_sid())
    assert left == [({"n": 3}, "server disconnect")]


async def test_rooms(serve: Serve, connect: Connect) -> None:
    server = AsyncServer()
    client = await connect(await serve(server))
    sid = client.get_sid()
    await server.enter_room(sid, "r")
    await server.enter_room(sid, 7)
    assert sorted(server.rooms(sid), key=str) == sorted([sid, "r", 7], key=str)
    await server.emit("to", 1, room="r")
    await server.emit("to", 2, room=7)
    await server.leave_room(sid, "r")
    await server.emit("to", 3, room="r")
    await server.emit("to", 4, to=[7, "r"])
    await server.close_room(7)
    await server.emit("to", 5, room=7)
    await server.emit("to", 6, skip_sid=[sid])
    await server.emit("to", 7)
    assert [await soon(client.events.get()) for _ in range(4)] == [("to", 1), ("to", 2), ("to", 4), ("to", 7)]


async def test_transport(serve: Serve, connect: Connect, transports: list[str] | None) -> None:
    server = AsyncServer()
    client = await connect(await serve(server))
    expected = "polling" if transports == ["polling"] else "websocket"
    await until(lambda: server.transport(client.get_sid()) == expected)


async def test_the_server_disconnects(serve: Serve, connect: Connect) -> None:
    server = AsyncServer()
    gone: list[str] = []
    server.on("disconnect", lambda sid, reason: gone.append(reason))
    client = await connect(await serve(server))
    await server.emit("last", to=client.get_sid())
    await server.disconnect(client.get_sid())
    assert gone == ["server disconnect"]
    assert await soon(client.events.get()) == ("last",)
    await until(lambda: not client.connected)
    await server.disconnect("unknown")
    await until(lambda: not server.eio.sockets)
    assert gone == ["server disconnect"]


@pytest.mark.parametrize("always", [False, True])
@pytest.mark.parametrize(
    ("refusal", "payload"),
    [
        (False, {"message": "Connection rejected by server"}),
        (
            socketio.exceptions.ConnectionRefusedError("no", {"code": 1}),
            {"message": "no", "data": {"code": 1}},
        ),
        (ConnectionRefusedError(), {"message": "Connection refused by server"}),
        (TypeError("inside"), {"message": "Connection rejected by server"}),
    ],
)
async def test_a_connect_handler_refuses(
    serve: Serve, always: bool, refusal: Any, payload: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server = AsyncServer(always_connect=always)
    calls: list[str] = []

    @server.on("connect")
    async def on_connect(sid: str, environ: dict[str, Any]) -> Any:
        calls.append(sid)
        if isinstance(refusal, Exception):
            raise refusal
        return refusal

    peer = await serve(server)
    socket = await peer.direct()
    await socket.send("40")
    if always:
        assert str(await socket.receive()).startswith("40{")
    kind = "41" if always else "44"
    answer = str(await socket.receive())
    assert answer[:2] == kind
    assert socketio.packet.Packet(encoded_packet=answer[1:]).data == payload
    assert len(calls) == 1
    assert server.manager.rooms == {}


async def test_always_connect_lets_the_handler_emit(serve: Serve, connect: Connect) -> None:
    server = AsyncServer(always_connect=True)

    @server.on("connect")
    async def on_connect(sid: str, environ: dict[str, Any]) -> None:
        await server.emit("welcome", to=sid)

    client = await connect(await serve(server))
    assert await soon(client.events.get()) == ("welcome",)


async def test_messages_in_msgpack(serve: Serve, connect: Connect) -> None:
    pytest.importorskip("msgpack")
    server = AsyncServer(serializer="msgpack")
    server.on("echo", lambda sid, data: data)
    client = await connect(await serve(server), client={"serializer": "msgpack"})
    await server.emit("to", {"r": b"\x01"})
    assert await soon(client.events.get()) == ("to", {"r": b"\x01"})
    assert await client.call("echo", [b"\x02"]) == [b"\x02"]


@only_websocket
async def test_garbage_in_msgpack(serve: Serve, connect: Connect) -> None:
    msgpack = pytest.importorskip("msgpack")
    server = AsyncServer(serializer="msgpack")
    peer = await serve(server)
    for garbage in (b"\xc1", "text", msgpack.dumps([]), msgpack.dumps({"type": 2, "data": ["x"], "nsp": 1})):
        socket = await peer.direct()
        await socket.send(garbage if isinstance(garbage, bytes) else "4" + garbage)
        assert await socket.close_code() == 1008


@only_websocket
async def test_events_of_one_client_in_order(serve: Serve, connect: Connect) -> None:
    for async_handlers, expected in ((False, [0, 1, 2]), (True, [2, 1, 0])):
        server = AsyncServer(async_handlers=async_handlers)
        order: list[int] = []
        done = [asyncio.Event() for _ in range(3)]

        @server.on("n")
        async def on_n(
            sid: str,
            number: int,
            async_handlers: bool = async_handlers,
            order: list[int] = order,
            done: list[asyncio.Event] = done,
        ) -> None:
            if async_handlers and number < 2:
                await done[number + 1].wait()
            await asyncio.sleep(0)
            order.append(number)
            done[number].set()

        client = await connect(await serve(server))
        for number in range(3):
            await client.emit("n", number)
        await until(lambda order=order: len(order) == 3)
        assert order == expected


@only_websocket
async def test_a_future_acks_later_and_holds_nothing_up(
    serve: Serve, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    server = AsyncServer(async_handlers=False)
    futures: list[asyncio.Future[Any]] = []

    @server.on("later")
    def later(sid: str) -> asyncio.Future[Any]:
        futures.append(asyncio.get_running_loop().create_future())
        return futures[-1]

    server.on("now", lambda sid: "now")
    peer = await serve(server)
    socket = await peer.connected()
    for packet in ('421["later"]', '422["later"]', '423["later"]', '42["later"]', '424["now"]'):
        await socket.send(packet)
    assert await socket.receive() == '434["now"]'
    futures[1].set_exception(RuntimeError("oops"))
    futures[2].cancel()
    futures[3].set_result("nobody asked")
    futures[0].set_result(("a", 1))
    assert await socket.receive() == '431["a",1]'
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [RuntimeError]


@only_websocket
async def test_a_client_that_goes_while_its_connect_handler_runs(serve: Serve, connect: Connect) -> None:
    server = AsyncServer()
    going, seen = asyncio.Event(), []

    @server.on("connect")
    async def on_connect(sid: str, environ: dict[str, Any]) -> None:
        seen.append("came")
        await going.wait()

    server.on("disconnect", lambda sid, reason: seen.append(reason))
    peer = await serve(server)
    socket = await peer.direct()
    await socket.send("40")
    await until(lambda: seen == ["came"])
    await server.eio.disconnect(next(iter(server.eio.sockets)))
    going.set()
    await until(lambda: seen == ["came", "transport close"])
    assert not server.manager.rooms
    assert not server._namespaces._timers
    assert not server._namespaces.joined


@only_websocket
async def test_a_disconnect_handler_that_fails_leaves_nothing_behind(
    serve: Serve, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    server = AsyncServer(namespaces=["/", "/b"])
    calls: list[str] = []

    def fails(sid: str, reason: str = "") -> None:
        calls.append(reason)
        raise TypeError("inside")

    server.on("disconnect", fails)
    server.on("disconnect", fails, namespace="/b")
    await connect(await serve(server), namespaces=["/", "/b"])
    await server.eio.disconnect()
    assert calls == ["server disconnect"] * 2
    assert not server.manager.rooms
    assert {record.levelno for record in caplog.records} == {logging.ERROR}


async def test_the_admin_page(serve: Serve, connect: Connect) -> None:
    server = AsyncServer(namespaces=["/"])
    admin = server.instrument(auth=False)
    client = await connect(await serve(server))
    await server.enter_room(client.get_sid(), "r")
    await server.emit("to", 1, room="r")
    assert await soon(client.events.get()) == ("to", 1)
    await client.disconnect()
    admin.uninstrument()
    if admin.stats_task is not None:
        admin.stats_task.cancel()


@only_websocket
async def test_the_result_of_a_handler_without_an_ack(serve: Serve, connect: Connect) -> None:
    results: list[Any] = []

    class Adding(socketio.AsyncNamespace):
        def on_add(self, sid: str, one: int, two: int) -> int:
            return one + two

        def unasked(self, sid: str, result: Any) -> None:
            results.append((sid, result))

    server = AsyncServer(async_handlers=False)
    server.register_namespace(Adding("/"))
    client = await connect(await serve(server))
    assert await client.call("add", (1, 2)) == 3
    await client.emit("add", (3, 4))
    await until(lambda: results == [(client.get_sid(), 7)])


async def test_a_burst_in_both_directions(serve: Serve, connect: Connect) -> None:
    server = AsyncServer(async_handlers=False)
    got: list[int] = []
    server.on("n", lambda sid, number: got.append(number))
    client = await connect(await serve(server))
    for number in range(500):
        server.fan_out.post("n", number, room=client.get_sid())
        await client.emit("n", number)
    events = [await soon(client.events.get()) for _ in range(500)]
    assert sorted(events) == [
        ("n", number) for number in range(500)
    ]  # that client runs its handlers in no order
    await until(lambda: len(got) == 500)
    assert got == list(range(500))


def test_the_json_of_a_server_is_its_own() -> None:
    class Json:
        dumps = staticmethod(lambda *_args, **_options: '"mine"')
        loads = staticmethod(lambda _text: "mine")

    mine, other = AsyncServer(async_mode="aiohttp", json=Json), AsyncServer(async_mode="aiohttp")
    assert mine.eio.dialect.packets("e", (), "/") == ['42"mine"']
    assert other.eio.dialect.packets("e", (), "/") == ['42["e"]']
    assert socketio.packet.Packet(data=["e"]).encode() == '2["e"]'
