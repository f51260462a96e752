"""`POST /api/messages/upload`: a message and its files in one call."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from domain.files import Upload
from handlers.chat_app import COMMANDS, Caller, Uploading
from handlers.wire.errors import invalid
from handlers.wire.schemas import read
from server.files.bodies import ask_for_body
from server.files.multipart import Form
from server.files.requests import admitted_sender, body_bytes_max
from server.files.uploads import FILE
from server.keys import CHAT_APP
from server.rest.calls import json_answer
from server.rest.parameters import text_values

COMMAND = "create_message"
FILES_MAX = 10


async def send(request: web.Request) -> web.Response:
    """Answers 201 with the message; 200 with the one that the caller has sent before with this `client_id`: then no
    file is read. Of a refused one nothing stays."""
    caller = await admitted_sender(request)
    chat_app = request.app[CHAT_APP]
    form = Form(request, body_bytes_max(request, files=FILES_MAX))
    chat_app.admit_call(caller, COMMAND)
    async with chat_app.files.uploads.receiving(caller):
        await ask_for_body(request)
        sending = _Sending(chat_app.files.uploads, caller, form, request.content_length)
        try:
            earlier = await sending.receive()
            if earlier is not None:
                return json_answer(200, earlier)
            result = await chat_app.run(caller, COMMAND, sending.payload())
        except BaseException:
            await chat_app.files.uploads.discard(sending.uploads)
            raise
        if result["duplicate"]:
            await chat_app.files.uploads.discard(sending.uploads)
    return json_answer(200 if result["duplicate"] else 201, result["message"])


class _Sending:
    """One message while its parts come in: its fields, then its files."""

    def __init__(self, uploading: Uploading, caller: Caller, form: Form, body_bytes: int | None) -> None:
        """`body_bytes` is how long the form says it is, None if it does not say."""
        self._uploading = uploading
        self._caller = caller
        self._form = form
        self._body_bytes = body_bytes
        self._fields: dict[str, str] = {}
        self._values: dict[str, Any] = {}
        self.uploads: list[Upload] = []

    def payload(self) -> Mapping[str, Any]:
        """The parameters of the command."""
        return {**self._values, "attachments": [upload.id for upload in self.uploads]}

    async def receive(self) -> Any:
        """Reads the form. Returns the message if the caller has sent it before. Raises: `ChatError`."""
        begun = False
        async for part in self._form.parts():
            if part.name != FILE:
                if begun:
                    raise invalid(**{_shown(part.name): "has to come before the files"})
                self._fields[part.name] = await self._form.text_of(part)
                continue
            if not begun:
                begun = True
                earlier = await self._begin()
                if earlier is not None:
                    return earlier
            if len(self.uploads) == FILES_MAX:
                raise invalid(file=f"is given more than {FILES_MAX} times")
            upload = await self._uploading.upload(self._caller, part.filename or "", part.pieces())
            self.uploads.append(upload)
        if not begun:
            raise invalid(file="is required")
        return None

    async def _begin(self) -> Any:
        """Called when all fields are there, before the first file is read."""
        parameters = COMMANDS[COMMAND].schema.parameters
        wanted = {name: parameters[name] for name in ("chat_id", "client_id", "reply_to", "content")}
        self._values = {"content": "", **text_values(wanted, self._fields)}
        params = read(COMMANDS[COMMAND].params, COMMANDS[COMMAND].schema, self._values)
        earlier = await self._uploading.admit_message(
            self._caller, params.chat_id, params.client_id, params.content, params.reply_to
        )
        if earlier is None:
            await self._uploading.admit(self._caller, self._body_bytes, files=FILES_MAX)
        return earlier


def _shown(name: str) -> str:
    return name[:64].encode(errors="replace").decode()
