"""The rules of Engine.IO v4, in the order of its specification."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from server.engine import EngineServer
from server.engine.engineio_session import Session
from tests.engine.clocks import ManualClock
from tests.engine.conftest import LOOPS, Serve
from tests.engine.peers import Peer, soon, until

INTERVAL_S, TIMEOUT_S = 25, 20


class Echo(EngineServer):
    """Sends back what it gets; `gone` has the sid and the reason of every end."""

    def __init__(self, **options: Any) -> None:
        super().__init__(ping_interval=INTERVAL_S, ping_timeout=TIMEOUT_S, **options)
        self.gone: list[tuple[str, str]] = []
        self.on("message", self.send)
        self.on("disconnect", lambda sid, reason: self.gone.append((sid, reason)))


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
async def peer(serve: Serve, echo: Echo) -> Peer:
    return await serve(echo)


async def test_handshake_over_polling(peer: Peer) -> None:
    opened = await peer.open()
    assert isinstance(opened.pop("sid"), str)
    assert opened == {
        "upgrades": ["websocket"],
        "pingInterval": 25_000,
        "pingTimeout": 20_000,
        "maxPayload": 1_000_000,
    }


async def test_handshake_over_websocket(peer: Peer) -> None:
    socket = await peer.websocket()
    opened = json.loads(str(await socket.receive())[1:])
    assert isinstance(opened.pop("sid"), str)
    assert opened == {
        "upgrades": [],
        "pingInterval": 25_000,
        "pingTimeout": 20_000,
        "maxPayload": 1_000_000,
    }


@pytest.mark.parametrize(
    "query",
    [
        "transport=polling",
        "EIO=abc&transport=polling",
        "EIO=3&transport=polling",
        "EIO=4",
        "EIO=4&transport=abc",
        "EIO=4&transport=websocket",
        "EIO=4&transport=polling&sid=unknown",
        "EIO=4&transport=polling&j=x",
    ],
)
async def test_a_wrong_query_is_refused(peer: Peer, query: str) -> None:
    assert (await soon(peer.request("GET", f"{peer.url}?{query}")))[0] == 400


@pytest.mark.parametrize(
    "query", ["transport=websocket", "EIO=abc&transport=websocket", "EIO=4&transport=abc"]
)
async def test_a_websocket_with_a_wrong_query_is_refused(peer: Peer, query: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await peer.session.ws_connect(f"{peer.url}?{query}")
    assert refusal.value.status == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_session_is_opened_by_get_only(peer: Peer, method: str) -> None:
    assert (await soon(peer.request(method, peer.at())))[0] == 400


async def test_preflight(peer: Peer) -> None:
    status, _ = await soon(peer.request("OPTIONS", peer.at(), headers={"Origin": peer.base}))
    assert status == 200


@pytest.mark.parametrize("body", ["4hello", "4test1\x1e4test2\x1e4test3", "4hello\x1ebAQIDBA=="])
async def test_messages_over_polling(peer: Peer, body: str) -> None:
    sid = (await peer.open())["sid"]
    assert await peer.post(sid, body) == (200, "ok")
    assert await peer.poll(sid) == (200, body)


@pytest.mark.parametrize(
    ("body", "echoed"),
    [
        ("bAQI", "bAQI="),
        ("bAQ\nI=", "bAQI="),
        ("b-_-_", "b+/+/"),
        ("b!!!", "b"),
        ("4hello\x1ebAQ==\n", "4hello\x1ebAQ=="),
    ],
)
async def test_base64_as_official_clients_write_it(peer: Peer, body: str, echoed: str) -> None:
    sid = (await peer.open())["sid"]
    assert await peer.post(sid, body) == (200, "ok")
    assert await peer.poll(sid) == (200, echoed)


@pytest.mark.parametrize("body", ["abc", "", "7", "0", "4a\x1e", "2", "5", b"4\xff\xfe"], ids=repr)
async def test_a_bad_post_is_refused_and_ends_the_session(peer: Peer, echo: Echo, body: str | bytes) -> None:
    sid = (await peer.open())["sid"]
    assert (await peer.post(sid, body))[0] == 400
    assert (await peer.poll(sid))[0] == 400
    await until(lambda: echo.gone == [(sid, "transport error")])


async def test_a_bad_post_ends_the_waiting_poll_too(peer: Peer, echo: Echo) -> None:
    sid = (await peer.open())["sid"]
    poll = await peer.waiting_poll(echo, sid)
    assert (await peer.post(sid, "abc"))[0] == 400
    assert await poll == (200, "1")
    assert (await peer.poll(sid))[0] == 400


async def test_a_bad_post_costs_what_was_not_fetched(peer: Peer, echo: Echo) -> None:
    sid = (await peer.open())["sid"]
    await peer.post(sid, "4hello")
    assert (await peer.post(sid, "abc"))[0] == 400
    assert (await peer.poll(sid))[0] == 400


async def test_two_polls_at_once_end_the_session(peer: Peer, echo: Echo) -> None:
    sid = (await peer.open())["sid"]
    first = await peer.waiting_poll(echo, sid)
    assert (await peer.poll(sid))[0] == 400
    assert await first == (200, "1")
    assert (await peer.poll(sid))[0] == 400


async def test_two_posts_at_once_end_the_session(peer: Peer, echo: Echo) -> None:
    sid = (await peer.open())["sid"]
    going = asyncio.Event()

    async def slowly() -> Any:
        yield b"4hel"
        await going.wait()
        yield b"lo"

    first = asyncio.ensure_future(peer.request("POST", peer.at(sid=sid), data=slowly()))
    await until(lambda: echo.sockets[sid].posting)
    assert (await peer.post(sid, "4x"))[0] == 400
    going.set()
    await soon(first)
    await peer.poll(sid)
    assert (await peer.poll(sid))[0] == 400


@pytest.mark.parametrize("cancelled", [True, False], ids=["handler_cancellation", "no_handler_cancellation"])
async def test_a_poll_given_up_ends_the_session(serve: Serve, echo: Echo, cancelled: bool) -> None:
    peer = await serve(echo, handler_cancellation=cancelled)
    sid = (await peer.open())["sid"]
    poll = await peer.waiting_poll(echo, sid)
    poll.cancel()
    if cancelled:
        await until(lambda: sid not in echo.sockets)
    assert (await peer.poll(sid))[0] == 400
    await until(lambda: [reason for _, reason in echo.gone] == ["transport error"])


async def test_messages_over_websocket(peer: Peer) -> None:
    socket = await peer.direct()
    await socket.send("4hello")
    assert await socket.receive() == "4hello"
    await socket.send(b"\x01\x02\x03\x04")
    assert await socket.receive() == b"\x01\x02\x03\x04"


async def test_messages_that_are_neither_text_nor_bytes_are_sent_as_json(peer: Peer, echo: Echo) -> None:
    socket = await peer.direct()
    (sid,) = echo.sockets
    for data in ({"a": 1}, [1, "x"], bytearray(b"\x01")):
        await echo.send(sid, data)
    assert [await socket.receive() for _ in range(3)] == ['4{"a":1}', '4[1,"x"]', b"\x01"]


@pytest.mark.parametrize("packet", ["abc", "", "2", "5", "0", "7"])
async def test_a_bad_packet_closes_the_websocket(peer: Peer, echo: Echo, packet: str) -> None:
    socket = await peer.direct()
    await socket.send(packet)
    assert await socket.close_code() == 1008
    await until(lambda: len(echo.gone) == 1)


@pytest.fixture
def timed(clock: ManualClock) -> Echo:
    """An echo whose clock the test turns."""
    return Echo(clock=clock)


async def test_heartbeat_over_polling(serve: Serve, timed: Echo, clock: ManualClock) -> None:
    peer = await serve(timed)
    sid = (await peer.open())["sid"]
    for _ in range(3):
        poll = await peer.waiting_poll(timed, sid)
        clock.turn(INTERVAL_S)
        assert await poll == (200, "2")
        assert await peer.post(sid, "3") == (200, "ok")
    assert timed.gone == []


@pytest.mark.parametrize("method", ["poll", "post"])
async def test_a_silent_polling_session_ends_in_time(
    serve: Serve, timed: Echo, clock: ManualClock, method: str
) -> None:
    peer = await serve(timed)
    sid = (await peer.open())["sid"]
    clock.turn(INTERVAL_S + TIMEOUT_S - 0.1)
    assert sid in timed.sockets
    clock.turn(0.1)
    if method == "poll":
        assert (await peer.poll(sid))[0] == 400
    else:
        assert (await peer.post(sid, "3"))[0] == 400
    await until(lambda: timed.gone == [(sid, "ping timeout")])


async def test_a_silent_polling_session_gets_nothing_before_the_sweep_has_come(
    serve: Serve, timed: Echo, clock: ManualClock
) -> None:
    peer = await serve(timed)
    sid = (await peer.open())["sid"]
    clock.turn(INTERVAL_S)
    clock.hold_up(TIMEOUT_S)
    assert (await peer.poll(sid))[0] == 400
    await until(lambda: timed.gone == [(sid, "ping timeout")])


async def test_heartbeat_over_websocket(serve: Serve, timed: Echo, clock: ManualClock) -> None:
    socket = await (await serve(timed)).direct()
    for _ in range(3):
        clock.turn(INTERVAL_S)
        assert (await soon(socket.ws.receive())).data == "2"
        await socket.send("3")
        await until(lambda: the_session(timed).last_seen == clock.now)
    assert timed.gone == []


def the_session(server: EngineServer) -> Session:
    (session,) = server.sockets.values()
    assert isinstance(session, Session)
    return session


async def test_a_silent_websocket_is_cut_in_time(serve: Serve, timed: Echo, clock: ManualClock) -> None:
    socket = await (await serve(timed)).direct()
    socket.answers_pings = False
    clock.turn(INTERVAL_S + TIMEOUT_S - 0.1)
    assert not the_session(timed).is_closing
    clock.turn(0.1)
    assert await socket.close_code() == 1006
    await until(lambda: [reason for _, reason in timed.gone] == ["ping timeout"])


@pytest.mark.parametrize("sign", ["packet", "ping frame", "pong frame"])
async def test_any_frame_is_a_sign_of_life(serve: Serve, timed: Echo, clock: ManualClock, sign: str) -> None:
    socket = await (await serve(timed)).direct()
    session = the_session(timed)
    for _ in range(8):
        clock.turn(TIMEOUT_S / 2)
        if sign == "packet":
            await socket.send("4x")
        elif sign == "ping frame":
            await socket.ws.ping()
        else:
            await socket.ws.pong()
        await until(lambda: session.last_seen == clock.now)
    assert clock.now - 1000 > INTERVAL_S + TIMEOUT_S
    assert timed.gone == []


async def test_polling_ends_by_a_close_packet(peer: Peer, echo: Echo) -> None:
    sid = (await peer.open())["sid"]
    poll = await peer.waiting_poll(echo, sid)
    assert await peer.post(sid, "1") == (200, "ok")
    assert await poll == (200, "6")
    assert (await peer.poll(sid))[0] == 400
    assert echo.gone == [(sid, "client disconnect")]


async def test_websocket_ends_by_a_close_packet(peer: Peer, echo: Echo) -> None:
    socket = await peer.direct()
    await socket.send("1")
    assert await socket.close_code() == 1000
    await until(lambda: [reason for _, reason in echo.gone] == ["client disconnect"])


async def test_websocket_ends_by_a_close_frame(peer: Peer, echo: Echo) -> None:
    socket = await peer.direct()
    assert await socket.ws.close()
    assert socket.ws.close_code == 1000
    await until(lambda: [reason for _, reason in echo.gone] == ["transport close"])


async def test_websocket_ends_by_loss(peer: Peer, echo: Echo) -> None:
    socket = await peer.direct()
    transport = socket.ws.get_extra_info("socket")
    assert transport is not None
    socket.ws._response.connection.transport.abort()  # type: ignore[union-attr]
    await until(lambda: [reason for _, reason in echo.gone] == ["transport close"])
    assert not echo.sockets


async def test_the_server_closes(peer: Peer, echo: Echo) -> None:
    socket = await peer.direct()
    sid = next(iter(echo.sockets))
    await echo.disconnect(sid)
    assert echo.gone == [(sid, "server disconnect")]
    assert await socket.receive() == "1"
    assert await socket.close_code() == 1000


async def test_no_compression_is_negotiated(peer: Peer) -> None:
    async with peer.session.ws_connect(peer.at("websocket"), compress=15) as ws:
        assert not ws.compress


async def test_cookie(serve: Serve) -> None:
    for cookie, header in (
        ("io", "io={}; path=/; SameSite=Lax"),
        ({"name": "x", "Secure": True}, "x={}; Secure"),
    ):
        peer = await serve(Echo(cookie=cookie))
        async with peer.session.get(peer.at()) as response:
            sid = json.loads((await response.text())[1:])["sid"]
            assert response.headers["Set-Cookie"] == header.format(sid)


async def test_jsonp(peer: Peer) -> None:
    status, body = await soon(peer.request("GET", peer.at(j="0")))
    assert status == 200
    assert body.startswith("___eio[0](")
    sid = json.loads(json.loads(body[len("___eio[0](") : -2])[1:])["sid"]
    assert (await peer.post(sid, "d=4hello%1E4you"))[0] == 200
    assert await soon(peer.request("GET", peer.at(j="1", sid=sid))) == (
        200,
        '___eio[1]("4hello\\u001e4you");',
    )


async def test_large_answers_are_compressed(peer: Peer) -> None:
    sid = (await peer.open())["sid"]
    await peer.post(sid, "4" + "x" * 5000)
    async with peer.session.get(peer.at(sid=sid), headers={"Accept-Encoding": "gzip"}) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert await response.text() == "4" + "x" * 5000


async def test_a_refused_connection(serve: Serve) -> None:
    server = Echo()
    server.on("connect", lambda sid, environ: "no" if "x" in environ["QUERY_STRING"] else None)
    peer = await serve(server)
    assert await soon(peer.request("GET", peer.at(x="1"))) == (401, '"no"')
    assert await peer.open()
    assert len(server.sockets) == 1


async def test_origins(serve: Serve) -> None:
    peer = await serve(Echo(cors_allowed_origins=["http://good"]))
    for origin, status in (("http://good", 200), ("http://bad", 400)):
        assert (await soon(peer.request("GET", peer.at(), headers={"Origin": origin})))[0] == status


async def test_transports_can_be_limited(serve: Serve) -> None:
    peer = await serve(Echo(transports=["websocket"]))
    assert (await soon(peer.request("GET", peer.at())))[0] == 400
    await peer.direct()


async def test_the_address_of_the_peer(serve: Serve, echo: Echo) -> None:
    seen: list[str] = []
    echo.on("connect", lambda sid, environ: seen.append(environ["REMOTE_ADDR"]))
    peer = await serve(echo)
    await peer.open()
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(local_addr=("127.0.0.5", 0))
    ) as elsewhere:
        await Peer(elsewhere, peer.url).open()
    assert seen == ["127.0.0.1", "127.0.0.5"]


async def test_a_message_is_handled_while_the_handler_of_another_waits(serve: Serve) -> None:
    server, second_came = EngineServer(), asyncio.Event()

    async def echo(sid: str, data: str) -> None:
        if data == "first":
            await second_came.wait()
        else:
            second_came.set()
        await server.send(sid, data)

    server.on("message", echo)
    socket = await (await serve(server)).direct()
    await socket.send("4first")
    await socket.send("4second")
    assert [await socket.receive(), await socket.receive()] == ["4second", "4first"]


@pytest.mark.parametrize("loop_factory", LOOPS.values(), ids=LOOPS)
@pytest.mark.parametrize("shut_down", [True, False], ids=["shut_down", "left"])
def test_a_server_in_one_loop_after_the_other(
    loop_factory: Callable[[], asyncio.AbstractEventLoop], shut_down: bool
) -> None:
    server = EngineServer(ping_interval=0.01, ping_timeout=60)

    async def use() -> None:
        app = web.Application()
        if shut_down:
            server.attach(app)
        else:
            app.router.add_route("*", "/engine.io/", server.handle_request)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with aiohttp.ClientSession() as client:
            peer = Peer(client, f"http://127.0.0.1:{runner.addresses[0][1]}/engine.io/")
            sid = (await peer.open())["sid"]
            status, pings = await peer.poll(sid)  # a slow machine may have sent several
            assert (status, set(pings.split("\x1e"))) == (200, {"2"})
            socket = await peer.direct()
            assert (await soon(socket.ws.receive())).data == "2"
            await socket.ws.close()
        await runner.cleanup()

    for _ in range(2):
        with asyncio.Runner(loop_factory=loop_factory) as loop:
            loop.run(use())


@pytest.mark.parametrize("transport", ["polling", "websocket"])
async def test_a_client_that_goes_while_the_connect_handler_runs(serve: Serve, transport: str) -> None:
    server, came = Echo(), asyncio.Event()

    async def connect(sid: str, environ: dict[str, Any]) -> None:
        came.set()
        await asyncio.Event().wait()

    server.on("connect", connect)
    peer = await serve(server, handler_cancellation=True)
    opening = asyncio.ensure_future(peer.websocket() if transport == "websocket" else peer.open())
    await soon(came.wait())
    opening.cancel()
    await until(lambda: not server.sockets)
    assert (len(server.heartbeat), server.gone) == (0, [])


async def test_a_session_that_its_connect_handler_ends_has_no_heartbeat(serve: Serve) -> None:
    server = Echo()

    async def connect(sid: str, environ: dict[str, Any]) -> None:
        await server.disconnect(sid)

    server.on("connect", connect)
    peer = await serve(server)
    await soon(peer.request("GET", peer.at()))
    assert (len(server.sockets), len(server.heartbeat)) == (0, 0)
