"""Somebody who has the address of a node."""

import asyncio

from tests.nodes.relay.leases import Leases


class Hung:
    """A node that takes connections and says nothing, until it says `answer`."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []
        self.answer = asyncio.Event()
        self.says = b""

    async def open(self, leases: Leases, name: str) -> None:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        leases.add(name, f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}")

    async def close(self) -> None:
        self.answer.set()
        self._server.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heads.append(await reader.readuntil(b"\r\n\r\n"))
        await self.answer.wait()
        writer.write(self.says)
        writer.close()
