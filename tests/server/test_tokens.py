"""The token of a request is verified once, where it is needed first."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.people import Person
from tests.clients.shapes import assert_error
from tests.conftest import Server, serving


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path) as serve:
        yield await serve()


@pytest.fixture
async def ann(server: Server) -> Person:
    return await server.person("ann")


@pytest.fixture
def verified(server: Server, ann: Person, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each token has been verified."""
    count, tokens = Counter[str](), server.chat_app.context.tokens
    read = tokens.read

    def counted(token: str) -> Any:
        count[token] += 1
        return read(token)

    monkeypatch.setattr(tokens, "read", counted)
    return count


async def test_a_rest_call_verifies_its_token_once(ann: Person, verified: Counter[str]) -> None:
    assert (await ann.get("/users/me"))["id"] == ann.id
    await ann.post("/chats", name="Room", chat_type="group")
    assert verified == {ann.token: 2}


@pytest.mark.parametrize("place", ["query", "header", "subprotocol"])
async def test_a_handshake_verifies_its_token_once(
    server: Server, ann: Person, verified: Counter[str], place: str
) -> None:
    places: dict[str, dict[str, Any]] = {
        "query": {"token": ann.token},
        "header": {"headers": {"Authorization": f"Bearer {ann.token}"}},
        "subprotocol": {"protocols": ("bearer", ann.token)},
    }
    client = await server.open(**places[place])
    assert (await client.next())["user_id"] == ann.id
    assert verified == {ann.token: 1}


async def test_a_public_call_does_not_ask_who_it_is(ann: Person, verified: Counter[str]) -> None:
    assert await ann.login("ann")
    assert sum(verified.values()) <= 1, "for the budget alone"


@pytest.mark.parametrize(
    ("token", "message"),
    [
        (None, "an Authorization: Bearer header is missing"),
        ("nonsense", "the token is missing or bad"),
    ],
)
async def test_a_bad_token_is_refused_as_before(ann: Person, token: str | None, message: str) -> None:
    ann.token = token  # type: ignore[assignment]
    answer = await ann.request("GET", "/users/me")
    assert_error(answer, 401, "unauthenticated")
    assert answer[1]["error"]["message"] == message


async def test_a_token_of_a_session_that_has_ended_is_refused(ann: Person) -> None:
    await ann.post("/auth/logout")
    answer = await ann.request("GET", "/users/me")
    assert_error(answer, 401, "unauthenticated")
    assert answer[1]["error"]["message"] == "the session has ended"
