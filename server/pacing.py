"""What HTTP requests may ask of the server: those of a user count against the budget of their user, all others against
the one that the strangers of an address share.

Answering a request costs the loop about a millisecond, so a few hundred connections that ask again as soon as they are
answered take it from everybody. Beyond the budget a request waits.
"""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler

from handlers.wire.errors import ChatError
from server.engine.budget import Budget
from server.keys import CHAT_APP, SIO
from server.origins import bearer
from server.raw_gate import raw_token

REQUEST_FRAMES = 10
"""A user's request counts as so many frames, ..."""

POLLING_FRAMES = 4
"""... one of a polling client, besides the packets in it, as so many, ..."""

STRANGERS_REQUEST_FRAMES = 1
"""... and a stranger's, which is mostly refused or a file, as so many."""

WAIT_MAX_S = 5.0
"""A request waits at most so long, and its client is then told to come back later."""

WAITING_MAX = 1000
"""So many requests of one budget may wait; more are cut off."""


class Pacing:
    """Makes requests wait that are beyond their budget. Those that are refused in the end do not count."""

    def __init__(self) -> None:
        self._waiting: dict[Budget, set[asyncio.Future[None]]] = {}

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
        """Lets nobody wait any longer: the server is going away."""
        for others in self._waiting.values():
            for waiting in others:
                if not waiting.done():
                    waiting.set_result(None)


PACING = web.AppKey("pacing", Pacing)


def _budget_of(request: web.Request) -> tuple[Budget, int]:
    """What a request counts against, and as how many frames. A probe has a budget of its own: it is asked for by those
    who keep the server running, maybe by way of a proxy that everybody else comes through too."""
    engine = request.app[SIO].eio
    if request.path.startswith("/socket.io"):
        session = engine.budget_of(request.query.get("sid", ""))
        if session is not None:
            return session, POLLING_FRAMES
    owner = _owner_of(request)
    if owner is not None:
        return engine.budgets.of_owner(owner), REQUEST_FRAMES
    address = engine.address_of(request)
    if request.path.startswith("/health/"):
        address = f"health {address}"
    return engine.budgets.of_address(address), STRANGERS_REQUEST_FRAMES


def _owner_of(request: web.Request) -> int | None:
    """Whose token a request has; None if it has none that is good."""
    token = raw_token(request) if request.path == "/ws" else bearer(request.headers)
    if token is None or CHAT_APP not in request.app:
        return None
    return request.app[CHAT_APP].owner_of(token)
