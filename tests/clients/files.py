"""Sends and gets files."""

from io import BytesIO
from typing import Any

from aiohttp import ClientResponse, FormData

from tests.clients.documented import see_answer
from tests.clients.rest import Answer, RestClient


def form(*files: tuple[str | None, bytes], **fields: Any) -> FormData:
    """A form with the fields, then the files: (name, content) each."""
    data = FormData(default_to_multipart=True, quote_fields=False)
    for name, value in fields.items():
        data.add_field(name, str(value))
    for filename, content in files:
        data.add_field("file", BytesIO(content), filename=filename)
    return data


async def try_upload(person: RestClient, content: bytes, name: str = "notes.txt") -> Answer:
    return await person.request("POST", "/uploads", data=form((name, content)))


async def upload(person: RestClient, content: bytes, name: str = "notes.txt") -> Any:
    """The upload object of a file that has to be taken."""
    status, body = await try_upload(person, content, name)
    assert status == 201, (status, body)
    return body


async def send_files(person: RestClient, chat_id: int, *files: tuple[str, bytes], **fields: Any) -> Answer:
    """`POST /messages/upload`."""
    return await person.request("POST", "/messages/upload", data=form(*files, chat_id=chat_id, **fields))


async def fetch(
    client: RestClient, path: str, *, method: str = "GET", token: str | None = None, **headers: str
) -> tuple[ClientResponse, bytes]:
    """The answer to a request of a path from the root, and its body; without a token unless one is given. Underscores
    in the names of headers stand for hyphens."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    async with client.http.request(method, client.url + path, headers=sent) as answer:
        body = await answer.read()
        see_answer(method, path, answer.status, answer.content_type, body)
        return answer, body
