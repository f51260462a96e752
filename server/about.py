"""`GET /api/server`: what clients may know before login."""

from aiohttp import web

from server.keys import CHAT_APP, CONFIG
from server.rest.calls import json_answer
from server.version import VERSION


class About:
    """Answers without a token, so nothing about users is in it but whether the server has an admin."""

    def __init__(self) -> None:
        self._has_admin = False

    async def serve(self, request: web.Request) -> web.Response:
        # A server that has an admin keeps one, so strangers cost the store nothing after that.
        self._has_admin = self._has_admin or await request.app[CHAT_APP].has_admin()
        policy = request.app[CONFIG].policy
        return json_answer(
            200,
            {
                "registration": policy.registration,
                "setup_needed": not self._has_admin,
                # This version takes no uploads.
                "max_upload_bytes": 0,
                "max_content_chars": policy.max_content_chars,
                "version": VERSION,
            },
        )


def add_about(app: web.Application) -> None:
    app.router.add_get("/api/server", About().serve)
