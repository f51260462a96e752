"""`GET /api/server`: what clients may know before login."""

from aiohttp import web

from server.keys import CONFIG
from server.rest.calls import json_answer
from server.version import VERSION


async def about(request: web.Request) -> web.Response:
    """Answers without a token, so nothing about users is in it."""
    policy = request.app[CONFIG].policy
    return json_answer(
        200,
        {
            "registration": policy.registration,
            # This version has no server admins, so there is no first one to create.
            "setup_needed": False,
            # This version takes no uploads.
            "max_upload_bytes": 0,
            "max_content_chars": policy.max_content_chars,
            "version": VERSION,
        },
    )


def add_about(app: web.Application) -> None:
    app.router.add_get("/api/server", about)
