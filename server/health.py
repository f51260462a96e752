"""Probes for those who keep the server running."""

from aiohttp import web

from server.keys import CHAT_APP
from storage.errors import StorageError, Unavailable


async def live(_request: web.Request) -> web.Response:
    """200 once the port is open."""
    return web.json_response({"status": "ok"})


async def ready(request: web.Request) -> web.Response:
    """200 while the store serves, else 503 with what is wrong, one of `storage.errors.Trouble`. As cheap as `live`,
    but for one write a second."""
    try:
        await request.app[CHAT_APP].context.store.ping()
    except StorageError as error:
        trouble = error.trouble if isinstance(error, Unavailable) else "failing"
        return web.json_response({"status": "unavailable", "store": trouble}, status=503)
    return web.json_response({"status": "ok"})


def add_health(app: web.Application) -> None:
    app.router.add_get("/health/live", live)
    app.router.add_get("/health/ready", ready)
