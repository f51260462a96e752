"""`POST /api/uploads`: one file."""

from aiohttp import web

from domain.files import Upload
from handlers.wire.errors import invalid
from server.files.bodies import ask_for_body
from server.files.multipart import Form
from server.files.requests import admitted_sender, body_bytes_max
from server.keys import CHAT_APP
from server.rest.calls import json_answer

FILE = "file"
"""The name of the part that has a file."""


async def upload(request: web.Request) -> web.Response:
    """Answers 201 with the upload. Other parts than the one with the file are skipped."""
    caller = await admitted_sender(request)
    files = request.app[CHAT_APP].files.uploads
    form = Form(request, body_bytes_max(request, files=1))
    await files.admit(caller, request.content_length)
    found: list[Upload] = []
    async with files.receiving(caller):
        await ask_for_body(request)
        try:
            async for part in form.parts():
                if part.name != FILE:
                    continue
                if found:
                    raise invalid(file="is given more than once")
                found.append(await files.upload(caller, part.filename or "", part.pieces()))
            if not found:
                raise invalid(file="is required")
        except BaseException:
            await files.discard(found)
            raise
    return json_answer(201, files.view(found[0]))
