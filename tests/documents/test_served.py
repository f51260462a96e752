"""How the server serves its documents."""

import asyncio

import pytest

from server.config import Config
from server.documents import serving
from tests.clients.documented import asyncapi, openapi
from tests.clients.files import fetch
from tests.conftest import Serve, Server

BUILT = {"openapi": openapi, "asyncapi": asyncapi}


@pytest.mark.parametrize("name", BUILT)
async def test_a_document_needs_no_token_and_is_not_sent_twice(server: Server, name: str) -> None:
    stranger, path = server.stranger(), f"/api/{name}.json"
    answer, body = await fetch(stranger, path)
    assert (answer.status, answer.content_type) == (200, "application/json")
    assert await answer.json() == BUILT[name]()
    assert answer.headers["Cache-Control"] == "no-cache"
    tag = answer.headers["ETag"]
    for given in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again, rest = await fetch(stranger, path, If_None_Match=given)
        assert (again.status, rest, again.headers["ETag"]) == (304, b"", tag), given
    other, whole = await fetch(stranger, path, If_None_Match='"x"')
    assert (other.status, whole) == (200, body)
    head, nothing = await fetch(stranger, path, method="HEAD")
    assert (head.status, nothing, head.headers["Content-Length"]) == (200, b"", str(len(body)))


async def test_a_document_is_built_once_and_again_only_after_a_failure(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[int] = []

    def build() -> dict[str, int]:
        built.append(len(built))
        if len(built) == 1:
            raise RuntimeError("the first time")
        return {"number": len(built)}

    document = serving._Document(build)
    request = type("Request", (), {"if_none_match": None})()
    with pytest.raises(RuntimeError):
        await document.serve(request)
    answers = await asyncio.gather(*(document.serve(request) for _ in range(5)))
    assert {answer.body for answer in answers} == {b'{"number":2}'}
    assert built == [0, 1]


async def test_a_start_does_not_build_them(serve: Serve) -> None:
    server = await serve()
    assert isinstance(server.config, Config)
    for route in server.app.router.routes():
        owner = getattr(route.handler, "__self__", None)
        if isinstance(owner, serving._Document):
            assert owner._building is None
