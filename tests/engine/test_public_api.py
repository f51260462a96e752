"""The public face is python-socketio's: every public method takes what the library's takes, and a scene with each of
them goes the same way on the library's server and on ours."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import engineio
import pytest
import socketio
from aiohttp import web

from server.engine import AsyncServer, EngineServer, FanOutManager
from tests.engine.conftest import Serve
from tests.engine.peers import CONNECT_S, Peer, soon, until

Connect = Callable[..., Awaitable[socketio.AsyncClient]]

PAIRS = [
    (socketio.AsyncServer, AsyncServer),
    (engineio.AsyncServer, EngineServer),
    (socketio.AsyncManager, FanOutManager),
]


def public(library: type) -> list[str]:
    return [name for name, _ in inspect.getmembers(library, inspect.isfunction) if not name.startswith("_")]


METHODS = [(library, ours, name) for library, ours in PAIRS for name in public(library)]


@pytest.mark.parametrize(("library", "ours", "name"), METHODS, ids=str)
def test_a_public_method_takes_what_the_library_s_takes(library: type, ours: type, name: str) -> None:
    theirs = inspect.signature(getattr(library, name)).parameters
    mine = inspect.signature(getattr(ours, name)).parameters
    takes_all = any(one.kind is one.VAR_KEYWORD for one in mine.values())
    for parameter, one in theirs.items():
        if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
            continue
        message = f"{ours.__name__}.{name} does not take `{parameter}` as {library.__module__} does"
        assert parameter in mine or takes_all, message
        if parameter in mine:
            assert mine[parameter].default == one.default, message
    positional = [one.name for one in theirs.values() if one.kind is one.POSITIONAL_OR_KEYWORD]
    assert [name for name in mine if name in positional] == positional
    for parameter in mine.values():
        if parameter.name not in theirs and parameter.kind is not parameter.VAR_KEYWORD:
            assert name == "handle_request" or parameter.default is not parameter.empty


@pytest.mark.parametrize(("library", "ours", "name"), METHODS, ids=str)
def test_what_is_awaited_is_awaited(library: type, ours: type, name: str) -> None:
    theirs, mine = getattr(library, name), getattr(ours, name)
    assert inspect.iscoroutinefunction(mine) == inspect.iscoroutinefunction(theirs)


OPTIONS = {
    "async_handlers": True,
    "always_connect": True,
    "namespaces": ["/", "/a"],
    "logger": False,
    "serializer": "default",
    "ping_interval": (30, 2),
    "ping_timeout": 7,
    "max_http_buffer_size": 5000,
    "allow_upgrades": False,
    "http_compression": False,
    "compression_threshold": 10,
    "cookie": "io",
    "cors_allowed_origins": "*",
    "cors_credentials": False,
    "monitor_clients": False,
    "transports": ["polling"],
    "engineio_logger": False,
}


def test_the_documented_options_mean_what_they_mean() -> None:
    theirs, mine = socketio.AsyncServer(async_mode="aiohttp", **OPTIONS), AsyncServer(**OPTIONS)
    for name in ("async_handlers", "always_connect", "namespaces", "async_mode", "packet_class"):
        assert getattr(mine, name) == getattr(theirs, name)
    for name in OPTIONS.keys() - {"always_connect", "namespaces", "logger", "serializer", "engineio_logger"}:
        if name not in ("async_handlers", "monitor_clients"):
            assert getattr(mine.eio, name) == getattr(theirs.eio, name)
    assert mine.eio.ping_interval_grace_period == theirs.eio.ping_interval_grace_period == 2


# --- the same scenes on both -------------------------------------------------------------------------------------

SERVERS = {"python-socketio": socketio.AsyncServer, "ours": AsyncServer}


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Any:
    return SERVERS[request.param](async_mode="aiohttp")


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    clients: list[socketio.AsyncClient] = []

    async def start(peer: Peer, namespace: str = "/", **options: Any) -> socketio.AsyncClient:
        started = socketio.AsyncClient(
            reconnection=False, http_session=peer.session, request_timeout=CONNECT_S
        )
        started.events = asyncio.Queue()
        started.on("*", lambda *event: started.events.put_nowait(event), namespace=namespace)
        clients.append(started)
        options = {"transports": ["websocket"], **options}
        await soon(started.connect(peer.base, namespaces=[namespace], wait_timeout=CONNECT_S, **options))
        return started

    yield start
    for client in clients:
        await client.disconnect()


class Scene(socketio.AsyncNamespace):
    """A namespace object that uses every method it has; `seen` is what it saw."""

    def __init__(self, namespace: str) -> None:
        super().__init__(namespace)
        self.seen: list[Any] = []

    async def on_connect(self, sid: str, environ: dict[str, Any], auth: Any) -> None:
        await self.save_session(sid, {"auth": auth})
        self.seen.append(
            ("connect", environ["REQUEST_METHOD"], self.server.get_environ(sid, self.namespace) is environ)
        )

    async def on_disconnect(self, sid: str, reason: str) -> None:
        self.seen.append(("disconnect", await self.get_session(sid), reason))

    async def on_all(self, sid: str, *args: Any) -> list[Any]:
        async with self.session(sid) as session:
            session["args"] = args
        await self.enter_room(sid, "room")
        await self.enter_room(sid, "other")
        rooms = sorted(self.rooms(sid), key=str)
        await self.emit("to room", {"n": 1}, room="room")
        await self.emit("to both", (1, b"\x01"), to=["room", "other"])
        await self.emit("to nobody", 1, room="room", skip_sid=sid)
        await self.send("text", to=sid)
        await self.leave_room(sid, "room")
        await self.close_room("other")
        await self.emit("to empty", 1, room="room")
        await self.emit("to closed", 1, room="other")
        await self.server.sleep(0)
        return [len(rooms), "room" in rooms, sid in rooms, self.server.transport(sid, self.namespace)]

    async def on_ask(self, sid: str) -> Any:
        return await self.call("question", 7, to=sid, timeout=5)

    async def on_leave(self, sid: str) -> None:
        await self.disconnect(sid)


@pytest.mark.parametrize("namespace", ["/", "/chat"])
async def test_a_namespace_object(serve: Serve, server: Any, connect: Connect, namespace: str) -> None:
    scene = Scene(namespace)
    server.register_namespace(scene)
    client = await connect(await serve(server), namespace, auth={"token": "x"})
    client.on("question", lambda number: (number, number + 1), namespace=namespace)
    answer = await client.call("all", (1, {"b": b"\x02"}), namespace=namespace)
    assert answer == [3, True, True, "websocket"]
    got = [await soon(client.events.get()) for _ in range(3)]
    assert got == [("to room", {"n": 1}), ("to both", 1, b"\x01"), ("message", "text")]
    assert await client.call("ask", namespace=namespace) == (7, 8)
    await client.emit("leave", namespace=namespace)
    await until(lambda: len(scene.seen) == 2)
    session = {"auth": {"token": "x"}, "args": (1, {"b": b"\x02"})}
    assert scene.seen == [("connect", "GET", True), ("disconnect", session, "server disconnect")]
    assert client.events.empty()


async def test_handlers_by_decorator(serve: Serve, server: Any, connect: Connect) -> None:
    seen: list[Any] = []

    @server.event
    def add(sid: str, one: int, two: int) -> int:
        return one + two

    @server.event(namespace="/")
    async def several(sid: str) -> tuple[int, int]:
        return 1, 2

    @server.on("*")
    def anything(event: str, sid: str, *args: Any) -> list[Any]:
        return [event, *args]

    @server.on("disconnect")
    def gone(sid: str, reason: str) -> None:
        seen.append(reason)

    client = await connect(await serve(server))
    assert await client.call("add", (1, 2)) == 3
    assert await client.call("several") == (1, 2)
    assert await client.call("unknown", "x") == ["unknown", "x"]
    await client.disconnect()
    await until(lambda: seen == ["transport close"])


async def test_sessions_of_a_client(serve: Serve, server: Any, connect: Connect) -> None:
    client = await connect(await serve(server))
    sid = client.get_sid()
    assert await server.get_session(sid) == {}
    await server.save_session(sid, {"n": 1})
    async with server.session(sid) as session:
        session["n"] += 1
    assert await server.get_session(sid) == {"n": 2}
    with pytest.raises(KeyError):
        await server.get_session("unknown")


async def test_callbacks_and_call(serve: Serve, server: Any, connect: Connect) -> None:
    client = await connect(await serve(server))
    client.on("ask", lambda number: number + 1)
    going = asyncio.Event()

    @client.on("mute")
    async def mute() -> None:
        await going.wait()

    answers: list[Any] = []
    await server.emit("ask", 1, to=client.get_sid(), callback=lambda *args: answers.append(args))
    assert await server.call("ask", 5, sid=client.get_sid()) == 6
    await until(lambda: answers == [(2,)])
    with pytest.raises(ValueError, match="broadcast"):
        await server.call("ask", 1)
    with pytest.raises(socketio.exceptions.TimeoutError):
        await server.call("mute", to=client.get_sid(), timeout=0.01)
    going.set()


async def test_a_background_task(server: Any) -> None:
    done: list[Any] = []

    async def work(one: int, *, two: int) -> None:
        await server.sleep(0)
        done.append((one, two))

    await soon(server.start_background_task(work, 1, two=2))
    assert done == [(1, 2)]
    assert server.is_asyncio_based()


@pytest.mark.parametrize("refusal", ["false", "error"])
async def test_a_refused_client(serve: Serve, server: Any, connect: Connect, refusal: str) -> None:
    @server.on("connect")
    async def on_connect(sid: str, environ: dict[str, Any]) -> Any:
        if refusal == "error":
            raise socketio.exceptions.ConnectionRefusedError("no")
        return False

    peer = await serve(server)
    client = socketio.AsyncClient(http_session=peer.session, request_timeout=CONNECT_S)
    received: list[Any] = []
    client.on("connect_error", received.append)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await soon(client.connect(peer.base, transports=["websocket"], wait_timeout=CONNECT_S))
    assert received == [{"message": "no" if refusal == "error" else "Connection rejected by server"}]
    await client.shutdown()


async def test_only_namespace_objects_are_registered(server: Any) -> None:
    with pytest.raises(ValueError, match="Not a namespace instance"):
        server.register_namespace(object())
    with pytest.raises(ValueError, match="Not a valid namespace class"):
        server.register_namespace(socketio.Namespace("/"))


async def test_a_route_of_one_s_own(serve: Serve, server: Any) -> None:
    """`handle_request` is the entry point for a route that the application makes itself."""
    app = web.Application()
    app.router.add_get("/here/", server.handle_request)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    peer = await serve(EngineServer())
    peer.url = f"http://127.0.0.1:{runner.addresses[0][1]}/here/"
    assert set(await peer.open()) == {"sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"}
    await server.shutdown()
    await runner.cleanup()


async def test_the_admin_page_gets_its_events(serve: Serve, server: Any, connect: Connect) -> None:
    admin = server.instrument(auth={"username": "a"}, mode="development", server_stats_interval=60)
    server.on("hi", lambda sid: "hi")
    peer = await serve(server)
    page = await connect(peer, "/admin", auth={"username": "a"})
    received: list[str] = []

    async def until_received(*events: str) -> None:
        while not set(events) <= set(received):
            event = await soon(page.events.get())
            received.append(event[0])

    try:
        await until_received("config", "all_sockets")
        client = await connect(peer)
        assert await client.call("hi") == "hi"
        await server.emit("to", 1, to=client.get_sid())
        await client.disconnect()
        await until_received("socket_connected", "event_received", "event_sent", "socket_disconnected")
    finally:
        admin.uninstrument()
        if admin.stats_task is not None:
            admin.stats_task.cancel()


PUBLIC = set(public(socketio.AsyncServer)) | set(public(socketio.AsyncNamespace))
SEEN_ABOVE = {
    *(
        "attach",
        "call",
        "close_room",
        "disconnect",
        "emit",
        "enter_room",
        "event",
        "get_environ",
        "get_session",
    ),
    *("handle_request", "instrument", "is_asyncio_based", "leave_room", "on", "register_namespace", "rooms"),
    *("save_session", "send", "session", "shutdown", "sleep", "start_background_task", "transport"),
    "trigger_event",
}


def test_every_public_method_is_in_a_scene() -> None:
    """A method that the library gains has to be tried before it can be said to work here."""
    assert PUBLIC == SEEN_ABOVE
