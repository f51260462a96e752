"""A server behind a proxy that answers nothing but what a test wants."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 7\r\nContent-Type: text/plain\r\n"
    b"Connection: close\r\n\r\nrefused"
)


class FakeNode:
    """Reads the head of each request and answers with the same bytes, or hangs up if there are none."""

    def __init__(self, answer: bytes) -> None:
        self.requests: list[str] = []
        self.address = ""
        self._answer = answer

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            pass  # nginx has opened a connection and not used it
        else:
            self.requests.append(head.decode())
            writer.write(self._answer)
        writer.close()


@asynccontextmanager
async def fake_node(answer: bytes) -> AsyncIterator[FakeNode]:
    node = FakeNode(answer)
    server = await asyncio.start_server(node.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    node.address = f"{host}:{port}"
    try:
        yield node
    finally:
        server.close()
        await server.wait_closed()
