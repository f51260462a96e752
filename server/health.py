"""Probes for those who keep the server running."""

import asyncio

from aiohttp import web

from server.keys import HOUSE
from storage.errors import StorageError

READY_TIMEOUT_S = 5.0


async def live(_request: web.Request) -> web.Response:
    """200 once the port is open."""
    return web.json_response({"status": "ok"})


async def ready(request: web.Request) -> web.Response:
    """200 while the store serves, else 503."""
    try:
        async with asyncio.timeout(READY_TIMEOUT_S):
            await request.app[HOUSE].context.store.ping()
    except (StorageError, TimeoutError):
        return web.json_response({"status": "unavailable", "store": "cannot be reached"}, status=503)
    return web.json_response({"status": "ok"})


def add_health(app: web.Application) -> None:
    app.router.add_get("/health/live", live)
    app.router.add_get("/health/ready", ready)
