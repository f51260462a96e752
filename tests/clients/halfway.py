"""Clients that begin something and never finish it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, closing
from urllib.parse import urlsplit

from aiohttp import ClientSession

from tests.clients.bare import TEXT, frame


class Halfway:
    """A TCP connection that is never read from, with buffers as small as the system allows."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._address = parts.hostname, parts.port
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.setblocking(False)

    async def send(self, data: str | bytes) -> None:
        """Sends; connects before the first time."""
        loop = asyncio.get_running_loop()
        if self.socket.fileno() != -1 and not _connected(self.socket):
            await loop.sock_connect(self.socket, self._address)
        await loop.sock_sendall(self.socket, data.encode() if isinstance(data, str) else data)

    async def upgrade(self, path: str) -> None:
        """Asks for a WebSocket."""
        await self.send(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )

    async def text(self, text: str) -> None:
        """A WebSocket text frame."""
        await self.send(frame(TEXT, text.encode()))

    def close(self) -> None:
        self.socket.close()


def _connected(end: socket.socket) -> bool:
    try:
        end.getpeername()
    except OSError:
        return False
    return True


async def polling_session(http: ClientSession, url: str, token: str | None) -> str:
    """The path of a Socket.IO session over polling that has sent CONNECT and fetches nothing."""
    path = "/socket.io/?EIO=4&transport=polling"
    async with http.get(url + path) as answer:
        sid = (await answer.text()).partition('"sid":"')[2].partition('"')[0]
    path += f"&sid={sid}"
    async with http.post(url + path, data=f'40{{"token":"{token}"}}') as answer:
        assert answer.status == 200
    return path


@asynccontextmanager
async def stopped_halfway(
    http: ClientSession, url: str, token: str | None, chat_id: int
) -> AsyncIterator[None]:
    """Keeps one client stuck at each place where a client can be stuck."""
    with ExitStack() as stack:

        def new() -> Halfway:
            return stack.enter_context(closing(Halfway(url)))

        await new().send("")  # connects, and says nothing
        await new().send("GET /api/users/me HTTP/1.1\r\nHost:")  # half a head
        await new().send(  # a body that never ends
            "POST /api/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f'Authorization: Bearer {token}\r\nContent-Length: 1000\r\n\r\n{{"chat_id":'
        )
        raw = new()  # never reads, never answers a close frame
        await raw.upgrade(f"/ws?token={token}")
        await raw.text(f'{{"type":"join_chat","chat_id":{chat_id}}}')
        half = new()  # half a frame
        await half.upgrade(f"/ws?token={token}")
        await half.send(b"\x81\xfe\x10\x00")
        socketio = new()  # the same over Socket.IO
        await socketio.upgrade("/socket.io/?EIO=4&transport=websocket")
        await socketio.text(f'40{{"token":"{token}"}}')
        await socketio.text(f'42["join_chat",{{"chat_id":{chat_id}}}]')
        silent = new()  # never says CONNECT
        await silent.upgrade("/socket.io/?EIO=4&transport=websocket")
        path = await polling_session(http, url, token)  # a poll whose answer nobody reads
        await new().send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
        await polling_session(http, url, token)  # does not poll
        path = await polling_session(http, url, token)  # a polling POST that never ends
        await new().send(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n42[")
        path = await polling_session(http, url, token)  # in the middle of an upgrade
        probe = new()
        await probe.upgrade(path.replace("polling", "websocket"))
        await probe.text("2probe")
        yield
