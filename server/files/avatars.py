"""`PUT /api/users/me/avatar` and `PUT /api/chats/{chat_id}/avatar`: the body is the picture itself."""

from aiohttp import web

from handlers.chat_app import COMMANDS, Caller
from handlers.wire.errors import invalid
from handlers.wire.file_limits import AVATAR_BYTES_MAX
from server.files.bodies import BoundedBody, ask_for_body
from server.files.requests import admitted_sender
from server.keys import CHAT_APP
from server.rest.calls import json_answer
from server.rest.parameters import path_fields, path_values


async def set_own(request: web.Request) -> web.Response:
    """Answers 200 with the caller's user object."""
    caller = await admitted_sender(request)
    files = request.app[CHAT_APP].files
    body = _body(request, caller)
    async with files.uploads.receiving(caller):
        await ask_for_body(request)
        return json_answer(200, await files.avatars.set_own(caller, body.pieces()))


async def set_of_chat(request: web.Request) -> web.Response:
    """Answers 200 with the chat as the caller sees it."""
    caller = await admitted_sender(request)
    files = request.app[CHAT_APP].files
    in_path = path_fields(COMMANDS["get_chat"], "/chats/{chat_id}/avatar")
    chat_id = path_values(in_path, request.match_info, request.rel_url)["chat_id"]
    await files.avatars.admit_of_chat(caller, chat_id)
    body = _body(request, caller)
    async with files.uploads.receiving(caller):
        await ask_for_body(request)
        return json_answer(200, await files.avatars.set_of_chat(caller, chat_id, body.pieces()))


def _body(request: web.Request, caller: Caller) -> BoundedBody:
    """The body, of which nothing has been read. Raises: `ChatError`."""
    if not request.can_read_body:
        raise invalid(file="is required: the body is the picture itself")
    body = BoundedBody(request, AVATAR_BYTES_MAX)
    request.app[CHAT_APP].files.avatars.admit(caller)
    return body
