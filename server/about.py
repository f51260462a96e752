"""What a client may know of a server before anybody has logged in: `GET /api/server`."""

from aiohttp import web

from server.keys import CONFIG
from server.rest.calls import json_answer
from server.version import VERSION


async def about(request: web.Request) -> web.Response:
    """Needs no token, so there is nothing of users in it."""
    policy = request.app[CONFIG].policy
    return json_answer(
        200,
        {
            "registration": "open" if policy.registration_open else "closed",
            # There are no server admins yet, and so no first one to be made.
            "setup_needed": False,
            # Files are not taken yet: none of any size.
            "max_upload_bytes": 0,
            "max_content_chars": policy.max_content_chars,
            "version": VERSION,
        },
    )


def add_about(app: web.Application) -> None:
    app.router.add_get("/api/server", about)
