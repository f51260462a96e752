"""A proxy that gives each request to another node, whatever connection it comes on."""

import asyncio
import contextlib
import itertools
import re
from collections.abc import Callable
from typing import Self

HEAD_BYTES_MAX = 64 * 1024
_SID = re.compile(rb"[?&]sid=([^&\s]+)")
_CONNECTION = re.compile(rb"\r\nconnection:[^\r\n]*", re.IGNORECASE)
_UPGRADE = re.compile(rb"\r\nupgrade:", re.IGNORECASE)

Choose = Callable[[bytes], int]
"""The port of the node for a request, by its head."""


def sid_in(head: bytes) -> bytes | None:
    """The sid in the first line of a request."""
    found = _SID.search(head.partition(b"\r\n")[0])
    return found and found[1]


class RoundRobin:
    """Open one with `RoundRobin.open`. Each request gets a connection of its own, to the node that `choose` names:
    by default sessions open on the first node, and each request for one goes to the next of all nodes. `taken`
    counts those by port."""

    def __init__(self, ports: list[int]) -> None:
        self.ports = ports
        self.taken: dict[int, int] = dict.fromkeys(ports, 0)
        self._next = itertools.count(1)
        self.choose: Choose = self._by_turns
        self._may_carry = asyncio.Event()
        self._may_carry.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server

    @classmethod
    async def open(cls, *ports: int) -> Self:
        proxy = cls(list(ports))
        proxy._server = await asyncio.start_server(proxy._accept, "127.0.0.1", 0, limit=HEAD_BYTES_MAX)
        return proxy

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # in which the connections close

    def pause(self) -> None:
        """Carries nothing any more, and says so to nobody."""
        self._may_carry.clear()

    def go_on(self) -> None:
        """Carries what waits."""
        self._may_carry.set()

    def _by_turns(self, head: bytes) -> int:
        if sid_in(head) is None:
            return self.ports[0]
        return self.ports[next(self._next) % len(self.ports)]

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError), contextlib.closing(writer):
            head = await reader.readuntil(b"\r\n\r\n")
            await self._may_carry.wait()
            port = self.choose(head)
            if sid_in(head) is not None:
                self.taken[port] = self.taken.get(port, 0) + 1
            there, back = await asyncio.open_connection("127.0.0.1", port)
            if not _UPGRADE.search(head):  # so that the next request comes on a connection of its own
                head = _CONNECTION.sub(b"", head)[:-2] + b"Connection: close\r\n\r\n"
            back.write(head)
            up = asyncio.create_task(self._copy(reader, back))
            try:
                await self._copy(there, writer)
            finally:
                up.cancel()
                back.transport.abort()
                await asyncio.wait((up,))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError):  # uvloop's word for a closed connection
            while data := await reader.read(65536):
                await self._may_carry.wait()
                writer.write(data)
                await writer.drain()
            writer.write_eof()
