"""Whether the nodes reach each other under the URLs in their leases."""

import asyncio
import random

import structlog
from aiohttp import ClientError, hdrs, web

from handlers.wire.errors import not_found
from server.nodes.relay_client import RelayClient
from server.nodes.relay_gate import CLAIM
from server.nodes.relay_owners import Owners
from server.nodes.relay_signing import Forged
from storage.errors import Unavailable

log = structlog.get_logger("vestnik")

PATH = "/nodes/ping"

PING_TIMEOUT_S = 3.0

ASKED_MAX = 3
"""How many others are asked at once; one that answers would do, but one may be ending."""

REACHED, NOT_REACHED = 204, 502


class Probe:
    """Asks others whether they reach this node, and logs a warning if one does not: then clients that poll, or
    upgrade, start new sessions whenever a proxy gives their requests to another node."""

    def __init__(self, client: RelayClient, owners: Owners) -> None:
        self._client = client
        self._owners = owners

    async def check(self) -> None:
        """Asks some of the others. To be called when this node accepts connections and its lease has its URL."""
        urls = self._owners.urls()
        asked = random.sample(sorted(urls), min(ASKED_MAX, len(urls)))
        answers = await asyncio.gather(*(self._ask(name, urls[name], hdrs.METH_POST) for name in asked))
        for name, answer in zip(asked, answers, strict=True):
            if answer is None:
                log.warning(
                    "another node cannot be reached; check its NODE_URL, and the network between the nodes",
                    url=urls[name],
                )
            elif answer != REACHED:
                log.warning("another node cannot reach this one; set NODE_URL", asked=urls[name])

    async def answer_ping(self, request: web.Request) -> web.Response:
        """Answers a GET of another node, and a POST when this node has sent a GET to the one that asks."""
        claim = request.get(CLAIM)
        if claim is None:
            raise not_found("page")
        if request.method == hdrs.METH_POST:
            try:
                url = await self._owners.url_of(claim.sender)
            except Unavailable:
                url = ""
            if not url or await self._ask(claim.sender, url, hdrs.METH_GET) != REACHED:
                return web.Response(status=NOT_REACHED)
        return web.Response(status=REACHED)

    async def _ask(self, incarnation: str, url: str, method: str) -> int | None:
        """The status of the other node's answer; None if there is none."""
        claim = self._client.claim(incarnation, "")
        within_s = PING_TIMEOUT_S * (2 if method == hdrs.METH_POST else 1)
        try:
            async with (
                asyncio.timeout(within_s),
                self._client.asked(claim, method, url, PATH, {}, None) as answer,
            ):
                return answer.response.status
        except (ClientError, OSError, TimeoutError, Forged):
            return None
