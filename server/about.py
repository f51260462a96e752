"""`GET /api/server`: what clients may know before login."""

from typing import Literal, TypedDict

from aiohttp import web

from handlers.wire.views import Count
from server.keys import CHAT_APP, CONFIG
from server.rest.calls import json_answer
from server.version import VERSION


class AboutServer(TypedDict):
    """What clients may know before login. `setup_needed`: the server has no admin. `upload_quota_bytes` is what all
    files of a user may take; 0: any amount."""

    registration: Literal["open", "invite", "closed"]
    setup_needed: bool
    max_upload_bytes: Count
    upload_quota_bytes: Count
    max_content_chars: Count
    version: str


async def about(request: web.Request) -> web.Response:
    """Answers without a token, so nothing about users is in it."""
    policy = request.app[CONFIG].policy
    return json_answer(
        200,
        {
            "registration": policy.registration,
            "setup_needed": await request.app[CHAT_APP].setup.needed(),
            "max_upload_bytes": policy.max_upload_bytes,
            "upload_quota_bytes": policy.upload_quota_bytes,
            "max_content_chars": policy.max_content_chars,
            "version": VERSION,
        },
    )


def add_about(app: web.Application) -> None:
    app.router.add_get("/api/server", about)
