"""Against a real server whose connections are taken from aiohttp, by a client that writes its own bytes."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from typing import Any

import pytest

from server.engine import WebSocket
from server.engine.websocket import READ_AHEAD_BYTES
from tests.engine.peers import soon, until
from tests.engine.sockets import HANDSHAKE, Receiver, Served, listening
from tests.engine.test_frames import parsed
from tests.engine.test_reader import BINARY, CLOSE, PING, TEXT, masked


class Echo(Receiver):
    """Sends back what it gets, once the gate is open; raises at `raise` and `cancelled`."""

    def __init__(self, socket: WebSocket) -> None:
        super().__init__(socket)
        self.gate = asyncio.Event()
        self.gate.set()
        self.got: list[tuple[int, Any]] = []

    async def receive(self, message: Any) -> None:
        self.got.append(tuple(message))
        await self.gate.wait()
        if message.data == "raise":
            raise ValueError(message.data)
        if message.data == "cancelled":
            raise asyncio.CancelledError
        if message.opcode == TEXT:
            text = message.data.encode()
            self.socket.send(bytes((0x81, len(text))) + text)


class EchoServer(Served[Echo]):
    """A server, and its clients."""

    def __init__(self) -> None:
        super().__init__(Echo, protocols=("bearer",))
        self.clients: list[Client] = []

    async def connect(self, more: bytes = b"", early: bytes = b"") -> "Client":
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(HANDSHAKE + more + b"\r\n" + early)
        head = await soon(reader.readuntil(b"\r\n\r\n"))
        self.clients.append(Client(head.decode(), reader, writer))
        return self.clients[-1]


class Client:
    def __init__(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.head = head
        self.reader = reader
        self.writer = writer

    async def rest(self) -> list[tuple[int, bytes]]:
        """All frames up to the end of the connection."""
        return parsed(await soon(self.reader.read()))

    async def text(self) -> str:
        _, size = await soon(self.reader.readexactly(2))
        return (await soon(self.reader.readexactly(size))).decode()


@pytest.fixture
async def served() -> AsyncIterator[EchoServer]:
    served = EchoServer()
    async with listening(served.handle) as served.port:
        yield served
        for client in served.clients:
            client.writer.close()
            with contextlib.suppress(ConnectionError):
                await client.writer.wait_closed()
        await until(lambda: not served.sockets)


async def test_the_handshake(served: EchoServer) -> None:
    client = await served.connect(b"Sec-WebSocket-Protocol: bearer, token\r\n")
    assert client.head.startswith("HTTP/1.1 101 ")
    assert "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in client.head  # RFC 6455, section 1.3
    assert "Sec-WebSocket-Protocol: bearer\r\n" in client.head


async def test_frames_that_come_with_the_handshake(served: EchoServer) -> None:
    client = await served.connect(early=masked(TEXT, b"early") + masked(TEXT, b"cut")[:5])
    client.writer.write(masked(TEXT, b"cut")[5:])
    assert [await client.text(), await client.text()] == ["early", "cut"]


async def test_frames_that_come_before_anybody_is_served(served: EchoServer) -> None:
    served.serve_at_once = False
    client = await served.connect(early=masked(TEXT, b"first"))
    (echo,) = served.receivers
    assert await soon(echo.socket.next()) == (TEXT, "first")
    client.writer.write(masked(TEXT, b"second"))
    assert await soon(echo.socket.next()) == (TEXT, "second")
    client.writer.write(masked(TEXT, b"third"))
    await until(lambda: echo.socket._received)
    echo.socket.serve(echo)
    assert await client.text() == "third"


async def test_one_message_after_the_other_and_no_task_in_between(served: EchoServer) -> None:
    client = await served.connect()
    (echo,) = served.receivers
    before = asyncio.all_tasks()
    echo.gate.clear()
    client.writer.write(masked(TEXT, b"a") + masked(PING, b"?") + masked(TEXT, b"b"))
    await until(lambda: echo.got)
    client.writer.write(masked(BINARY, b"c"))
    assert echo.got == [(TEXT, "a")]
    echo.gate.set()
    await until(lambda: len(echo.got) == 3)
    assert echo.got == [(TEXT, "a"), (TEXT, "b"), (BINARY, b"c")]
    await until(lambda: asyncio.all_tasks() <= before)


async def test_no_more_is_read_than_is_handled(served: EchoServer) -> None:
    client = await served.connect()
    (echo,) = served.receivers
    echo.gate.clear()
    frames = 4 * READ_AHEAD_BYTES // 256
    client.writer.write(masked(BINARY, b"." * 250) * frames)
    await until(lambda: not echo.socket.transport.is_reading())
    assert len(echo.got) == 1
    echo.gate.set()
    await until(lambda: len(echo.got) == frames and echo.socket.transport.is_reading())


async def test_a_peer_that_closes_is_answered_after_what_it_sent(served: EchoServer) -> None:
    client = await served.connect()
    client.writer.write(masked(TEXT, b"last") + masked(CLOSE, b"\x0f\xa1") + masked(TEXT, b"beyond"))
    assert await client.rest() == [(TEXT, b"last"), (CLOSE, b"\x03\xe8")]
    (echo,) = served.receivers
    assert echo.got == [(TEXT, "last")]
    assert echo.lost_with == [4001]


async def test_a_peer_that_is_closed_and_answers(served: EchoServer) -> None:
    client = await served.connect()
    (echo,) = served.receivers
    echo.socket.close(4401, "why", last=b"\x81\x01!")
    echo.socket.close(1000)
    await until(lambda: echo.lost_with)
    client.writer.write(masked(TEXT, b"meanwhile") + masked(CLOSE, b"\x11\x31"))
    assert await client.rest() == [(TEXT, b"!"), (CLOSE, b"\x11\x31why")]
    assert (echo.got, echo.lost_with) == ([], [4401])


async def test_a_peer_that_is_closed_and_does_not_answer(served: EchoServer) -> None:
    await served.connect()
    (echo,) = served.receivers
    echo.socket.close(1001)
    await until(lambda: echo.lost_with == [1001])
    served.clock.turn(1.9)
    await asyncio.sleep(0)
    assert not served.gone
    served.clock.turn(0.1)
    await until(lambda: served.gone)


@pytest.mark.parametrize(
    ("broken", "code"),
    [(b"\x81\x01x", 1002), (masked(TEXT, b"\xff"), 1007), (masked(TEXT, b"x" * 1001), 1009)],
)
async def test_broken_frames(served: EchoServer, broken: bytes, code: int) -> None:
    client = await served.connect()
    client.writer.write(masked(TEXT, b"fine") + broken + b"\x00" * 5000)
    assert await soon(client.reader.readexactly(10)) == b"\x81\x04fine\x88\x02" + code.to_bytes(2, "big")
    served.clock.turn(2)
    await until(lambda: served.gone)
    assert served.receivers[0].lost_with == [code]


async def test_the_server_ends_what_the_peer_has_just_reset(served: EchoServer) -> None:
    client = await served.connect()
    (echo,) = served.receivers
    wire = client.writer.get_extra_info("socket")
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.writer.transport.abort()
    await until(lambda: wire.fileno() < 0)
    echo.socket.drop(1001)
    await until(lambda: served.gone)
    assert echo.lost_with in ([1001], [1006])


@pytest.mark.parametrize("half", [True, False])
async def test_a_connection_that_is_cut(served: EchoServer, half: bool) -> None:
    client = await served.connect()
    client.writer.write(masked(TEXT, b"last") + b"\x81")
    assert await client.text() == "last"
    if half:
        client.writer.write_eof()
    else:
        client.writer.transport.abort()
    await until(lambda: served.gone)
    await until(lambda: served.receivers[0].lost_with)
    assert served.receivers[0].lost_with == [1006]


async def test_a_receiver_that_raises(served: EchoServer) -> None:
    loop, reported = asyncio.get_running_loop(), list[dict[str, Any]]()
    loop.set_exception_handler(lambda _, context: reported.append(context))
    client = await served.connect()
    client.writer.write(masked(TEXT, b"raise") + masked(TEXT, b"after"))
    await until(lambda: served.receivers[0].lost_with)
    served.clock.turn(2)
    await until(lambda: served.gone)
    assert await client.rest() == [(CLOSE, b"\x03\xf3")]
    assert served.receivers[0].got == [(TEXT, "raise")]
    assert served.receivers[0].lost_with == [1011]
    assert [str(context["exception"]) for context in reported] == ["raise"]


async def test_a_receiver_for_which_something_was_cancelled(served: EchoServer) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda _, context: None)
    client = await served.connect()
    client.writer.write(masked(TEXT, b"cancelled") + masked(TEXT, b"after"))
    await until(lambda: served.receivers[0].lost_with)
    served.clock.turn(2)
    await until(lambda: served.gone)
    assert await client.rest() == [(CLOSE, b"\x03\xf3")]
    assert served.receivers[0].lost_with == [1011]
