"""Long-polling loses nothing that was answered 200, and answers everything."""

import asyncio
import json
import math
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import pytest

from server.engine import AsyncServer, EngineServer
from server.engine.packets import join_payload
from server.engine.polling import Polling
from tests.engine.clocks import ManualClock
from tests.engine.conftest import Serve
from tests.engine.peers import Peer, soon, until


@pytest.fixture
def echo() -> EngineServer:
    server = EngineServer()
    server.on("message", server.send)
    return server


@pytest.fixture
async def peer(serve: Serve, echo: EngineServer) -> Peer:
    return await serve(echo)


async def raw_post(peer: Peer, sid: str, head: bytes, *parts: bytes) -> bytes:
    """A POST in pieces, each in a segment of its own; the answer's first line."""
    host, port = peer.base.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    path = peer.at(sid=sid).removeprefix(peer.base)
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\n".encode() + head + b"\r\n")
    for part in parts:
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.write(part)
    try:
        return await soon(reader.readline())
    finally:
        writer.close()
        await writer.wait_closed()


async def test_a_body_in_several_segments(peer: Peer) -> None:
    sid = (await peer.open())["sid"]
    assert (
        await raw_post(peer, sid, b"Content-Length: 11\r\n", b"4he", b"llo\x1e4y", b"ou")
        == b"HTTP/1.1 200 OK\r\n"
    )
    assert await peer.poll(sid) == (200, "4hello\x1e4you")


async def test_a_character_cut_in_two(peer: Peer) -> None:
    sid = (await peer.open())["sid"]
    body = "4да".encode()
    assert await raw_post(peer, sid, b"Content-Length: 5\r\n", body[:2], body[2:]) == b"HTTP/1.1 200 OK\r\n"
    assert await peer.poll(sid) == (200, "4да")


async def test_a_chunked_body(peer: Peer) -> None:
    sid = (await peer.open())["sid"]
    head = b"Transfer-Encoding: chunked\r\n"
    assert (
        await raw_post(peer, sid, head, b"3\r\n4he\r\n", b"3\r\nllo\r\n0\r\n\r\n") == b"HTTP/1.1 200 OK\r\n"
    )
    assert await peer.poll(sid) == (200, "4hello")


async def test_a_body_of_nine_tenths_of_the_limit(peer: Peer) -> None:
    sid = (await peer.open())["sid"]
    body = "4" + "x" * 900_000
    assert await peer.post(sid, body) == (200, "ok")
    assert await peer.poll(sid) == (200, body)


async def test_nine_hundred_packets_in_one_post(peer: Peer) -> None:
    sid = (await peer.open())["sid"]
    packets = [f"4{number}" for number in range(900)]
    assert await peer.post(sid, "\x1e".join(packets)) == (200, "ok")
    got: list[str] = []
    while len(got) < 900:
        got += (await peer.poll(sid))[1].split("\x1e")
    assert got == packets


async def test_a_long_farewell(peer: Peer, echo: EngineServer) -> None:
    sid = (await peer.open())["sid"]
    for number in range(40):
        await echo.send(sid, str(number))
    await echo.disconnect(sid)
    got = [packet for _ in range(3) for packet in (await peer.poll(sid))[1].split("\x1e")]
    assert got == [f"4{number}" for number in range(40)]
    assert (await peer.poll(sid))[0] == 400


async def test_what_is_counted_is_what_waits(peer: Peer, echo: EngineServer) -> None:
    sid = (await peer.open())["sid"]
    for _ in range(40):
        await echo.send(sid, "x" * 100)
    counted = [echo.sockets[sid].queued_bytes]
    for _ in range(3):
        await peer.poll(sid)
        counted.append(echo.sockets[sid].queued_bytes)
    assert counted[0] > 4000
    assert counted == sorted(counted, reverse=True)
    assert counted[-1] == 0


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_the_limit_is_answered_and_ends_the_session(
    peer: Peer, echo: EngineServer, chunked: bool
) -> None:
    sid = (await peer.open())["sid"]
    if chunked:
        part = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        answer = await raw_post(peer, sid, b"Transfer-Encoding: chunked\r\n", part * 100)
    else:
        answer = await raw_post(peer, sid, b"Content-Length: 4000001\r\n")
    assert answer.split()[1] == b"413"
    await until(lambda: sid not in echo.sockets)


@pytest.mark.parametrize("jsonp", [False, True])
@pytest.mark.parametrize("over", ["4" + "x" * 5000, "4" + "ю" * 2500, b"x" * 5001])
async def test_a_packet_over_the_limit_is_answered_1009(serve: Serve, over: str | bytes, jsonp: bool) -> None:
    codes: list[int] = []
    server = EngineServer(max_http_buffer_size=5000, on_violation=lambda sid, code: codes.append(code))
    got: list[Any] = []
    server.on("message", lambda sid, data: got.append(data))
    peer = await serve(server)
    fits = "4" + "x" * 4999
    for packets, status in (([fits] * 60, 200), ([fits, over, fits], 413)):
        opened = await peer.open()
        assert opened["maxPayload"] == 5000
        body = join_payload(packets)
        answer = await peer.post(opened["sid"], urlencode({"d": body}) if jsonp else body)
        assert answer[0] == status
        if status == 200:
            await peer.post(opened["sid"], "1")
    assert (len(got), codes) == (60, [1009])


@pytest.mark.parametrize("limit_bytes", [1000, 250_000, 400_000])
async def test_the_largest_packet_fits_into_a_post_however_it_is_written(
    serve: Serve, limit_bytes: int
) -> None:
    server = EngineServer(max_http_buffer_size=limit_bytes)
    got: list[Any] = []
    server.on("message", lambda sid, data: got.append(data))
    peer = await serve(server)
    sid = (await peer.open())["sid"]
    text = "\\n" * (limit_bytes // 2 - 1)
    form = urlencode({"d": "4" + text.replace("\\n", "\\\\n")})
    for body in (form, "4" + text, join_payload([b"x" * limit_bytes])):
        assert (await peer.post(sid, BytesIO(body.encode())))[0] == 200
    assert got == [text, text, b"x" * limit_bytes]
    await peer.post(sid, "1")


async def test_a_slow_body_is_a_sign_of_life(serve: Serve, clock: ManualClock) -> None:
    server = EngineServer(ping_interval=25, ping_timeout=20, clock=clock)
    peer = await serve(server)
    sid = (await peer.open())["sid"]
    session = server.sockets[sid]
    clock.turn(26)  # the ping is sent, and the time to answer it is over before the body is

    async def slowly() -> AsyncIterator[bytes]:
        yield b"4"
        for _ in range(8):
            clock.turn(2.9)
            yield b"x"
            await until(lambda: session.last_seen == clock.now)

    polled = asyncio.ensure_future(peer.poll(sid))
    assert (await peer.post(sid, slowly()))[0] == 200
    assert await polled == (200, "2")
    assert clock.now > 1025 + 20
    await peer.post(sid, "1")


async def test_a_body_cut_off_ends_the_session(peer: Peer, echo: EngineServer) -> None:
    sid = (await peer.open())["sid"]
    host, port = peer.base.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    path = peer.at(sid=sid).removeprefix(peer.base)
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n4x".encode())
    await until(lambda: echo.sockets[sid].posting)
    writer.transport.abort()
    await until(lambda: sid not in echo.sockets)


async def test_the_last_packets_wait_for_a_poll(peer: Peer, echo: EngineServer) -> None:
    sid = (await peer.open())["sid"]
    await echo.send(sid, "bye")
    await echo.disconnect(sid)
    assert sid not in echo.sockets
    assert await peer.poll(sid) == (200, "4bye")
    assert (await peer.poll(sid))[0] == 400


async def test_but_not_for_ever(serve: Serve, clock: ManualClock) -> None:
    server = EngineServer(close_timeout_s=2, clock=clock)
    peer = await serve(server)
    sid = (await peer.open())["sid"]
    await server.send(sid, "bye")
    await server.disconnect(sid)
    clock.turn(2)
    assert (await peer.poll(sid))[0] == 400


async def test_the_shutdown_waits_for_the_last_poll_and_not_for_ever(
    serve: Serve, clock: ManualClock
) -> None:
    server = EngineServer(close_timeout_s=2, clock=clock)
    peer = await serve(server)
    for polls in (True, False):
        sid = (await peer.open())["sid"]
        await server.send(sid, "bye")
        await server.disconnect()
        waiting = asyncio.ensure_future(server.wait_closed())
        await asyncio.sleep(0)
        clock.turn(1)
        await asyncio.sleep(0)
        assert not waiting.done()
        if polls:
            assert await peer.poll(sid) == (200, "4bye")
        await clock.run(waiting)
        assert (clock.now < 1002) is polls


async def test_two_answers_on_their_way_at_once() -> None:
    """As a session has that is closing, whose client asks for the rest before it has taken what came before."""
    polling, going = Polling(ManualClock()), [asyncio.Event(), asyncio.Event()]

    class Answer:
        body = b"x" * 100

        def __init__(self, going: asyncio.Event) -> None:
            self.going = going

        async def prepare(self, request: Any) -> None:
            await self.going.wait()

        async def write_eof(self) -> None: ...

    class Request:
        transport = object()

    answers: list[Any] = [Answer(event) for event in going]
    request: Any = Request()
    sending = [asyncio.ensure_future(polling.send_answer(request, answer, 1.0)) for answer in answers]
    await asyncio.sleep(0)
    assert polling.queued_bytes == 200
    for number, event in enumerate(going):
        assert polling.is_answering
        event.set()
        await soon(sending[number])
    assert (polling.is_answering, polling.queued_bytes) == (False, 0)


async def test_a_burst_of_events(serve: Serve) -> None:
    server = AsyncServer()
    got: list[int] = []
    server.on("n", lambda sid, number: got.append(number))
    peer = await serve(server)
    sid = (await peer.open())["sid"]
    await peer.post(sid, "40")
    await peer.poll(sid)
    client = server.manager.sid_from_eio_sid(sid, "/")
    for number in range(900):
        await server.emit("n", number, to=client)
    answers: list[str] = []
    while len(answers) < 900:
        answers += (await peer.poll(sid))[1].split("\x1e")
    assert [json.loads(answer[2:])[1] for answer in answers] == list(range(900))
    await peer.post(sid, "\x1e".join(f'42["n",{number}]' for number in range(900)))
    await until(lambda: got == list(range(900)))


async def test_a_post_given_up_while_others_of_its_owner_hold_it_up(serve: Serve) -> None:
    server = EngineServer(clock=ManualClock())
    peer = await serve(server, handler_cancellation=True)
    sid = (await peer.open())["sid"]
    server.recognize(sid, "owner")
    session, bodies = server.sockets[sid], server.budgets.of_owner("owner").large_bodies
    while not bodies.locked():
        await bodies.acquire()
    length = server.max_http_buffer_size + 1
    post = asyncio.ensure_future(raw_post(peer, sid, f"Content-Length: {length}\r\n".encode()))
    await until(lambda: session.last_seen == math.inf)
    post.cancel()
    await until(lambda: not session.posting)
    assert session.last_seen == server.clock.time()


async def test_a_message_handler_for_which_something_was_cancelled(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    server = EngineServer(async_handlers=False)

    async def cancelled(sid: str, data: str) -> None:
        raise asyncio.CancelledError

    server.on("message", cancelled)
    peer = await serve(server)
    sid = (await peer.open())["sid"]
    assert await peer.post(sid, "4x") == (200, "ok")
    assert [record.message for record in caplog.records] == ["message handler error"]
