"""Clients that speak Engine.IO and Socket.IO by hand, so that they can also speak it wrongly."""

import asyncio
import json
from collections.abc import Awaitable
from typing import Any, TypeVar

import aiohttp

from server.engine import EngineServer

T = TypeVar("T")

PATIENCE_S = 20.0

CONNECT_S = 20
"""How long python-socketio's client waits for a namespace, and for a request: by itself 1 s and 5 s, too short on a
busy machine."""


async def soon(awaitable: Awaitable[T]) -> T:
    return await asyncio.wait_for(awaitable, PATIENCE_S)


async def until(condition: Any) -> None:
    """Waits for a condition that something else, already under way, will bring about."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.005)


class WebSocket:
    """A WebSocket; packets are what `receive` returns, pings of the heartbeat aside."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.answers_pings = True

    async def send(self, packet: str | bytes) -> None:
        if isinstance(packet, bytes):
            await self.ws.send_bytes(packet)
        else:
            await self.ws.send_str(packet)

    async def receive(self) -> str | bytes:
        while (packet := (await soon(self.ws.receive())).data) == "2":
            if self.answers_pings:
                await self.ws.send_str("3")
        assert isinstance(packet, str | bytes), self.ws.close_code
        return packet

    async def close_code(self) -> int | None:
        """Reads on to the end of the connection; the close code, 1006 if it was cut."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message = await self.ws.receive()
                if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                    return self.ws.close_code
                if message.data == "2" and self.answers_pings:
                    await self.ws.send_str("3")


class Peer:
    """A client of one server."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = url
        self.base = url.rsplit("/", 2)[0]

    def at(self, transport: str = "polling", **query: str) -> str:
        query = {"EIO": "4", "transport": transport, **query}
        return f"{self.url}?" + "&".join(f"{key}={value}" for key, value in query.items())

    async def request(self, method: str, url: str, **options: Any) -> tuple[int, str]:
        async with self.session.request(method, url, **options) as response:
            return response.status, await response.text()

    async def open(self) -> dict[str, Any]:
        """A polling session: the handshake's answer."""
        status, body = await soon(self.request("GET", self.at()))
        assert status == 200, body
        assert body[0] == "0", body
        return json.loads(body[1:])  # type: ignore[no-any-return]

    async def poll(self, sid: str) -> tuple[int, str]:
        return await soon(self.request("GET", self.at(sid=sid)))

    async def waiting_poll(self, server: EngineServer, sid: str) -> "asyncio.Task[tuple[int, str]]":
        """A poll that has reached the server, and found nothing yet."""
        poll = asyncio.ensure_future(self.poll(sid))
        await until(lambda: server.sockets[sid].polling.is_waiting)
        return poll

    async def post(self, sid: str, body: Any) -> tuple[int, str]:
        return await soon(self.request("POST", self.at(sid=sid), data=body))

    async def websocket(self, **query: str) -> WebSocket:
        return WebSocket(
            await soon(self.session.ws_connect(self.at("websocket", **query), max_msg_size=0, autoclose=True))
        )

    async def direct(self) -> WebSocket:
        """A WebSocket session whose handshake is over."""
        socket = await self.websocket()
        assert str(await socket.receive()).startswith("0")
        return socket

    async def connected(self, namespace: str = "") -> WebSocket:
        """A WebSocket client of a Socket.IO namespace (`/name,` or none for the main one)."""
        socket = await self.direct()
        await socket.send("40" + namespace)
        assert str(await socket.receive()).startswith("40" + namespace)
        return socket

    async def upgraded(self, sid: str) -> WebSocket:
        socket = await self.websocket(sid=sid)
        await socket.send("2probe")
        assert await socket.receive() == "3probe"
        await socket.send("5")
        return socket
