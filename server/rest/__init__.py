"""The REST door: a file per resource, each a list of calls that go to the same commands as the sockets'."""

from aiohttp import web

from server.rest import auth, chats, members, messages, users
from server.rest.calls import add_calls


def add_rest(app: web.Application) -> None:
    """Puts every call under /api."""
    for resource in (auth, users, chats, members, messages):
        add_calls(app, resource.CALLS)
