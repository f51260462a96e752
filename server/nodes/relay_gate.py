"""Requests that other nodes hand on to this one: told apart from those of strangers before anything looks at them."""

import hmac
from collections.abc import AsyncIterator, Callable

from aiohttp import StreamReader, web
from aiohttp.typedefs import Handler

from handlers.wire.errors import ChatError
from server.engine.foreign import Body
from server.nodes.relay_replays import Replays
from server.nodes.relay_signing import HEADER, MAC_BYTES, Claim, Forged, Signer
from server.origins import ADDRESS

CLAIM = web.RequestKey("relay_claim", Claim)
"""The claim of the node that has handed on the request; absent for a client's own request."""

_FORGED = web.RequestKey("relay_forged", bool)


class RelayGate:
    """Checks the signature of requests and bodies, and signs the answers.

    `is_known` says of a sid whether its session here has been recognized.
    """

    def __init__(self, signer: Signer, is_known: Callable[[str], bool]) -> None:
        self._signer = signer
        self._is_known = is_known
        self._replays = Replays()
        self.incarnation = ""
        """This node's; "" while it is alone, and then nothing that is handed on is taken."""
        self.forged = 0
        """How many requests had a signature that is not good."""

    @web.middleware
    async def recognize(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Reads the signature, so that what follows sees the address of the client."""
        header = request.headers.get(HEADER)
        if header is not None:
            try:
                claim = request[CLAIM] = self._read(request, header)
                request[ADDRESS] = claim.address
            except Forged:
                self.forged += 1
                request[_FORGED] = True
        return await handler(request)

    @web.middleware
    async def refuse(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuses what is signed wrongly. To be called after the pace was set: a forger waits like other
        strangers."""
        if _FORGED in request:
            raise ChatError("forbidden", "this is no request of another node")
        return await handler(request)

    async def sign(self, request: web.Request, answer: web.StreamResponse) -> None:
        """An `on_response_prepare` signal."""
        claim = request.get(CLAIM)
        if claim is not None:
            known = self._is_known(request.query.get("sid", ""))
            answer.headers[HEADER] = self._signer.answer(claim, answer.status, known=known)

    def body_of(self, request: web.Request) -> Body:
        """The body of a request, without its signature."""
        size, claim = request.content_length, request.get(CLAIM)
        if claim is None:
            return Body(size, request.content.iter_any())
        checked = _checked(request.content, self._signer.body(claim))
        return Body(None if size is None else max(0, size - MAC_BYTES), checked)

    def _read(self, request: web.Request, header: str) -> Claim:
        claim = self._signer.read_request(header, request.method, request.path_qs)
        if not self.incarnation:
            raise Forged
        if claim.recipient != self.incarnation or not self._replays.is_new(claim.sender, claim.number):
            raise Forged
        return claim


async def _checked(content: StreamReader, mac: hmac.HMAC) -> AsyncIterator[bytes]:
    """The parts of a body that ends with its signature. Raises: `RequestPayloadError` at the end of another one."""
    held = b""
    async for part in content.iter_any():
        held += part
        if len(held) > MAC_BYTES:
            ready, held = held[:-MAC_BYTES], held[-MAC_BYTES:]
            mac.update(ready)
            yield ready
    if not hmac.compare_digest(held, mac.digest()):
        raise web.RequestPayloadError("the body is not the one that was signed")
