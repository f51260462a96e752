"""Every REST call with everything that can be wrong around it: an exact error, never a 500."""

from typing import Any

import pytest

from tests.clients.shapes import assert_error
from tests.conftest import Serve, Server

PUBLIC = [("POST", "/auth/register"), ("POST", "/auth/login"), ("POST", "/auth/refresh")]
WITH_BODY = [
    ("PATCH", "/users/me"),
    ("POST", "/chats"),
    ("PATCH", "/chats/1"),
    ("POST", "/chats/1/members"),
    ("PATCH", "/chats/1/members/2"),
    ("POST", "/chats/1/invites"),
    ("POST", "/chats/1/read"),
    ("POST", "/messages"),
    ("PATCH", "/messages/1"),
    ("PUT", "/messages/1"),
]
WITHOUT_BODY = [
    ("POST", "/auth/logout"),
    ("GET", "/users/me"),
    ("GET", "/users"),
    ("GET", "/users/1"),
    ("GET", "/chats"),
    ("GET", "/chats/1"),
    ("DELETE", "/chats/1"),
    ("GET", "/chats/1/members"),
    ("DELETE", "/chats/1/members/2"),
    ("GET", "/chats/public"),
    ("POST", "/chats/1/join"),
    ("GET", "/chats/1/invites"),
    ("GET", "/chats/1/messages"),
    ("GET", "/messages/1"),
    ("DELETE", "/messages/1"),
]
GOOD: dict[str, dict[str, Any]] = {
    "/users/me": {"display_name": "Ann"},
    "/chats": {"name": "Room", "chat_type": "group"},
    "/chats/1": {"name": "Other", "is_public": False},
    "/chats/1/invites": {"expires_in_s": 60, "max_uses": 1},
    "/chats/1/members": {"user_id": 3},
    "/chats/1/members/2": {"role": "admin"},
    "/chats/1/read": {"up_to": 1},
    "/messages": {"chat_id": 1, "content": "hi"},
    "/messages/1": {"content": "hi"},
}
NONSENSE: list[Any] = ["1", 1.5, True, False, -1, 0, 2**53, 10**30, [], [[]], {}, "\ud800", "x" * 100_000]


def name_of(call: Any) -> str:
    return " ".join(call) if isinstance(call, tuple) else str(call)


async def ann_with_a_chat(server: Server) -> Any:
    ann, bob = await server.people("ann", "bob")
    assert await ann.chat(bob) == 1
    assert (await ann.say(1, "hi"))["id"] == 1
    return ann


async def test_without_a_token_everything_is_401(server: Server, subtests: pytest.Subtests) -> None:
    await ann_with_a_chat(server)
    stranger = server.stranger()
    for method, path in WITH_BODY + WITHOUT_BODY:
        for token in ("", "garbage", "a.b.c", "ü"):
            with subtests.test(method=method, path=path, token=token):
                stranger.token = token
                answer = await stranger.request(method, path, json=GOOD.get(path))
                assert_error(answer, 401, "unauthenticated")


async def test_a_body_has_to_be_a_json_object(server: Server, subtests: pytest.Subtests) -> None:
    ann = await ann_with_a_chat(server)
    json_type = {"Content-Type": "application/json"}

    async def chunks() -> Any:
        for _ in range(200):
            yield b" " * 1024

    for call in PUBLIC + WITH_BODY:
        with subtests.test(call=call):
            for text in ("x", "{", "[]", "null", "7", '"x"', '{"a":NaN}', "[" * 50_000, b"\xff", "{'a':1}"):
                assert_error(await ann.request(*call, data=text, headers=json_type), 400, "bad_request")
            for other in ("text/plain", "application/xml", "application/octet-stream"):
                answer = await ann.request(*call, data="{}", headers={"Content-Type": other})
                assert_error(answer, 415, "unsupported_media")
            answer = await ann.request(*call, data=b"x" * (128 * 1024 + 1), headers=json_type)
            assert_error(answer, 413, "too_large")
            assert_error(await ann.request(*call, data=chunks(), headers=json_type), 413, "too_large")


@pytest.mark.long_on_mongo
@pytest.mark.stores
@pytest.mark.parametrize("call", WITH_BODY, ids=name_of)
async def test_no_field_of_any_kind_brings_a_500(server: Server, call: tuple[str, str]) -> None:
    ann = await ann_with_a_chat(server)
    await server.person("carl")
    method, path = call
    wrong = {"/chats": {"name", "chat_type", "member_ids"}, "/messages": {"chat_id", "content", "reply_to"}}
    for field in wrong.get(path, set(GOOD[path])) | {"client_id", "password", "role", "unknown"}:
        for value in NONSENSE:
            status, body = await ann.request(method, path, json={**GOOD[path], field: value})
            if status == 422:
                assert body["error"]["code"] == "invalid"
                assert field in body["error"]["fields"] or field == "password"
            else:
                assert status in (200, 201) or (status, path) == (409, "/chats/1/members"), (field, value)


REQUIRED = [
    ("POST", "/auth/register", ["username", "password"]),
    ("POST", "/auth/login", ["username", "password"]),
    ("POST", "/auth/refresh", ["refresh_token"]),
    ("POST", "/chats", ["chat_type"]),
    ("PATCH", "/chats/1", ["name"]),
    ("POST", "/chats/1/members", ["user_id"]),
    ("PATCH", "/chats/1/members/2", ["role"]),
    ("POST", "/messages", ["chat_id", "content"]),
    ("PATCH", "/messages/1", ["content"]),
    ("PUT", "/messages/1", ["content"]),
]


async def test_missing_and_null_fields_are_named(server: Server, subtests: pytest.Subtests) -> None:
    ann = await ann_with_a_chat(server)
    for method, path, required in REQUIRED:
        for body in (None, {}, dict.fromkeys(required)):
            with subtests.test(method=method, path=path, body=body):
                assert_error(await ann.request(method, path, json=body), 422, "invalid", *required)


@pytest.mark.parametrize("call", WITH_BODY + WITHOUT_BODY, ids=name_of)
async def test_for_a_stranger_nothing_of_a_chat_is_there(server: Server, call: tuple[str, str]) -> None:
    method, path = call
    await ann_with_a_chat(server)
    eve = await server.person("eve")
    if path.startswith(("/chats/1", "/messages/1")) or call == ("POST", "/messages"):
        there = await eve.request(method, path, json=GOOD.get(path))
        assert_error(there, 404, "not_found")
        body = {**GOOD.get(path, {}), "chat_id": 99} if path == "/messages" else GOOD.get(path)
        assert await eve.request(method, path.replace("/1", "/99", 1), json=body) == there
        for bad_id in ("0", "-1", "x", "1.0", str(2**53), "9" * 40, "1%20", "%D9%A1", "true"):
            answer = await eve.request(method, path.replace("/1", f"/{bad_id}", 1), json=body)
            assert answer[0] == (404 if "/1" in path else there[0])
    else:
        assert (await eve.request(method, path, json=GOOD.get(path)))[0] in (200, 201, 204)


async def test_what_is_not_there_is_an_error_of_the_same_shape(
    server: Server, subtests: pytest.Subtests
) -> None:
    ann = await server.person("ann")
    for method, path, status in (
        ("GET", "/nothing", 404),
        ("GET", "", 404),
        ("GET", "/chats/", 404),
        ("PUT", "/chats", 405),
        ("PUT", "/users/me", 405),
        ("GET", "/auth/login", 405),
        ("PROPFIND", "/chats", 405),
    ):
        with subtests.test(method=method, path=path):
            answer = await ann.request(method, path)
            assert_error(answer, status, "not_found" if status == 404 else "bad_request")


@pytest.mark.stores
async def test_the_server_is_alive_and_ready(server: Server) -> None:
    for path in ("live", "ready"):
        async with server.http.get(f"{server.url}/health/{path}") as answer:
            assert (answer.status, await answer.json()) == (200, {"status": "ok"})
    async with server.http.get(server.url) as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")


@pytest.mark.stores
async def test_without_its_store_the_server_is_unavailable_but_alive(serve: Serve) -> None:
    server = await serve()
    ann = await server.person("ann")
    chat_id = await ann.chat()
    client = await ann.joined(chat_id)
    await server.chat_app.context.store.close()
    body = {"chat_id": chat_id, "content": "hi"}
    assert_error(await ann.request("POST", "/messages", json=body), 503, "unavailable")
    assert_error(await ann.request("GET", "/chats"), 503, "unavailable")
    frame = await client.command("send_message", **body)
    assert (frame["code"], frame["retryable"]) == ("unavailable", True)
    await client.nothing_more()
    for path, status in (("live", 200), ("ready", 503)):
        async with server.http.get(f"{server.url}/health/{path}") as answer:
            assert answer.status == status
