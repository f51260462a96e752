"""HTTP requests beyond the REST calls: every answer is an error object of the contract, and none repeats the
request."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from server.version import VERSION
from tests.clients.admins import make_admin
from tests.clients.shapes import assert_error
from tests.conftest import Serve, Server
from tests.patience import SLACK

pytestmark = pytest.mark.stores("sqlite")

PAGE = "<!doctype html>the client's page"
ASKERS = b"<b>secret</b>"


@pytest.fixture
async def server(serve: Serve, tmp_path: Path) -> Server:
    """With a web client, whose page answers all paths that no gate has."""
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text(PAGE)
    (dist / "assets" / "app.js").write_text("1")
    return await serve(web_client_dir=dist)


async def received(server: Server, data: bytes) -> tuple[int, dict[str, str], bytes]:
    """Sends these bytes; the status, headers and body of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(data)
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10 * SLACK)
    lines = head.decode().split("\r\n")[:-2]
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    size = 0 if data.startswith(b"HEAD") else int(headers.get("content-length", 0))
    body = await asyncio.wait_for(reader.readexactly(size), 10 * SLACK)
    writer.close()
    return int(lines[0].split()[1]), headers, body


def request(line: str, *headers: str) -> bytes:
    return "\r\n".join((f"{line} HTTP/1.1", "Host: x", *headers, "", "")).encode()


SPOILT = {
    "a method nobody knows": b"SECRET /api/chats HTTP/1.1\r\nHost: x\r\n\r\n",
    "a method in small letters": b"get /api/<b>secret</b> HTTP/1.1\r\nHost: x\r\n\r\n",
    "another protocol": b"\x16\x03\x01\x02\x00<b>secret</b>\r\n\r\n",
    "no host": b"GET /api/<b>secret</b> HTTP/1.1\r\n\r\n",
    "a version nobody knows": b"GET /api/chats HTTP/7.7<b>secret</b>\r\nHost: x\r\n\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a long line": b"GET /api/" + ASKERS * 1000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a long header": b"GET /api/chats HTTP/1.1\r\nHost: x\r\nX: " + ASKERS * 1000 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + b"X: <b>secret</b>\r\n" * 500 + b"\r\n",
    "a header that is none": b"GET /api/chats HTTP/1.1\r\nHost: x\r\n<b>secret</b>: y\r\n\r\n",
    "two lengths": b"POST /api/chats HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "a length that is none": b"POST /api/chats HTTP/1.1\r\nHost: x\r\nContent-Length: <b>secret</b>\r\n\r\n",
    "a length and chunks": request("POST /api/chats", "Content-Length: 1", "Transfer-Encoding: chunked"),
    "another encoding": b"POST /api/chats HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
    "a chunk that is none": request("POST /api/chats", "Transfer-Encoding: chunked") + ASKERS + b"\r\n",
    "a zero in the path": b"GET /api/\x00<b>secret</b> HTTP/1.1\r\nHost: x\r\n\r\n",
    "letters in the path": "GET /api/чат HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
    "a blank in the path": b"GET /api/<b>secret</b> <b>secret</b> HTTP/1.1\r\nHost: x\r\n\r\n",
    "a URL that is none": b"GET http://[<b>secret</b>/api/chats HTTP/1.1\r\nHost: x\r\n\r\n",
    "a port that is none": b"GET http://x:99999999/<b>secret</b> HTTP/1.1\r\nHost: x\r\n\r\n",
    "a star": b"GET * HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("spoilt", SPOILT)
async def test_what_is_no_request_is_a_bad_request_without_a_word_of_it(server: Server, spoilt: str) -> None:
    status, headers, body = await received(server, SPOILT[spoilt])
    assert_error((status, json.loads(body)), 400, "bad_request")
    assert headers["content-type"].startswith("application/json")
    assert (headers["server"], headers["x-content-type-options"]) == ("Vestnik", "nosniff")
    assert b"secret" not in body
    assert "ч" not in body.decode()


@pytest.mark.parametrize("path", ["/api/auth/login", "/api/nothing", "/", "/ws", "/socket.io/?EIO=4"])
async def test_an_expectation_nobody_knows_is_refused_without_a_word_of_it(server: Server, path: str) -> None:
    status, headers, body = await received(
        server, request(f"POST {path}", "Expect: secret", "Content-Length: 0")
    )
    assert_error((status, json.loads(body)), 417, "bad_request")
    assert headers["server"] == "Vestnik"
    assert b"secret" not in body


async def test_a_client_that_asks_before_it_sends_a_body_gets_100(server: Server) -> None:
    body = b'{"username":"ann","password":"a password"}'
    head = request("POST /api/auth/register", "Expect: 100-continue", f"Content-Length: {len(body)}")
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(head.replace(b"\r\n\r\n", b"\r\nContent-Type: application/json\r\n\r\n"))
    assert b"100 Continue" in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10 * SLACK)
    writer.write(body)
    assert b"201 Created" in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10 * SLACK)
    writer.close()


async def test_what_nobody_foresaw_is_unavailable(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_request: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(server.app.router, "resolve", fail)
    status, _, body = await received(server, request("GET /api/chats"))
    assert_error((status, json.loads(body)), 503, "unavailable")
    assert b"secret" not in body


PATHS_OF_OTHER_GATES = [
    *(
        "//api/chats",
        "///api",
        "//api",
        "/%2Fapi/chats",
        "/%2fapi%2Fchats",
        "/api%2Fchats",
        "/%252Fapi/chats",
    ),
    *("/./api/chats", "/x/../api/chats", "/x/%2e%2e/api/chats", "/%2e/api/chats", "/x/..%2fapi/chats"),
    *("/API/chats", "/Api", "/aPi/users/me", "/%41PI", "/api/chats/", "/api//chats", "/api/chats//", "/api/"),
    *("/\\api/chats", "/%5Capi/chats", "/%20api/chats", "/api%20/chats", "/api%00", "/api;x/chats"),
    *("/;x/api", "/%EF%BD%81pi/chats", "/api%3Fx", "//ws", "/WS", "/ws/", "//socket.io/", "/Socket.IO/"),
    *("//health/live", "/Health/ready", "//metrics", "//docs/protocol", "//assets/app.js"),
]


@pytest.mark.parametrize("path", PATHS_OF_OTHER_GATES)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_path_of_another_gate_never_gets_the_clients_page(
    server: Server, method: str, path: str
) -> None:
    status, headers, body = await received(server, request(f"{method} {path}"))
    assert status == 404
    assert headers["content-type"].startswith("application/json")
    if method == "GET":
        assert_error((status, json.loads(body)), 404, "not_found")


@pytest.mark.parametrize(
    "path", ["/", "/login", "/chats/3", "//chats/3", "/apiary", "/x/api", "/app//api/chats"]
)
async def test_other_paths_are_the_clients(server: Server, path: str) -> None:
    status, headers, body = await received(server, request(f"GET {path}"))
    assert (status, headers["content-type"], body) == (200, "text/html", PAGE.encode())


async def test_head_answers_as_get_without_a_body(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    message = await ann.say(chat_id, "hello")
    auth = f"Authorization: Bearer {ann.token}"
    paths = [
        *("/api/users/me", "/api/users?q=a", f"/api/users/{ann.id}", "/api/chats", f"/api/chats/{chat_id}"),
        *(
            f"/api/chats/{chat_id}/members",
            f"/api/chats/{chat_id}/messages",
            f"/api/messages/{message['id']}",
        ),
        *("/api/server", "/health/live", "/health/ready", "/", "/login", "/assets/app.js", "/docs/protocol"),
    ]
    for path in paths:
        status, headers, body = await received(server, request(f"GET {path}", auth))
        assert (status, len(body)) == (200, int(headers["content-length"])), path
        head = await received(server, request(f"HEAD {path}", auth))
        assert head[0] == 200, path
        assert {name: head[1][name] for name in ("content-length", "content-type")} == {
            name: headers[name] for name in ("content-length", "content-type")
        }, path
    for path, status in (("/api/chats/99", 404), ("/api/nothing", 404), ("/api/auth/login", 405)):
        assert (await received(server, request(f"HEAD {path}", auth)))[0] == status
    assert (await received(server, request("HEAD /api/chats")))[0] == 401


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/api/chats", "GET, HEAD, OPTIONS, POST"),
        ("/api/chats/1", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("/api/auth/login", "OPTIONS, POST"),
        ("/api/server", "GET, HEAD, OPTIONS"),
        ("/", "GET, HEAD, OPTIONS"),
        ("/health/live", "GET, HEAD, OPTIONS"),
    ],
)
async def test_options_says_which_methods_there_are(server: Server, path: str, methods: str) -> None:
    status, headers, body = await received(server, request(f"OPTIONS {path}"))
    assert (status, headers["allow"], body) == (204, methods, b"")
    status, headers, body = await received(server, request(f"TRACE {path}"))
    assert_error((status, json.loads(body)), 405, "bad_request")
    assert headers["allow"] == methods


async def test_options_of_what_is_not_there_is_not_found(server: Server) -> None:
    status, _, body = await received(server, request("OPTIONS /api/nothing"))
    assert_error((status, json.loads(body)), 404, "not_found")


@pytest.mark.parametrize("registration", ["open", "invite", "closed"])
async def test_what_a_server_says_of_itself_needs_no_token(serve: Serve, registration: str) -> None:
    server = await serve(registration=registration, max_content_chars=500)
    said = {
        "registration": registration,
        "setup_needed": True,
        "max_upload_bytes": 25 * 1024 * 1024,
        "upload_quota_bytes": 1024 * 1024 * 1024,
        "max_content_chars": 500,
        "version": VERSION,
    }
    assert await server.stranger().request("GET", "/server") == (200, said)
    (user_id,) = (
        await server.chat_app.operator.create_all({"ada": "Ada"}, "correct horse", admin="")
    ).values()
    await make_admin(server.chat_app, user_id)
    for _ in range(2):
        assert await server.stranger().request("GET", "/server") == (200, {**said, "setup_needed": False})
