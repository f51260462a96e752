"""deploy/nginx under a real nginx, before a real server."""

import asyncio
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSServerHandshakeError

from server import headers
from tests.clients.people import Person
from tests.clients.raw import RawClient
from tests.conftest import Serve, Server
from tests.deploy.nginx import Nginx, nginx_before
from tests.socketio.windows import PythonWindow

pytestmark = pytest.mark.stores("sqlite")


@pytest.fixture
async def server(serve: Serve) -> Server:
    return await serve(trusted_proxies=(ip_network("127.0.0.1"),))


@pytest.fixture
async def nginx(server: Server, tmp_path: Path) -> AsyncIterator[Nginx]:
    async with nginx_before(tmp_path / "nginx", f"127.0.0.1:{server.port}") as nginx:
        yield nginx


async def behind(nginx: Nginx, server: Server, username: str) -> Person:
    """Somebody who reaches the server through nginx."""
    person = await server.person(username)
    person.url = nginx.url
    person.ws_url = f"ws://127.0.0.1:{nginx.port}/ws"
    return person


async def test_it_serves_the_client_and_says_what_the_server_says(nginx: Nginx, server: Server) -> None:
    for path, cache in (
        ("/", "no-cache"),
        ("/chats/1", "no-cache"),
        ("/assets/app-1a2b.js", "public, max-age=31536000, immutable"),
    ):
        async with server.http.get(nginx.url + path, headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.status == 200
            assert answer.headers.getall("Cache-Control") == [cache]
            for name, value in headers.HEADERS.items():
                wanted = headers.CLIENT_POLICY if name == headers.CONTENT_SECURITY_POLICY else value
                assert answer.headers.getall(name) == [wanted]
            assert answer.headers["Server"] == "nginx"
            assert answer.headers.get("Content-Encoding") == ("gzip" if path.endswith(".js") else None)
    async with server.http.get(f"{nginx.url}/assets/none.js") as answer:
        assert answer.status == 404
        assert "Cache-Control" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/api/nothing",
            "//api/chats",
            "/API/chats",
            "/%2Fapi",
            "/api%2Fchats",
            "/./api/",
            "/x/../api/chats",
        ),
        *("/api;x", "/%5Capi", "/api/chats/", "/%20api/chats", "//WS/x", "/Health/x"),
    ],
)
async def test_a_path_that_means_the_server_never_gets_the_page(
    nginx: Nginx, server: Server, path: str
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", nginx.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    answer = (await reader.read()).decode()
    writer.close()
    assert answer.startswith(("HTTP/1.1 404", "HTTP/1.1 401"))
    assert '{"error":' in answer


async def test_it_passes_on_what_is_posted_to_hooks(nginx: Nginx, server: Server) -> None:
    ann = await behind(nginx, server, "ann")
    made = await ann.post(f"/chats/{await ann.chat()}/hooks", kind="incoming", name="Alerts")
    assert made["url"].startswith(f"{nginx.url}/hooks/")
    async with server.http.post(made["url"], json={"text": "x" * 200_000}) as answer:
        assert (answer.status, await answer.text()) == (200, "ok")
    async with server.http.post(made["url"], json={"text": "x" * 300_000}) as answer:
        assert (answer.status, await answer.text()) == (413, "too_large")


async def test_the_manifest_has_its_type(nginx: Nginx, server: Server) -> None:
    async with server.http.get(f"{nginx.url}/manifest.webmanifest") as answer:
        assert (answer.status, answer.content_type) == (200, "application/manifest+json")
        assert answer.headers.getall("X-Content-Type-Options") == ["nosniff"]
        assert answer.headers.getall("Cache-Control") == ["no-cache"]


async def test_the_opener_policy_is_sent_only_where_browsers_heed_it(nginx: Nginx, server: Server) -> None:
    for asked, received in (
        ({"Host": "localhost:3000"}, ["same-origin"]),
        ({"Host": "192.168.1.5:3000"}, []),
        ({"Host": "127.0.0.1.example.org"}, []),
        ({"Host": "chat.example.org", "X-Forwarded-Proto": "https"}, ["same-origin"]),
    ):
        async with server.http.get(f"{nginx.url}/", headers=asked) as answer:
            assert answer.headers.getall("Cross-Origin-Opener-Policy", []) == received


async def test_both_sockets_and_rest_go_through(nginx: Nginx, server: Server) -> None:
    ann, bob = await behind(nginx, server, "ann"), await behind(nginx, server, "bob")
    chat_id = await ann.chat(bob)
    raw = await ann.joined(chat_id)
    windows: list[Any] = [
        await PythonWindow.open(bob.http, nginx.url, bob.token, transport=transport)
        for transport in ("websocket", "polling")
    ]
    for window in windows:
        await window.done("join_chat", chat_id=chat_id)
    message = await bob.say(chat_id, "through nginx")
    assert (await raw.next("new_message"))["message"] == message
    for window in windows:
        assert (await window.next("new_message")).payload["message"] == message
        await window.close()
    async with server.http.get(f"{nginx.url}/api/users/me") as answer:
        assert answer.status == 401
        for name, value in headers.HEADERS.items():
            assert answer.headers.getall(name) == [value]
    async with server.http.get(f"{nginx.url}/metrics") as answer:
        assert await answer.text() == "<!doctype html>the page", "what is for probes stays inside"


async def test_no_token_is_in_a_log_not_even_of_what_failed(nginx: Nginx, server: Server) -> None:
    ann = await behind(nginx, server, "ann")
    client = await ann.connect()
    await client.done("ping")
    await client.close()
    async with server.http.get(f"{nginx.url}/login?to=%2Fsecret-place") as answer:
        assert answer.status == 200
    for path in (
        "/api/invites/secret-code",
        "//API/./Invites/secret-code/invites/secret-code",
        "/api/invites;x/secret-code",
        "/api/users/me/sessions/secret-session",
        "/hooks/secret-key",
        "//Hooks/secret-key",
        "/invite/secret-code",
        "/invite/secret-code.json",
        "/setup?code=secret-code",
    ):
        async with server.http.get(nginx.url + path) as answer:
            assert answer.status in (200, 404, 405)
    await server.stop()
    async with server.http.get(f"{nginx.url}/api/users?q=secret-query") as answer:
        assert answer.status == 502
    with pytest.raises(WSServerHandshakeError):
        await RawClient.open(ann.http, ann.ws_url, ann.token)
    await nginx.stop()
    logged = nginx.logged()
    assert " GET /ws 101 " in logged
    assert " GET /ws 502 " in logged
    assert " GET /index.html 200 " in logged
    assert " GET /api/invites/... 404 " in logged
    assert ann.token is not None
    assert ann.token not in logged
    assert "token" not in logged
    assert "secret" not in logged
