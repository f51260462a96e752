"""What requests without a good token may ask of the server: the budget that all strangers of an address share.

Answering one costs the loop half a millisecond, so a few hundred connections that ask again as soon as they are
answered take it from everybody. Beyond the budget they wait; a request with a good token never does.
"""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from handlers.endings import Refused
from handlers.errors import ChatError
from handlers.limits import network_of
from server.doors import bearer
from server.keys import DOORS, HOUSE, SIO
from server.raw_gate import raw_token

WAIT_MAX_S = 5.0
"""A stranger waits at most so long, and is then told to come back later."""

WAITING_MAX = 1000
"""So many strangers' requests may wait; more are cut off."""


def pacing_strangers() -> Middleware:
    """The middleware."""
    waiting = _Waiting()

    @web.middleware
    async def pace_strangers(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not _is_known(request):
            await _pace(request, waiting)
        return await handler(request)

    return pace_strangers


class _Waiting:
    """How many strangers' requests wait."""

    count = 0


async def _pace(request: web.Request, waiting: _Waiting) -> None:
    """Returns when a stranger's request may be handled. Raises: `ChatError` `rate_limited`."""
    engine = request.app[SIO].eio
    now = asyncio.get_running_loop().time()
    budget = engine.budgets.of_address(network_of(request.app[DOORS].address(request)))
    wait_s = budget.charge(1, 0, now)
    if wait_s:
        if waiting.count >= WAITING_MAX and request.transport is not None:
            request.transport.abort()
            raise ConnectionResetError("too many strangers wait")
        waiting.count += 1
        try:
            await asyncio.sleep(min(wait_s, WAIT_MAX_S))
        finally:
            waiting.count -= 1
    used_s = budget.ahead_s(now)
    if not engine.scheduler.has_turn(used_s):
        await engine.scheduler.turn(used_s)
    if wait_s > WAIT_MAX_S:
        message = "too many requests without a good token"
        raise ChatError("rate_limited", message, retry_after_ms=int(wait_s * 1000))


def _is_known(request: web.Request) -> bool:
    """Whether the request has a good token, or is of a session that had one."""
    sid = request.query.get("sid")
    if sid is not None:
        return bool(request.app[SIO].eio.is_recognized(sid))
    token = raw_token(request) if request.path == "/ws" else bearer(request.headers)
    if token is None or HOUSE not in request.app:
        return False
    try:
        request.app[HOUSE].context.tokens.read(token)
    except Refused:
        return False
    return True
