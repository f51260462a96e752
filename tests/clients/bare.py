"""A WebSocket client that sends any bytes, right or wrong, as frames."""

import asyncio
import contextlib
import socket
import struct
from typing import NamedTuple

from tests.clients.raw import TIMEOUT_S

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
FIN, RSV1 = 0x80, 0x40

STREAM_BYTES = 4096
"""asyncio reads ahead twice as much."""


class Frame(NamedTuple):
    """A frame of the server."""

    opcode: int
    payload: bytes

    @property
    def close_code(self) -> int:
        assert self.opcode == CLOSE, self
        return int.from_bytes(self.payload[:2], "big")


def frame(opcode: int, payload: bytes = b"", *, flags: int = FIN, masked: bool = True) -> bytes:
    """A frame of a client. The mask is zero, so that the payload stays readable."""
    mask = 0x80 if masked else 0
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", flags | opcode, mask | size)
    elif size < 65536:
        head = struct.pack("!BBH", flags | opcode, mask | 126, size)
    else:
        head = struct.pack("!BBQ", flags | opcode, mask | 127, size)
    return head + bytes(4 if masked else 0) + payload


class BareSocket:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.extensions = ""

    @classmethod
    async def open(
        cls,
        port: int,
        path: str,
        *,
        receive_buffer_bytes: int | None = None,
        send_buffer_bytes: int | None = None,
        **headers: str,
    ) -> "BareSocket":
        """Opens a WebSocket. With a small receive buffer almost all that the client does not read stays at the
        server. With a small send buffer `drained` waits for little."""
        wire = socket.socket()
        if send_buffer_bytes is not None:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer_bytes)
        if receive_buffer_bytes is not None:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        wire.setblocking(False)
        await asyncio.get_running_loop().sock_connect(wire, ("127.0.0.1", port))
        reader, writer = await asyncio.open_connection(sock=wire, limit=STREAM_BYTES)
        headers = {
            "Host": "x",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), TIMEOUT_S)
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        opened = cls(reader, writer)
        opened.extensions = "\n".join(
            line for line in answer.decode().splitlines() if line.lower().startswith("sec-websocket-ext")
        )
        return opened

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def drained(self) -> None:
        """Returns when almost all that was sent has left for the system's buffers. Raises: `ConnectionError`."""
        await self._writer.drain()

    async def next(self) -> Frame:
        """The next frame. Raises: `ConnectionError` at the end."""
        async with asyncio.timeout(TIMEOUT_S):
            try:
                first, size = await self._reader.readexactly(2)
                if size == 126:
                    size = int.from_bytes(await self._reader.readexactly(2), "big")
                elif size == 127:
                    size = int.from_bytes(await self._reader.readexactly(8), "big")
                return Frame(first & 0xF, await self._reader.readexactly(size))
            except asyncio.IncompleteReadError:
                raise ConnectionResetError from None

    async def closed(self) -> int:
        """Reads up to the close frame and returns its code, 1006 if there is none."""
        with contextlib.suppress(ConnectionError):
            while (got := await self.next()).opcode != CLOSE:
                pass
            return got.close_code
        return 1006

    def close(self) -> None:
        """Closes the connection without a close frame. What the system has not taken yet is dropped: a peer that does
        not read would keep the connection open for ever."""
        self._writer.transport.abort()
