"""The opening handshake, by RFC 6455, sections 4.2.1, 4.2.2 and 11.3.4."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from server.engine import WebSocket
from server.engine.frames import text
from tests.engine.peers import soon
from tests.engine.sockets import Receiver, Served, listening

GOOD = {
    "Host": ["x"],
    "Connection": ["Upgrade"],
    "Upgrade": ["websocket"],
    "Sec-WebSocket-Version": ["13"],
    "Sec-WebSocket-Key": ["dGhlIHNhbXBsZSBub25jZQ=="],
}


class Welcome(Receiver):
    """Writes a frame, and closes the connection."""

    def __init__(self, socket: WebSocket) -> None:
        super().__init__(socket)
        socket.transport.write(text(b"in"))
        socket.transport.close()


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with listening(Served(Welcome, protocols=("bearer",)).handle) as port:
        yield port


async def answer(
    port: int, headers: dict[str, list[str]], start: str = "GET /ws HTTP/1.1"
) -> tuple[int, str]:
    """The status, and the head of the answer in small letters."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"{name}: {value}" for name, values in headers.items() for value in values]
    writer.write("\r\n".join([start, *lines, "", ""]).encode())
    head = (await soon(reader.readuntil(b"\r\n\r\n"))).decode()
    writer.close()
    await writer.wait_closed()
    return int(head.split()[1]), head.lower()


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"Connection": ["keep-alive, Upgrade"]},
        {"Connection": ["keep-alive", "upgrade"]},
        {"Connection": ["UPGRADE , foo"]},
        {"Upgrade": ["WebSocket"]},
        {"Upgrade": ["WEBSOCKET"]},
        {"Upgrade": ["h2c, websocket"]},
        {"Upgrade": ["h2c", "websocket"]},
        {"Sec-WebSocket-Version": ["  13 "]},
        {"Sec-WebSocket-Extensions": ["permessage-deflate; client_max_window_bits", "x-unknown"]},
        {"Sec-WebSocket-Protocol": ["chat, superchat"]},
    ],
    ids=str,
)
async def test_what_is_accepted(port: int, changed: dict[str, list[str]]) -> None:
    status, head = await answer(port, GOOD | changed)
    assert status == 101
    assert "\r\nupgrade: websocket\r\n" in head
    assert "\r\nconnection: upgrade\r\n" in head
    assert "\r\nsec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n" in head  # RFC 6455, section 1.3
    assert "sec-websocket-extensions" not in head
    assert "sec-websocket-protocol" not in head


@pytest.mark.parametrize(
    "offered",
    [
        ["bearer"],
        ["bearer, token"],
        ["chat, bearer"],
        ["bearer", "token"],
        ["chat", "bearer"],
        [" ,bearer,,token"],
    ],
    ids=str,
)
async def test_a_protocol_is_found_in_several_lines(port: int, offered: list[str]) -> None:
    status, head = await answer(port, GOOD | {"Sec-WebSocket-Protocol": offered})
    assert status == 101
    assert head.count("\r\nsec-websocket-protocol: bearer\r\n") == 1


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"Upgrade": []}, 426),
        ({"Upgrade": ["h2c"]}, 426),
        ({"Upgrade": ["websockets"]}, 426),
        ({"Connection": []}, 426),
        ({"Connection": ["keep-alive"]}, 426),
        ({"Connection": ["not-upgrade"]}, 426),
        ({"Sec-WebSocket-Version": []}, 426),
        ({"Sec-WebSocket-Version": ["12"]}, 426),
        ({"Sec-WebSocket-Version": ["8"]}, 426),
        ({"Sec-WebSocket-Version": ["7"]}, 426),
        ({"Sec-WebSocket-Version": ["013"]}, 426),
        ({"Sec-WebSocket-Version": ["13, 8"]}, 426),
        ({"Sec-WebSocket-Version": ["9" * 5000]}, 426),
        ({"Sec-WebSocket-Key": []}, 400),
        ({"Sec-WebSocket-Key": [""]}, 400),
        ({"Sec-WebSocket-Key": ["dGhlIHNhbXBsZSBub25jZQ"]}, 400),  # no padding
        ({"Sec-WebSocket-Key": ["dGhlIHNhbXBsZSBub25j"]}, 400),  # 15 bytes
        ({"Sec-WebSocket-Key": ["dGhlIHNhbXBsZSBub25jZSE="]}, 400),  # 17 bytes
        ({"Sec-WebSocket-Key": ["dGhl IHNhbXBsZSBub25jZQ=="]}, 400),
        ({"Sec-WebSocket-Key": ["dGhlIHNhbXBsZSBub25jZQ==="]}, 400),
        ({"Sec-WebSocket-Key": ["ключ"]}, 400),
        ({"Sec-WebSocket-Key": ["!!!!!!!!!!!!!!!!!!!!!!=="]}, 400),
    ],
    ids=str,
)
async def test_what_is_refused(port: int, changed: dict[str, list[str]], expected: int) -> None:
    status, head = await answer(port, GOOD | changed)
    assert status == expected
    assert "\r\nsec-websocket-version: 13\r\n" in head
    assert "\r\nupgrade: websocket\r\n" in head


async def test_what_stands_twice_is_refused(port: int) -> None:
    for name, status in (("Sec-WebSocket-Version", 426), ("Sec-WebSocket-Key", 400)):
        refused, _ = await answer(port, GOOD | {name: GOOD[name] * 2})
        assert refused in (status, 400)  # an HTTP parser may refuse it, too


@pytest.mark.parametrize(
    ("start", "expected"),
    [("GET /ws HTTP/1.0", 426), ("POST /ws HTTP/1.1", 400), ("PUT /ws HTTP/1.1", 400)],
)
async def test_other_methods_and_older_versions(port: int, start: str, expected: int) -> None:
    assert (await answer(port, GOOD | {"Content-Length": ["0"]}, start))[0] == expected
