"""Parameters of REST calls are those of the command's schema, of any type, in path and query."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from aiohttp import web
from yarl import URL

from handlers.commands import COMMANDS
from handlers.context import Caller, Context
from handlers.registry import Result, command
from handlers.wire.schemas import Flag, Id, IdList, StrictString
from server.rest import routes
from server.rest.calls import Answer, Call, add_calls
from tests.clients.people import Person
from tests.clients.shapes import assert_error
from tests.conftest import serving

WORD_MAX = 12


class EchoAnswer(TypedDict):
    message_id: int
    word: str
    loud: bool | None
    ids: list[int] | None


@dataclass(frozen=True)
class Echo:
    message_id: Id
    word: Annotated[str, StrictString(1, WORD_MAX)]
    loud: Flag | None = None
    ids: Annotated[list[int] | None, IdList(3)] = None


@command("echo", Echo, EchoAnswer, limit="queries")
async def echo(_context: Context, _caller: Caller, params: Echo) -> Result:
    """Answers with its parameters."""
    return {name: getattr(params, name) for name in ("message_id", "word", "loud", "ids")}


@pytest.fixture
async def ann(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Person]:
    """Somebody on a server with two more calls."""
    monkeypatch.setitem(COMMANDS, "echo", echo)  # type: ignore[arg-type]  # a dict
    more = [
        Call("GET", "/messages/{message_id}/words/{word}", "echo"),
        Call("DELETE", "/messages/{message_id}/words/{word}", "echo"),
    ]
    monkeypatch.setattr(routes, "CALLS", [*routes.CALLS, *more])
    async with serving(tmp_path) as serve:
        yield await (await serve()).person("ann")


async def call(person: Person, method: str, path: str) -> tuple[int, Any]:
    """A call with the path exactly as it is written."""
    url = URL(f"{person.url}/api{path}", encoded=True)
    headers = {"Authorization": f"Bearer {person.token}"}
    async with person.http.request(method, url, headers=headers) as answer:
        return answer.status, await answer.json()


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        ("hello", "hello"),
        ("123", "123"),
        ("true", "true"),
        ("%F0%9F%91%8D", "👍"),
        ("%F0%9F%91%8D%F0%9F%8F%BD", "👍🏽"),
        ("a%2Fb", "a/b"),
        ("a%20b+c", "a b+c"),
        ("%25", "%"),
        ("%2525", "%25"),
        ("..%2F..", "../.."),
        ("x" * WORD_MAX, "x" * WORD_MAX),
        ("%F0%9F%98%80" * WORD_MAX, "😀" * WORD_MAX),
        ("%D0%B6", "ж"),
        ("me", "me"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_text_in_a_path_comes_as_it_was_meant(ann: Person, method: str, raw: str, word: str) -> None:
    status, body = await call(ann, method, f"/messages/7/words/{raw}")
    assert (status, body["message_id"], body["word"]) == (200, 7, word)


@pytest.mark.parametrize("raw", ["%FF", "%F0%9F", "%ED%A0%80"])
async def test_bytes_that_are_no_utf8_do_no_harm(ann: Person, raw: str) -> None:
    status, body = await call(ann, "GET", f"/messages/7/words/{raw}")
    assert status == 200
    body["word"].encode()


async def test_text_that_the_schema_does_not_take_is_invalid(ann: Person) -> None:
    for raw in ("x" * (WORD_MAX + 1), "%F0%9F%98%80" * (WORD_MAX + 1)):
        assert_error(await call(ann, "GET", f"/messages/7/words/{raw}"), 422, "invalid", "word")


@pytest.mark.parametrize("path", ["/messages/7/words/", "/messages/7/words", "/messages/7/words/a/b"])
async def test_an_empty_name_and_a_slash_lead_to_no_call(ann: Person, path: str) -> None:
    assert_error(await call(ann, "GET", path), 404, "not_found")


@pytest.mark.parametrize(
    "raw", ["0", "-1", "x", "1.0", "9" * 30, "9007199254740992", "%D9%A1", "%201", "1e3", "+1"]
)
async def test_what_can_be_no_id_is_not_found(ann: Person, raw: str) -> None:
    answer = await call(ann, "GET", f"/messages/{raw}/words/hello")
    assert_error(answer, 404, "not_found")
    assert answer[1]["error"]["message"] == "no such message"


@pytest.mark.parametrize(
    ("query", "loud", "ids"),
    [
        ("", None, None),
        ("?loud=true", True, None),
        ("?loud=false&ids=1,2,9007199254740991", False, [1, 2, 9007199254740991]),
        ("?ids=", None, []),
        ("?word=other&message_id=8&colour=red", None, None),
    ],
)
async def test_a_query_has_the_types_of_the_schema(ann: Person, query: str, loud: Any, ids: Any) -> None:
    body = await ann.get(f"/messages/7/words/hello{query}")
    assert body == {"message_id": 7, "word": "hello", "loud": loud, "ids": ids}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("loud=1", "loud"),
        ("loud=", "loud"),
        ("loud=True", "loud"),
        ("ids=1,", "ids"),
        ("ids=1.5", "ids"),
        ("ids=0", "ids"),
        ("ids=1,2,3,4", "ids"),
        ("ids=" + "9" * 30, "ids"),
    ],
)
async def test_a_query_of_another_type_is_invalid(ann: Person, query: str, field: str) -> None:
    answer = await ann.request("GET", f"/messages/7/words/hello?{query}")
    assert_error(answer, 422, "invalid", field)


async def test_only_a_get_has_a_query(ann: Person) -> None:
    status, body = await ann.request("DELETE", "/messages/7/words/hello?loud=nonsense")
    assert (status, body["loud"]) == (200, None)


def test_a_path_with_an_unknown_parameter_stops_the_start() -> None:
    with pytest.raises(ValueError, match="get_chat has no parameter chat"):
        add_calls(web.Application(), [Call("GET", "/chats/{chat}", "get_chat")])


@pytest.mark.parametrize(
    "answer",
    [Answer(part="chats"), Answer(only=("chat", "chats")), Answer(part="chat", status_if={"chats": 201})],
)
def test_an_answer_with_an_unknown_field_stops_the_start(answer: Answer) -> None:
    with pytest.raises(ValueError, match="get_chat does not answer chats"):
        add_calls(web.Application(), [Call("GET", "/chats/{chat_id}", "get_chat", answer)])


def test_every_documented_call_is_routed_once() -> None:
    calls = [(call.method, call.path) for call in routes.CALLS]
    assert len(calls) == len(set(calls))
    assert all(call.command in COMMANDS for call in routes.CALLS)
