"""The clients of the tests see what the server says and the documents do not have."""

from collections.abc import Iterator
from typing import Any

import pytest

from handlers.wire.json import dumps
from tests.clients.documented import FAULTS, see_answer, see_frame
from tests.conftest import Server

TIME = "2025-11-23T10:00:00.123456+00:00"
ERROR = {"error": {"code": "not_found", "message": "no such chat"}}
TYPING = {"type": "typing", "chat_id": 1, "user_id": 2, "is_typing": True, "timestamp": TIME}


def taken() -> list[str]:
    """What was found. It is forgotten then: what these tests provoke is no fault of the server's."""
    found = list(FAULTS)
    FAULTS.clear()
    return found


def faults_of_answer(
    method: str, path: str, status: int, body: Any, kind: str = "application/json"
) -> list[str]:
    see_answer(method, path, status, kind, b"" if body is None else dumps(body))
    return taken()


@pytest.mark.parametrize(
    ("method", "path", "status", "body", "fault"),
    [
        ("GET", "/api/chats/1", 409, ERROR, "is not documented"),
        ("GET", "/api/chats/1", 404, {"error": {**ERROR["error"], "code": "conflict"}}, "not_found"),
        ("GET", "/api/chats/1", 404, {"error": {**ERROR["error"], "more": 1}}, "more"),
        ("GET", "/api/chats/1", 200, {"id": 1}, "required"),
        ("DELETE", "/api/chats/1", 204, {}, "has a body"),
        ("GET", "/api/chats/public?q=x", 200, {"chats": [], "next_cursor": 1}, "next_cursor"),
    ],
)
def test_an_answer_that_is_not_documented_is_found(
    method: str, path: str, status: int, body: Any, fault: str
) -> None:
    found = faults_of_answer(method, path, status, body)
    assert found
    assert fault in found[0]


def test_an_answer_that_is_documented_is_none() -> None:
    assert faults_of_answer("GET", "/api/chats/1", 404, ERROR) == []
    assert faults_of_answer("DELETE", "/api/chats/1", 204, None) == []
    assert faults_of_answer("GET", "/api/chats/public", 200, {"chats": [], "next_cursor": None}) == []
    assert faults_of_answer("GET", "/api/nothing", 404, ERROR) == [], "a path that there is not"
    assert faults_of_answer("GET", "/api/chats/1", 404, ERROR, kind="text/html") != []


@pytest.mark.parametrize(
    ("frame", "command", "fault"),
    [
        ({**TYPING, "more": 1}, None, "more"),
        ({**TYPING, "chat_id": "1"}, None, "chat_id"),
        ({**TYPING, "timestamp": "2025-11-23T10:00:00+00:00"}, None, "timestamp"),
        ({**TYPING, "type": "new_event"}, None, "new_event is not documented"),
        ({"type": "ack", "id": 1, "ok": True}, "leave_chat", "chat_id"),
        ({"type": "closing", "code": "1001", "reason": ""}, None, "code"),
        ({"type": "error", "code": "broken", "message": "", "retryable": False}, None, "broken"),
        (
            {"type": "error", "code": "conflict", "message": "", "retryable": False},
            "leave_chat",
            "leave_chat is not",
        ),
    ],
)
def test_a_frame_that_is_not_documented_is_found(frame: Any, command: str | None, fault: str) -> None:
    see_frame(frame, command)
    found = taken()
    assert any(fault in one for one in found), found


def test_a_frame_that_is_documented_is_none() -> None:
    see_frame(TYPING, None)
    see_frame({"type": "ack", "id": "x", "ok": True, "chat_id": 1}, "leave_chat")
    see_frame({"type": "error", "code": "invalid", "message": "", "retryable": False}, "leave_chat")
    see_frame({"type": "closing", "code": 1001, "reason": "", "retry_in_ms": 5}, None)
    assert FAULTS == []


async def test_the_clients_show_them_what_comes(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault is made by changing the documents: the server has none."""
    ann = await server.person("ann")
    client = await ann.joined(await ann.chat())
    with monkeypatch.context() as patched:
        patched.setattr("tests.clients.documented._answer_validator", lambda *_: _Never())
        patched.setattr("tests.clients.documented._frame_validators", lambda _: {})
        await ann.get("/users/me")
        await client.done("ping")
    found = taken()
    kinds = ("GET /api/users/me 200: never", "pong is not documented", "ping_ack is not documented")
    assert all(any(fault.startswith(kind) for fault in found) for kind in kinds), found


class _Never:
    def is_valid(self, _value: Any) -> bool:
        return False

    def iter_errors(self, _value: Any) -> Iterator[Any]:
        yield type("Fault", (), {"instance_path": ["never"], "message": "never"})()
