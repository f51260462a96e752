"""A proxy between client and server that limits the bytes a second towards the client, and buffers nothing itself."""

import asyncio
import contextlib
import socket
from typing import Self

PIECE_BYTES = 4096


class SlowLink:
    """Open one with `SlowLink.open`; clients then use its `url`. With `bytes_per_s` 0 nothing comes through, until it
    is raised. What the client sends goes on at once."""

    def __init__(self, port: int, bytes_per_s: float) -> None:
        self.bytes_per_s = bytes_per_s
        self.carried_bytes = 0
        self._port = port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(cls, port: int, bytes_per_s: float) -> Self:
        link = cls(port, bytes_per_s)
        link._server = await asyncio.start_server(link._accept, "127.0.0.1", 0, limit=PIECE_BYTES)
        return link

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = socket.socket()
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * PIECE_BYTES)
        # With larger segments than the window each segment waits for a timer.
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)
        wire.setblocking(False)
        await asyncio.get_running_loop().sock_connect(wire, ("127.0.0.1", self._port))
        there, back = await asyncio.open_connection(sock=wire, limit=PIECE_BYTES)
        up = asyncio.create_task(self._up(reader, back))
        try:
            with contextlib.suppress(ConnectionError):
                await self._down(there, writer)
        finally:
            up.cancel()
            back.close()
            writer.close()

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        free_at = loop.time()
        while True:
            while not self.bytes_per_s:
                await asyncio.sleep(0.005)
                free_at = loop.time()
            if not (data := await reader.read(PIECE_BYTES)):
                return
            writer.write(data)
            await writer.drain()
            self.carried_bytes += len(data)
            free_at = max(free_at + len(data) / self.bytes_per_s, loop.time() - 0.05)
            if (wait_s := free_at - loop.time()) > 0.005:
                await asyncio.sleep(wait_s)
