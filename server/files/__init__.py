"""The gate of files: bodies that are received, and files that are sent, in pieces."""

from aiohttp import hdrs, web

from server.files import avatars, messages, serving, uploads
from server.files.bodies import no_continue
from server.keys import FILES_UNSENT
from server.large_answers import Unsent

UNSENT_BYTES_MAX = 128 * 1024 * 1024
"""With more bytes of files than this that clients have not taken, the client that has taken nothing for the longest
time is cut off. Each has a piece of 256 KiB at most."""


def add_files(app: web.Application) -> None:
    """Adds the routes under /api that are no calls of commands."""
    app[FILES_UNSENT] = Unsent(UNSENT_BYTES_MAX)
    router = app.router
    router.add_post("/api/uploads", uploads.upload, expect_handler=no_continue)
    router.add_post("/api/messages/upload", messages.send, expect_handler=no_continue)
    router.add_put("/api/users/me/avatar", avatars.set_own, expect_handler=no_continue)
    router.add_put("/api/chats/{chat_id}/avatar", avatars.set_of_chat, expect_handler=no_continue)
    for path, serve in (
        ("/api/uploads/{upload_id}", serving.file),
        ("/api/uploads/{upload_id}/thumbnail", serving.thumbnail),
        ("/api/avatars/{avatar_id}", serving.avatar),
    ):
        router.add_route(hdrs.METH_GET, path, serve)
        router.add_route(hdrs.METH_HEAD, path, serve)
