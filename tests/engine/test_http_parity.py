"""What HTTP clients see of the settings that `engineio.AsyncServer` documents: the same as of the library itself."""

import json
from typing import Any

import engineio
import pytest

from server.engine import EngineServer
from tests.engine.conftest import Serve
from tests.engine.peers import Peer, soon

SAME = ("Access-Control-", "Set-Cookie", "Content-Type", "Content-Encoding")
"""The beginnings of the names of headers that are the library's; `Vary` and `Cache-Control` are ours."""


async def asked(peer: Peer, method: str, headers: dict[str, str]) -> tuple[int, list[tuple[str, str]]]:
    """The status and the headers of an answer to a client that opens a session."""
    headers = {"Accept-Encoding": "identity", **headers}
    async with peer.session.request(method, peer.at(), headers=headers) as response:
        body = await soon(response.text())
        sid = json.loads(body[1:])["sid"] if body.startswith("0{") else ""
        kept = [(name, value) for name, value in response.headers.items() if name.startswith(SAME)]
        return response.status, sorted(
            (name, value.replace(sid, "SID") if sid else value) for name, value in kept
        )


SETTINGS: dict[str, dict[str, Any]] = {
    "default": {},
    "any origin": {"cors_allowed_origins": "*"},
    "any in a list": {"cors_allowed_origins": ["*"]},
    "no check": {"cors_allowed_origins": []},
    "one origin": {"cors_allowed_origins": "http://good"},
    "a list": {"cors_allowed_origins": ["http://good", "http://better"]},
    "a function": {"cors_allowed_origins": lambda origin: origin == "http://good"},
    "a function of the environ": {"cors_allowed_origins": lambda origin, environ: "HTTP_X_GOOD" in environ},
    "no credentials": {"cors_allowed_origins": "*", "cors_credentials": False},
    "a cookie": {"cookie": "io"},
    "a cookie with attributes": {
        "cookie": {"name": "x", "path": "/y", "Secure": True, "Max-Age": lambda: "5"}
    },
}

HEADERS: dict[str, dict[str, str]] = {
    "no origin": {},
    "good": {"Origin": "http://good"},
    "bad": {"Origin": "http://bad"},
    "own": {"Origin": "http://own", "Host": "own"},
    "proxied": {
        "Origin": "https://own",
        "Host": "inside",
        "X-Forwarded-Proto": "https, http",
        "X-Forwarded-Host": "own, x",
    },
    "marked": {"Origin": "http://any", "X-Good": "1"},
    "preflight": {"Origin": "http://good", "Access-Control-Request-Headers": "x-one, x-two"},
}


@pytest.mark.parametrize("settings", SETTINGS)
async def test_origins_and_cookies(serve: Serve, settings: str) -> None:
    options = SETTINGS[settings]
    theirs = await serve(engineio.AsyncServer(async_mode="aiohttp", **options))
    ours = await serve(EngineServer(**options))
    for name, headers in HEADERS.items():
        for method in ("GET", "OPTIONS"):
            expected, got = await asked(theirs, method, headers), await asked(ours, method, headers)
            if method == "OPTIONS" and expected[0] == 200:  # of which ours says that its `ok` is UTF-8
                expected = expected[0], [pair for pair in expected[1] if pair[0] != "Content-Type"]
                got = got[0], [pair for pair in got[1] if pair[0] != "Content-Type"]
            assert got == expected, (name, method)


@pytest.mark.parametrize("accepted", ["gzip", "deflate", "br, deflate;q=0.5", "br", "identity"])
async def test_compression(serve: Serve, accepted: str) -> None:
    theirs = await serve(engineio.AsyncServer(async_mode="aiohttp", compression_threshold=10))
    ours = await serve(EngineServer(compression_threshold=10))
    headers = {"Accept-Encoding": accepted}
    assert await asked(ours, "GET", headers) == await asked(theirs, "GET", headers)
    small = await serve(EngineServer(compression_threshold=10_000))
    assert all(name != "Content-Encoding" for name, _ in (await asked(small, "GET", headers))[1])
    never = await serve(EngineServer(compression_threshold=10, http_compression=False))
    assert all(name != "Content-Encoding" for name, _ in (await asked(never, "GET", headers))[1])


async def test_the_environ(serve: Serve) -> None:
    """But for the address of the client, which the library does not know."""
    seen: list[dict[str, Any]] = []
    servers = [engineio.AsyncServer(async_mode="aiohttp"), EngineServer()]
    headers = {"X-One": "1", "Content-Type": "text/x", "X-Forwarded-Proto": "https", "Host": "h"}
    for server in servers:
        server.on("connect", lambda sid, environ: seen.append(dict(environ)))
        peer = await serve(server)
        await asked(peer, "GET", headers)
    theirs, ours = seen
    assert ours.pop("REMOTE_ADDR") == theirs.pop("REMOTE_ADDR") == "127.0.0.1"
    for environ in seen:
        assert environ.pop("aiohttp.request").content is environ.pop("wsgi.input")
    assert ours == theirs


@pytest.mark.parametrize("refusal", [False, "no", {"why": 1}], ids=repr)
async def test_a_connection_that_the_application_refuses(serve: Serve, refusal: Any) -> None:
    answers = []
    for server in (engineio.AsyncServer(async_mode="aiohttp"), EngineServer()):
        server.on("connect", lambda sid, environ: refusal)
        peer = await serve(server)
        answers.append(await soon(peer.request("GET", peer.at())))
    assert answers[0] == answers[1]


async def test_origins_may_change_while_the_server_runs(serve: Serve) -> None:
    for server in (
        engineio.AsyncServer(async_mode="aiohttp", cors_allowed_origins=["http://other"]),
        EngineServer(),
    ):
        peer = await serve(server)
        before = await asked(peer, "GET", HEADERS["good"])
        server.cors_allowed_origins, server.cors_credentials = ["http://good"], False
        status, headers = await asked(peer, "GET", HEADERS["good"])
        assert (before[0], status) == (400, 200)
        assert "Access-Control-Allow-Credentials" not in dict(headers)
