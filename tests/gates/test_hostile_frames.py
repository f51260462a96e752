"""WebSocket frames that no client would send, at both doors: the connection ends, and nobody else notices."""

import json
import struct
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from tests.clients.bare import (
    BINARY,
    CLOSE,
    CONTINUATION,
    FIN,
    PING,
    PONG,
    RSV1,
    TEXT,
    BareSocket,
    Frame,
    frame,
)
from tests.clients.people import Person
from tests.conftest import Serve, Server

pytestmark = pytest.mark.parametrize("serve", ["sqlite"], indirect=True)

ORIGINS = ("raw", "socket.io")
DEFLATE = "permessage-deflate; client_max_window_bits"

PING_COMMAND: dict[str, bytes] = {"raw": b'{"type":"ping","id":1}', "socket.io": b'421["ping"]'}
ACK: dict[str, Callable[[Frame], bool]] = {
    "raw": lambda got: b'"ack"' in got.payload,
    "socket.io": lambda got: got.payload.startswith(b"431"),
}


async def connect(server: Server, door: str, person: Person, **headers: str) -> BareSocket:
    """A connection that has been told `connected`."""
    path = f"/ws?token={person.token}" if door == "raw" else "/socket.io/?EIO=4&transport=websocket"
    socket = await BareSocket.open(server.port, path, **headers)
    if door == "socket.io":
        socket.send(frame(TEXT, b"40" + json.dumps({"token": person.token}).encode()))
    while b'"connected"' not in (await socket.next()).payload:
        pass
    return socket


def in_fragments(payload: bytes, count: int, *between: bytes) -> bytes:
    """A text message in so many fragments, with other frames between them."""
    size = -(-len(payload) // count)
    parts = [payload[start : start + size] for start in range(0, len(payload), size)]
    frames = [
        frame(CONTINUATION if number else TEXT, part, flags=FIN if number == len(parts) - 1 else 0)
        for number, part in enumerate(parts)
    ]
    return b"".join(between).join(frames)


HOSTILE = {
    "text that is no UTF-8": (frame(TEXT, b'{"type":"\xff"}'), {1007}),
    "text cut within a character": (frame(TEXT, "я".encode()[:1]), {1007}),
    "surrogates as UTF-8": (frame(TEXT, b"\xed\xa0\x80"), {1007}),
    "no UTF-8 in fragments": (in_fragments(b'{"type":"\xc3("}', 3), {1007}),
    "a fragmented ping": (frame(PING, b"x", flags=0), {1002}),
    "a ping that is too large": (frame(PING, b"x" * 126), {1002}),
    "a close of one byte": (frame(CLOSE, b"x"), {1002}),
    "a close with a code that is none": (frame(CLOSE, struct.pack("!H", 1005)), {1002}),
    "a close whose reason is no UTF-8": (frame(CLOSE, struct.pack("!H", 1000) + b"\xff"), {1007}),
    "a continuation of nothing": (frame(CONTINUATION, b"x"), {1002}),
    "a new message within another": (frame(TEXT, b"x", flags=0) + frame(TEXT, b"x"), {1002}),
    "a reserved opcode": (frame(0x3, b"x"), {1002}),
    "a compressed frame that was not agreed on": (frame(TEXT, b"x", flags=FIN | RSV1), {1002}),
    "a length of 2^62": (b"\x81\xff" + struct.pack("!Q", 2**62) + bytes(4), {1009}),
    "a length of 2^63": (b"\x81\xff" + struct.pack("!Q", 2**63) + bytes(4), {1002, 1009}),
    "a megabyte of text": (frame(TEXT, b" " * (1 << 20)), {1009}),
    "a megabyte in fragments": (in_fragments(b" " * (1 << 20), 50), {1009}),
    "a megabyte in fragments between pings": (in_fragments(b" " * (1 << 20), 50, frame(PING, b"x")), {1009}),
}


@pytest.mark.parametrize("door", ORIGINS)
@pytest.mark.parametrize(("data", "codes"), HOSTILE.values(), ids=HOSTILE.keys())
async def test_its_connection_ends_and_no_other(
    serve: Serve, door: str, data: bytes, codes: set[int]
) -> None:
    server = await serve()
    ann, bob = await server.people("ann", "bob")
    bobs = await bob.connect()
    with capture_logs() as lines:
        socket = await connect(server, door, ann)
        socket.send(data)
        assert await socket.closed() in codes
        socket.close()
        await bobs.nothing_more()
        again = await connect(server, door, ann)
        again.send(frame(TEXT, PING_COMMAND[door]))
        while not ACK[door](await again.next()):
            pass
        again.close()
    assert [line for line in lines if line["log_level"] in ("warning", "error", "critical")] == []


@pytest.mark.parametrize("door", ORIGINS)
@pytest.mark.parametrize("count", [2, 7])
async def test_a_message_in_fragments_with_pings_between_is_one_message(
    serve: Serve, door: str, count: int
) -> None:
    server = await serve()
    socket = await connect(server, door, await server.person("ann"))
    socket.send(in_fragments(PING_COMMAND[door], count, frame(PING, b"between"), frame(PONG, b"")))
    got = [await socket.next()]
    while not ACK[door](got[-1]):
        got.append(await socket.next())
    assert Frame(PONG, b"between") in got
    socket.close()


@pytest.mark.parametrize("door", ORIGINS)
async def test_compression_is_offered_in_vain(serve: Serve, door: str) -> None:
    server = await serve()
    socket = await connect(server, door, await server.person("ann"), Sec_WebSocket_Extensions=DEFLATE)
    assert socket.extensions == ""
    socket.close()


async def test_binary_frames_are_refused_and_the_raw_connection_stays(serve: Serve) -> None:
    server = await serve()
    socket = await connect(server, "raw", await server.person("ann"))
    for payload in (b"", b"\xff" * 1000, b'{"type":"ping","id":1}'):
        socket.send(frame(BINARY, payload))
        assert json.loads((await socket.next()).payload)["code"] == "bad_frame"
    socket.send(frame(TEXT, PING_COMMAND["raw"]))
    while not ACK["raw"](await socket.next()):
        pass
    socket.close()


async def test_a_binary_frame_that_nothing_announced_ends_a_socketio_connection(serve: Serve) -> None:
    server = await serve()
    socket = await connect(server, "socket.io", await server.person("ann"))
    socket.send(frame(BINARY, b"\xff" * 1000))
    assert await socket.closed() == 1008
    socket.close()
