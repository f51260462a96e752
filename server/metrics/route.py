"""`GET /metrics`, for those who have the token."""

import hmac

from aiohttp import hdrs, web

from handlers.wire.errors import ChatError
from server.keys import CONFIG
from server.metrics.exposition import CONTENT_TYPE, Exposition
from server.origins import bearer

EXPOSITION = web.AppKey("exposition", Exposition)


async def metrics(request: web.Request) -> web.Response:
    """The metrics, without a look at any token. It reads nothing from the store, so it answers while that is away."""
    return web.Response(
        body=await request.app[EXPOSITION].text(),
        headers={hdrs.CONTENT_TYPE: CONTENT_TYPE, hdrs.CACHE_CONTROL: "no-store"},
    )


async def guarded_metrics(request: web.Request) -> web.Response:
    """`metrics` for requests with METRICS_TOKEN."""
    given = bearer(request.headers) or ""
    expected = request.app[CONFIG].metrics_token
    if not hmac.compare_digest(given.encode(errors="surrogateescape"), expected.encode()):
        raise ChatError("unauthenticated", "this needs the METRICS_TOKEN as Authorization: Bearer")
    return await metrics(request)


def add_metrics(app: web.Application) -> None:
    """Adds the path if there is a token for it; without one the path is `not_found`, as all that there is not."""
    if app[CONFIG].metrics_token:
        app.router.add_get("/metrics", guarded_metrics)
