"""Paces HTTP requests: one with a good token counts against the budget of its user, any other against the budget that
all strangers of its address share.

Answering a request costs the loop about a millisecond. A few hundred connections that each ask again as soon as they
have their answer would take the loop from everybody else. Beyond its budget a request waits.
"""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler

from handlers.chat_app import Claims
from handlers.wire.errors import ChatError
from server.engine.budget import Budget
from server.keys import CHAT_APP, CLAIMS, SIO
from server.origins import bearer, raw_token

REQUEST_FRAMES = 10
"""How many frames a request of a user counts as."""

POLLING_FRAMES = 4
"""How many frames a request of a polling client counts as, besides the packets in it."""

STRANGERS_REQUEST_FRAMES = 1
"""How many frames a request of a stranger counts as; most are refused, or ask for a file."""

WAIT_MAX_S = 5.0
"""How long a request may wait; a client that would have to wait longer is asked to come back later."""

WAITING_MAX = 1000
"""How many requests of one budget may wait; more are cut off."""


class Pacing:
    """Makes requests wait that are beyond their budget. A request that is refused in the end does not count."""

    def __init__(self) -> None:
        self._waiting: dict[Budget, set[asyncio.Future[None]]] = {}

    def __len__(self) -> int:
        """How many requests wait."""
        return sum(map(len, self._waiting.values()))

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        await self._pace(request, *_budget_of(request))
        return await handler(request)

    async def _pace(self, request: web.Request, budget: Budget, frames: int) -> None:
        """Returns when a request may be handled. Raises: `ChatError` `rate_limited`."""
        scheduler = request.app[SIO].eio.scheduler
        now = asyncio.get_running_loop().time()
        wait_s = budget.charge(frames, 0, now)
        if wait_s > WAIT_MAX_S:
            budget.refund(frames)
        if wait_s:
            await self._wait(request, budget, min(wait_s, WAIT_MAX_S))
        if wait_s > WAIT_MAX_S:
            raise ChatError("rate_limited", "too many requests", retry_after_ms=int(wait_s * 1000))
        used_s = budget.ahead_s(now)
        if not scheduler.has_turn(used_s):
            await scheduler.turn(used_s)

    async def _wait(self, request: web.Request, budget: Budget, wait_s: float) -> None:
        others = self._waiting.setdefault(budget, set())
        if len(others) >= WAITING_MAX and request.transport is not None:
            request.transport.abort()
            raise ConnectionResetError("too many requests wait")
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        others.add(waiting)
        try:
            async with asyncio.timeout(wait_s):
                await waiting
        except TimeoutError:
            return
        finally:
            others.discard(waiting)
            if not others:
                self._waiting.pop(budget, None)
        raise ChatError("unavailable", "the server is going away")

    def stop(self) -> None:
        """Refuses all requests that wait: the server is going away."""
        for others in self._waiting.values():
            for waiting in others:
                if not waiting.done():
                    waiting.set_result(None)


PACING = web.AppKey("pacing", Pacing)


def _budget_of(request: web.Request) -> tuple[Budget, int]:
    """The budget a request counts against, and as how many frames. Health probes of an address have a budget of their
    own: they may come through the same proxy as everybody's requests. So have those for metrics."""
    engine = request.app[SIO].eio
    if request.path.startswith("/socket.io"):
        session = engine.budget_of(request.query.get("sid", ""))
        if session is not None:
            return session, POLLING_FRAMES
    claims = _claims_of(request)
    if claims is not None:
        request[CLAIMS] = claims
        return engine.budgets.of_owner(claims.user_id), REQUEST_FRAMES
    address = engine.address_of(request)
    if request.path.startswith("/health/") or request.path == "/metrics":
        address = f"operators {address}"
    return engine.budgets.of_address(address), STRANGERS_REQUEST_FRAMES


def _claims_of(request: web.Request) -> Claims | None:
    """What the token of a request says; None if it has none that is good."""
    token = raw_token(request) if request.path == "/ws" else bearer(request.headers)
    if token is None or CHAT_APP not in request.app:
        return None
    return request.app[CHAT_APP].claims_of(token)
