"""Every call of the OpenAPI document is made once, with the values of its example, and answers as the document says."""

from io import BytesIO
from typing import Any

from aiohttp import FormData

from server.documents.openapi import operations
from server.documents.samples import Request
from tests.clients.documented import FAULTS, see_answer
from tests.documents.world import World


async def answer_to(world: World, request: Request, token: str) -> int:
    """The status of the answer, which is held against the document."""
    options: dict[str, Any] = {"headers": {"Authorization": f"Bearer {token}"} if request.has_token else {}}
    picture = (world.folder / "soup.jpg").read_bytes()
    if request.body == "json":
        options["json"] = request.fields
    elif request.body == "form":
        form = FormData()
        for name, value in request.fields.items():
            form.add_field(name, str(value))
        form.add_field("file", BytesIO(picture), filename=request.file_name)
        options["data"] = form
    elif request.body == "file":
        options["data"] = picture
    async with world.server.http.request(
        request.method, world.server.url + request.target, **options
    ) as answer:
        body = await answer.read()
        see_answer(request.method, request.target, answer.status, answer.content_type, body)
        assert answer.status < 300, (request, answer.status, body[:300])
        return answer.status


async def test_every_call_succeeds_as_documented(world: World) -> None:
    for operation in operations():
        status = await answer_to(world, *await world.call_of(operation))
        assert status in operation.answers
        assert FAULTS == []


async def test_what_a_repeat_answers_is_documented_too(world: World) -> None:
    """Calls with two good answers give the other one the second time."""
    twice = [operation for operation in operations() if {200, 201} <= operation.answers.keys()]
    assert {operation.id for operation in twice} >= {
        "create_message",
        "create_chat",
        "ban_user",
        "send_files",
    }
    for operation in twice:
        request, token = await world.call_of(operation)
        fields = {**request.fields}
        if operation.id == "create_chat":
            fields["chat_type"] = "private"
        if operation.id == "send_files":
            fields["client_id"] = world.name()
        again = Request(**{**vars(request), "fields": fields})
        assert [await answer_to(world, again, token) for _ in range(2)] == [201, 200], operation.id
