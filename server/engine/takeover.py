"""Taking a WebSocket from aiohttp once its handshake is answered.

aiohttp answers HTTP. What it keeps of a request while its WebSocket lives (the request itself, two tasks, a parser, a
queue) was 15 of the 21 KiB of a connection, and every message went through its queue and woke its task. So the
transport gets another protocol: `WebSocket`.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from aiohttp import web

from . import handshake, internals
from .websocket import READ_AHEAD_BYTES, WebSocket

AProtocol = TypeVar("AProtocol", bound=asyncio.BaseProtocol)


class HandedOver(web.StreamResponse):
    """What a handler returns to aiohttp once the connection is no more aiohttp's: nothing that could be sent."""

    async def prepare(self, request: web.BaseRequest) -> None:
        """Raises: ConnectionResetError, upon which aiohttp gives up the connection."""
        raise ConnectionResetError("the connection was handed over")


async def take_over(request: web.Request, *, protocols: Iterable[str] = (), **options: Any) -> WebSocket:
    """Answers a WebSocket handshake; aiohttp then takes the connection for lost. The handler has to return
    `HandedOver`.

    `options` are those of `WebSocket`. Raises: as `handshake.check`; `ConnectionResetError` if the client has gone.
    """
    # No extension is taken: permessage-deflate costs 106 KiB a connection.
    handshake.check(request)
    socket, early = await hand_over(request, lambda transport: WebSocket(transport, **options), protocols)
    if early:
        socket.came(early)
    return socket


async def hand_over(
    request: web.Request, make: Callable[[asyncio.Transport], AProtocol], protocols: Iterable[str] = ()
) -> tuple[AProtocol, bytes]:
    """As `take_over`, for a handshake that `handshake.check` has passed. The connection gets the protocol that `make`
    makes for its transport. Returns it, and what aiohttp had read beyond the handshake."""
    head = await _switching_protocols(request, protocols)
    transport = request.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError("the client has gone")
    early = _Early()
    protocol = make(transport)
    transport.pause_reading()  # a transport looks at its protocol's kind when it starts to read
    transport.set_protocol(protocol)
    internals.let_go(request, early)
    transport.write(head)
    transport.resume_reading()
    if len(early.data) > READ_AHEAD_BYTES:
        transport.abort()  # clients wait for the answer before they send (RFC 6455, section 4.1)
        return protocol, b""
    return protocol, early.data


class _Early:
    """A parser that keeps what aiohttp has read beyond the handshake."""

    def __init__(self) -> None:
        self.data = b""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """(whether the data ends the parser, what is left of the data)"""
        self.data += data
        return False, b""

    def feed_eof(self) -> None:
        """The peer has ended its side; the transport tells its new protocol too."""


async def _switching_protocols(request: web.Request, protocols: Iterable[str]) -> bytes:
    """The head of the answer, with the headers that the application gives every answer."""
    answer = web.StreamResponse(status=101, headers=handshake.answer_headers(request, protocols))
    await request.app.on_response_prepare.send(request, answer)
    lines = [f"{name}: {value}" for name, value in answer.headers.items()]
    return "\r\n".join(("HTTP/1.1 101 Switching Protocols", *lines, "", "")).encode()
