"""Caching headers: no cache keeps an answer for one client, or serves it to a page of another origin."""

import re

import pytest

from tests.conftest import Serve, Server

pytestmark = pytest.mark.stores("sqlite")

PAGE = "https://chat.example.org"
POLLING = "/socket.io/?EIO=4&transport=polling"

REQUESTS = [
    ("GET", POLLING),
    ("GET", POLLING + "&sid=unknown"),
    ("POST", POLLING + "&sid=unknown"),
    ("GET", "/socket.io/?EIO=3&transport=polling"),
    ("GET", POLLING + "&j=0"),
    ("OPTIONS", POLLING),
    ("GET", "/socket.io/?EIO=4&transport=websocket"),
    ("GET", "/api/users/me"),
    ("GET", "/api/nowhere"),
    ("POST", "/api/auth/login"),
    ("PUT", "/api/auth/login"),
    ("OPTIONS", "/api/users/me"),
    ("GET", "/ws"),
    ("GET", "/health/live"),
    ("GET", "/"),
    ("GET", "/nowhere.txt"),
]


@pytest.mark.parametrize(("method", "path"), REQUESTS)
@pytest.mark.parametrize("origin", [PAGE, "https://evil.example.org", None])
async def test_an_answer_varies_by_origin(serve: Serve, method: str, path: str, origin: str | None) -> None:
    server = await serve(cors_origins=[PAGE])
    headers = {"Origin": origin, "Access-Control-Request-Method": "GET"} if origin else {}
    async with server.http.request(method, server.url + path, headers=headers) as answer:
        varies = [
            part.strip().lower() for line in answer.headers.getall("Vary", []) for part in line.split(",")
        ]
        assert varies.count("origin") == 1
        assert answer.headers.get("Access-Control-Allow-Origin") in (None, origin)
        if origin == PAGE and path not in ("/ws", REQUESTS[6][1]):
            assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        await leave(server, await answer.text())


async def leave(server: Server, answer: str) -> None:
    """Ends the Engine.IO session that an answer opened, if it opened one."""
    opened = re.search(r'"sid\\?":\\?"([^"\\]+)', answer)
    if opened:
        await server.http.post(f"{server.url}{POLLING}&sid={opened[1]}", data="1")


@pytest.mark.parametrize(("method", "path"), [request for request in REQUESTS if "polling" in request[1]])
@pytest.mark.parametrize("origin", [PAGE, None])
async def test_what_polling_is_answered_is_kept_nowhere(
    server: Server, method: str, path: str, origin: str | None
) -> None:
    headers = {"Origin": origin} if origin else {}
    async with server.http.request(method, server.url + path, headers=headers) as answer:
        assert answer.headers.getall("Cache-Control") == ["no-store"]
        await leave(server, await answer.text())


async def test_a_session_that_polls_is_kept_nowhere(server: Server) -> None:
    async with server.http.get(server.url + POLLING) as opened:
        sid = (await opened.text()).split('"')[3]
    url = f"{server.url}{POLLING}&sid={sid}"
    for method, data, status in (
        ("POST", "40{}", 200),
        ("GET", None, 200),
        ("POST", "x", 400),
        ("GET", None, 400),
    ):
        async with server.http.request(method, url, data=data) as answer:
            assert (answer.status, answer.headers.getall("Cache-Control")) == (status, ["no-store"])
