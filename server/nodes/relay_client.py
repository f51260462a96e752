"""Asks another node for the answer to a request."""

import hmac
import itertools
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiohttp import ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, hdrs, web
from yarl import URL

from domain.frozen import frozen
from server.nodes.relay_signing import HEADER, MAC_BYTES, Claim, Signer

CONNECT_TIMEOUT_S = 2.0

KEPT_ALIVE_S = 30.0
"""How long an idle connection to another node is kept: less than the other one keeps it, so that no request goes into
a connection that is being closed."""

READ_AHEAD_BYTES = 32 * 1024

SMALL_BODY_BYTES = 16 * 1024
"""A body up to this size is read before the other node is asked. It goes out in one write with the head, and does not
hold up the other node if its client is slow."""

ASKED_HEADERS = (hdrs.ACCEPT_ENCODING, hdrs.CONTENT_TYPE)
"""What the engine reads of a request for a session that is open."""


@frozen
class Answer:
    """The answer of another node, whose signature is good. `known`: it has recognized the session."""

    response: ClientResponse
    known: bool


class RelayClient:
    """Connections to the other nodes, kept alive between requests.

    Nothing is sent twice: aiohttp repeats a GET on a connection that breaks before the answer, and the other node
    refuses the signature that it has seen.
    """

    def __init__(self, signer: Signer, incarnation: str) -> None:
        self._signer = signer
        self._incarnation = incarnation
        self._numbers = itertools.count(1)
        self._http: ClientSession | None = None
        self._tls: ssl.SSLContext | None = None

    def claim(self, recipient: str, address: str) -> Claim:
        """A claim for one request."""
        return Claim(self._incarnation, recipient, next(self._numbers), address)

    @asynccontextmanager
    async def relayed(
        self, request: web.Request, recipient: str, url: str, address: str
    ) -> AsyncIterator[Answer]:
        """The answer of another node to a client's request. Raises: `aiohttp.ClientError`, `OSError`, `TimeoutError`,
        and `Forged` for an answer that is not the other node's."""
        headers: dict[str, str] = {
            name: request.headers[name] for name in ASKED_HEADERS if name in request.headers
        }
        begun = await _beginning(request) if request.method == hdrs.METH_POST else None
        claim = self.claim(recipient, address)
        body: bytes | AsyncIterator[bytes] | None = None
        if begun is not None:
            mac = self._signer.body(claim)
            if request.content.at_eof():
                mac.update(begun)
                body = begun + mac.digest()
            else:
                body = _signed(begun, request, mac)
                if request.content_length is not None:
                    headers[hdrs.CONTENT_LENGTH] = str(request.content_length + MAC_BYTES)
        async with self.asked(claim, request.method, url, request.path_qs, headers, body) as answer:
            yield answer

    @asynccontextmanager
    async def asked(
        self,
        claim: Claim,
        method: str,
        url: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | AsyncIterator[bytes] | None,
    ) -> AsyncIterator[Answer]:
        """As `relayed`, for any request."""
        signed = {**headers, HEADER: self._signer.request(claim, method, target)}
        async with self._session().request(
            method,
            URL(url + target, encoded=True),
            headers=signed,
            data=body,
            allow_redirects=False,
            ssl=self.tls_for(url) or True,
        ) as response:
            known = self._signer.read_answer(response.headers.get(HEADER, ""), claim, response.status)
            yield Answer(response, known)

    def tls_for(self, url: str) -> ssl.SSLContext | None:
        """How a URL with `https` is connected to: its certificate has to be one that this machine trusts."""
        if not url.startswith("https:"):
            return None
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()

    def _session(self) -> ClientSession:
        if self._http is None:
            self._http = ClientSession(
                connector=TCPConnector(limit=0, keepalive_timeout=KEPT_ALIVE_S),
                cookie_jar=DummyCookieJar(),
                auto_decompress=False,
                timeout=ClientTimeout(connect=CONNECT_TIMEOUT_S),
                read_bufsize=READ_AHEAD_BYTES,
                skip_auto_headers=(
                    hdrs.USER_AGENT,
                    hdrs.ACCEPT,
                    hdrs.ACCEPT_ENCODING,
                    hdrs.CONTENT_TYPE,
                ),
            )
        return self._http


async def _beginning(request: web.Request) -> bytes:
    """The whole of a small body, or what has come of a larger one."""
    begun = bytearray()
    while len(begun) <= SMALL_BODY_BYTES and not request.content.at_eof():
        begun += await request.content.readany()
    return bytes(begun)


async def _signed(begun: bytes, request: web.Request, mac: hmac.HMAC) -> AsyncIterator[bytes]:
    """The body of a request as it comes, and its signature at the end. A body that breaks off has none."""
    mac.update(begun)
    yield begun
    async for part in request.content.iter_any():
        mac.update(part)
        yield part
    yield mac.digest()
