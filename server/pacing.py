"""What HTTP requests may ask of the server: those of a user count against the budget of their user, all others against
the one that the strangers of an address share.

Answering a request costs the loop about a millisecond, so a few hundred connections that ask again as soon as they are
answered take it from everybody. Beyond the budget a request waits.
"""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler

from handlers.endings import Refused
from handlers.errors import ChatError
from handlers.limits import network_of
from server.doors import bearer
from server.engine.budget import Budget
from server.keys import DOORS, HOUSE, SIO
from server.raw_gate import raw_token

REQUEST_FRAMES = 10
"""A user's request counts as so many frames, ..."""

STRANGERS_REQUEST_FRAMES = 1
"""... a stranger's, which is mostly refused or a file, as so many."""

WAIT_MAX_S = 5.0
"""A request waits at most so long, and its client is then told to come back later."""

WAITING_MAX = 1000
"""So many requests may wait; more are cut off."""


class Pacing:
    """Makes requests wait that are beyond their budget."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        engine = request.app[SIO].eio
        if not engine.is_recognized(request.query.get("sid", "")):  # a session has a pace of its own
            user_id = _user_id(request)
            if user_id is None:
                address = network_of(request.app[DOORS].address(request))
                budget, frames = engine.budgets.of_address(address), STRANGERS_REQUEST_FRAMES
            else:
                budget, frames = engine.budgets.of_owner(user_id), REQUEST_FRAMES
            await self._pace(request, budget, frames)
        return await handler(request)

    async def _pace(self, request: web.Request, budget: Budget, frames: int) -> None:
        """Returns when a request may be handled. Raises: `ChatError` `rate_limited`."""
        scheduler = request.app[SIO].eio.scheduler
        now = asyncio.get_running_loop().time()
        wait_s = budget.charge(frames, 0, now)
        if wait_s:
            await self._wait(request, min(wait_s, WAIT_MAX_S))
        used_s = budget.ahead_s(now)
        if not scheduler.has_turn(used_s):
            await scheduler.turn(used_s)
        if wait_s > WAIT_MAX_S:
            raise ChatError("rate_limited", "too many requests", retry_after_ms=int(wait_s * 1000))

    async def _wait(self, request: web.Request, wait_s: float) -> None:
        if len(self._waiting) >= WAITING_MAX and request.transport is not None:
            request.transport.abort()
            raise ConnectionResetError("too many requests wait")
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        try:
            async with asyncio.timeout(wait_s):
                await waiting
        except TimeoutError:
            return
        finally:
            self._waiting.discard(waiting)
        raise ChatError("unavailable", "the server is going away")

    def stop(self) -> None:
        """Lets nobody wait any longer: the server is going away."""
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)


PACING = web.AppKey("pacing", Pacing)


def _user_id(request: web.Request) -> int | None:
    """Whose token a request has; None if it has none that is good. Whether its session has ended is not looked at."""
    token = raw_token(request) if request.path == "/ws" else bearer(request.headers)
    if token is None or HOUSE not in request.app:
        return None
    try:
        return request.app[HOUSE].context.tokens.read(token).user_id
    except Refused:
        return None
