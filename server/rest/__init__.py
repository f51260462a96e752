"""The REST gate: calls that go to the same commands as those of the sockets."""

from aiohttp import web

from server.rest import routes
from server.rest.calls import add_calls


def add_rest(app: web.Application) -> None:
    """Puts every call of `routes.CALLS` under /api."""
    add_calls(app, routes.CALLS)
