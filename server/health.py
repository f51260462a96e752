"""Health probes for operators and orchestrators."""

from typing import NotRequired, TypedDict

from aiohttp import web

from server.draining import DRAINING
from server.keys import BUS, CHAT_APP, NODE


class Health(TypedDict):
    """`status` is `ok`, or why the server is not ready; then `store` or `node` says what is wrong there. `redis` is
    there with `REDIS_URL`."""

    status: str
    store: NotRequired[str]
    node: NotRequired[str]
    redis: NotRequired[str]


async def live(_request: web.Request) -> web.Response:
    """200 once the port is open."""
    return web.json_response({"status": "ok"})


async def ready(request: web.Request) -> web.Response:
    """200 while the store serves and this node knows what others write there, else 503 with the trouble of the store
    or of this node; 503 from the moment in which the server is asked to stop. `redis` says how the bus is, and decides
    nothing. As cheap as `live`, but for one write a second."""
    if request.app[DRAINING].going_away:
        return web.json_response({"status": "going away"}, status=503)
    bus = request.app.get(BUS)
    redis = {} if bus is None else {"redis": bus.counters.state}
    trouble = await request.app[CHAT_APP].store_trouble()
    if trouble is not None:
        return web.json_response({"status": "unavailable", "store": trouble, **redis}, status=503)
    node = request.app.get(NODE)
    if node is not None and (trouble := node.trouble()) is not None:
        return web.json_response({"status": "unavailable", "node": trouble, **redis}, status=503)
    return web.json_response({"status": "ok", **redis})


def add_health(app: web.Application) -> None:
    app.router.add_get("/health/live", live)
    app.router.add_get("/health/ready", ready)
