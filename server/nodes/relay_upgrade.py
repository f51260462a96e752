"""The way to a tunnel: another node takes the handshake of an upgrade, and then this one takes its client from
aiohttp."""

import asyncio
import ssl
from http.client import HTTPException, parse_headers
from io import BytesIO
from typing import cast

from aiohttp import hdrs, web
from yarl import URL

from server.nodes.relay_signing import HEADER, Claim, Forged, Signer
from server.nodes.relay_tunnel import Tunnel, TunnelEnd

CONNECT_TIMEOUT_S = 2.0

HEAD_BYTES_MAX = 16 * 1024

SWITCHING_PROTOCOLS = 101

_END_OF_HEAD = b"\r\n\r\n"


class NotSwitched(Exception):
    """The other node does not take the handshake; `status` is its answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Answering(asyncio.Protocol):
    """Reads the head of the answer to a handshake; what comes behind it stays unread or is in `rest`."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.head: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.rest = b""
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are no instances of it

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, end, self.rest = self._data.partition(_END_OF_HEAD)
        if end:
            self.transport.pause_reading()
            if not self.head.done():
                self.head.set_result(head + end)
        elif len(self._data) > HEAD_BYTES_MAX:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.head.done():
            self.head.set_exception(exc or ConnectionResetError("the other node has closed the connection"))


async def connect(
    request: web.Request,
    url: str,
    claim: Claim,
    signer: Signer,
    tunnel: Tunnel,
    *,
    tls: ssl.SSLContext | None,
) -> tuple[TunnelEnd, bytes]:
    """The tunnel's end at the other node, which has answered the handshake in `request`, and what has come of the
    other node's bytes already; it reads nothing until the client is there.

    Raises: `NotSwitched`; `OSError`, `TimeoutError`, and `Forged` for an answer that is not the other node's.
    """
    place = URL(url)
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        _, answering = await asyncio.get_running_loop().create_connection(
            _Answering,
            place.host or "",
            place.port or 0,
            ssl=tls,
        )
    transport = answering.transport
    try:
        transport.write(_head(request, place, signer.request(claim, request.method, request.path_qs)))
        status, header = _read(await answering.head)
        signer.read_answer(header, claim, status)
        if status != SWITCHING_PROTOCOLS:
            raise NotSwitched(status)
    except BaseException:
        transport.abort()
        raise
    end = tunnel.end_for(transport)
    transport.set_protocol(end)
    return end, answering.rest


def _head(request: web.Request, place: URL, signature: str) -> bytes:
    """The client's handshake, without anything else that the client has sent."""
    lines = [
        f"GET {request.path_qs} HTTP/1.1",
        f"{hdrs.HOST}: {place.authority}",
        f"{hdrs.UPGRADE}: websocket",
        f"{hdrs.CONNECTION}: Upgrade",
        f"{hdrs.SEC_WEBSOCKET_VERSION}: {request.headers[hdrs.SEC_WEBSOCKET_VERSION]}",
        f"{hdrs.SEC_WEBSOCKET_KEY}: {request.headers[hdrs.SEC_WEBSOCKET_KEY]}",
        f"{HEADER}: {signature}",
    ]
    return "\r\n".join((*lines, "", "")).encode()


def _read(head: bytes) -> tuple[int, str]:
    """The status and the signature of an answer. Raises: `Forged`."""
    first, _, rest = head.partition(b"\r\n")
    try:
        status = int(first.split(b" ", 2)[1])
        return status, parse_headers(BytesIO(rest)).get(HEADER, "")
    except (ValueError, IndexError, HTTPException):
        raise Forged from None
