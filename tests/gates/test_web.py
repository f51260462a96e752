"""The web client at `/`, and what every answer says to browsers."""

import asyncio
import gzip
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse

from server.config import ConfigError, load_config
from server.headers import CLIENT_POLICY
from tests.conftest import Serve, Server

pytestmark = pytest.mark.stores("sqlite")  # the store plays no part here

PAGE = '<!doctype html><script type="module" src="/assets/app-1a2b.js"></script>'
SCRIPT = "console.log('a script that is worth compressing')\n" * 100

SOCKETIO_CLIENT = ("socket.io.js", "socket.io.min.js", "socket.io.esm.min.js", "socket.io.js.map")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A folder as the build leaves it, with a secret beside it."""
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text(PAGE)
    (dist / "icon.svg").write_text("<svg/>")
    (dist / "socket.io").mkdir()
    for name in SOCKETIO_CLIENT:
        (dist / "socket.io" / name).write_text(f"// {name}")
    script = dist / "assets" / "app-1a2b.js"
    script.write_text(SCRIPT)
    script.with_name("app-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    (tmp_path / "secret.txt").write_text("secret")
    (dist / "assets" / "link.js").symlink_to(tmp_path / "secret.txt")
    (dist / "link.txt").symlink_to(tmp_path / "secret.txt")
    return dist


@pytest.fixture
async def server(serve: Serve, built: Path) -> Server:
    return await serve(web_client_dir=built)


async def get(server: Server, path: str, method: str = "GET", **headers: str) -> tuple[ClientResponse, bytes]:
    async with server.http.request(
        method, server.url + path, headers=headers, auto_decompress=False
    ) as answer:
        return answer, await answer.read()


async def raw(server: Server, target: str) -> tuple[int, bytes]:
    """Sends this request line unchanged; the status and the whole answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return int(answer.split()[1]), answer


@pytest.mark.parametrize("path", ["/", "/login", "/chats/12", "/chats/12?message=5", "/apiary", "/wsx"])
async def test_every_route_of_the_client_is_its_page(server: Server, path: str) -> None:
    answer, body = await get(server, path)
    assert (answer.status, body.decode()) == (200, PAGE)
    assert answer.content_type == "text/html"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Content-Security-Policy"] == CLIENT_POLICY


@pytest.mark.parametrize(
    "path",
    [
        *("/api", "/api/", "/api/nothing", "/ws/", "/health", "/health/x", "/docs/", "/docs/x", "/metrics/x"),
        *("/assets", "/assets/", "/assets/x.js", "/assets/a/b.js", "/favicon.ico", "/chats/x.js", "/.env"),
    ],
)
async def test_what_is_not_the_clients_is_not_found(server: Server, path: str) -> None:
    answer, body = await get(server, path)
    assert answer.status == 404, body
    assert answer.content_type == "application/json"
    assert "Cache-Control" not in answer.headers


async def test_assets_are_kept_for_ever_and_come_compressed(server: Server) -> None:
    answer, body = await get(server, "/assets/app-1a2b.js", **{"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding, Origin"
    assert gzip.decompress(body).decode() == SCRIPT
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.content_type in ("text/javascript", "application/javascript")
    answer, body = await get(server, "/assets/app-1a2b.js", **{"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in answer.headers
    assert body.decode() == SCRIPT


@pytest.mark.parametrize("name", SOCKETIO_CLIENT)
async def test_the_client_of_socketio_is_served_where_socketio_serves_it(server: Server, name: str) -> None:
    answer, body = await get(server, f"/socket.io/{name}", Origin="https://elsewhere.example")
    assert (answer.status, body.decode()) == (200, f"// {name}")
    assert answer.headers["Cache-Control"] == "public, max-age=86400"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    again, _ = await get(server, f"/socket.io/{name}", **{"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304


@pytest.mark.parametrize("name", ["socket.io.msgpack.js", "x.js", "socket.io.mjs", "..%2findex.html"])
async def test_nothing_else_is_served_there(server: Server, name: str) -> None:
    assert (await get(server, f"/socket.io/{name}"))[0].status == 404


@pytest.mark.parametrize("path", ["/", "/assets/app-1a2b.js", "/icon.svg"])
async def test_a_known_etag_is_304_and_head_has_no_body(server: Server, path: str) -> None:
    answer, _ = await get(server, path)
    again, body = await get(server, path, **{"If-None-Match": answer.headers["ETag"]})
    assert (again.status, body) == (304, b"")
    assert again.headers["Cache-Control"] == answer.headers["Cache-Control"]
    head, body = await get(server, path, "HEAD")
    assert (head.status, body) == (200, b"")
    assert head.headers["Content-Length"] == answer.headers["Content-Length"]
    other, _ = await get(server, path, "POST")
    assert other.status == 405


@pytest.mark.parametrize(
    "target",
    [
        *("/../secret.txt", "/assets/../../secret.txt", "/assets/..%2f..%2fsecret.txt", "/..%2fsecret.txt"),
        *("/assets/%2e%2e/%2e%2e/secret.txt", "//secret.txt", "/assets/..\\..\\secret.txt", "/assets/.."),
        *(
            "/link.txt",
            "/assets/link.js",
            "/secret.txt%00.html",
            "/assets//etc/passwd",
            "/%2e%2e%2fsecret.txt",
        ),
    ],
)
async def test_there_is_no_way_out_of_the_folder(server: Server, target: str) -> None:
    status, answer = await raw(server, target)
    assert status in (400, 404), answer
    assert b"secret\n" not in answer
    assert not answer.endswith(b"secret")


async def test_without_a_build_the_page_says_how_and_finds_it_later(serve: Serve, tmp_path: Path) -> None:
    dist = tmp_path / "later"
    server = await serve(web_client_dir=dist)
    answer, body = await get(server, "/")
    assert (answer.status, answer.content_type) == (200, "text/html")
    assert b"npm run build" in body
    for path in ("/login", "/icon.svg", "/assets/x.js"):
        assert (await get(server, path))[0].status == 404
    dist.mkdir()
    (dist / "index.html").write_text(PAGE)
    assert (await get(server, "/login"))[1].decode() == PAGE


async def test_the_page_of_the_api_comes_with_the_client_and_links_to_the_documents_without(
    server: Server, built: Path, serve: Serve, tmp_path: Path
) -> None:
    (built / "docs.html").write_text(PAGE)
    answer, body = await get(server, "/docs")
    assert (answer.status, body.decode()) == (200, PAGE)
    assert answer.headers["Content-Security-Policy"] == CLIENT_POLICY
    assert answer.headers["Cache-Control"] == "no-cache"
    bare = await serve(web_client_dir=tmp_path / "nothing")
    answer, body = await get(bare, "/docs")
    assert (answer.status, answer.content_type) == (200, "text/html")
    assert b"/api/openapi.json" in body
    assert b"/api/asyncapi.json" in body
    assert b"style" not in body, "the page has no inline style, which its policy does not allow"


async def test_every_gate_sends_the_same_headers_to_browsers(
    server: Server, serve: Serve, tmp_path: Path
) -> None:
    bare = await serve(web_client_dir=tmp_path / "nothing")
    token = (await server.person("ann")).token
    answers: list[Any] = [
        (await get(server, path))[0].headers
        for path in ("/", "/assets/app-1a2b.js", "/api/users/me", "/api/x", "/health/live", "/docs/protocol")
    ]
    answers.append((await get(bare, "/"))[0].headers)
    answers.append((await get(server, "/socket.io/?EIO=4&transport=polling"))[0].headers)
    answers.append((await get(server, "/socket.io/?EIO=1"))[0].headers)
    answers.append((await get(server, "/ws"))[0].headers)
    async with server.http.ws_connect(server.ws_url, params={"token": str(token)}) as socket:
        answers.append(socket._response.headers)
    for headers in answers:
        assert headers.getall("Server") == ["Vestnik"]
        assert headers.getall("X-Content-Type-Options") == ["nosniff"]
        assert headers.getall("X-Frame-Options") == ["DENY"]
        assert headers.getall("Referrer-Policy") == ["no-referrer"]
        assert headers.getall("Cross-Origin-Opener-Policy") == ["same-origin"]
        assert "microphone=()" in headers["Permissions-Policy"]
        (policy,) = headers.getall("Content-Security-Policy")
        assert "frame-ancestors 'none'" in policy
        assert policy.startswith("default-src 'self'" if policy == CLIENT_POLICY else "default-src 'none'")
        assert "unsafe" not in policy or headers is answers[6]


@pytest.mark.parametrize(
    ("headers", "is_sent"),
    [
        ({"Host": "localhost:8000"}, True),
        ({"Host": "chat.localhost"}, True),
        ({"Host": "[::1]:8000"}, True),
        ({"Host": "192.168.1.5:8000"}, False),
        ({"Host": "chat.example.org"}, False),
        ({"Host": "127.0.0.1.example.org"}, False),
        ({"Host": "chat.example.org", "X-Forwarded-Proto": "https"}, True),
        ({"Host": "chat.example.org", "X-Forwarded-Proto": "HTTPS, http"}, True),
        ({"Host": "chat.example.org", "X-Forwarded-Proto": "http"}, False),
        ({"Host": "127.0.0.1:8000", "X-Forwarded-Host": "chat.example.org"}, False),
    ],
)
async def test_the_opener_policy_is_sent_only_where_browsers_heed_it(
    server: Server, headers: dict[str, str], is_sent: bool
) -> None:
    async with server.http.get(f"{server.url}/", headers=headers) as answer:
        assert answer.status == 200
        assert answer.headers.getall("Cross-Origin-Opener-Policy", []) == (["same-origin"] if is_sent else [])


def test_a_folder_without_a_client_stops_the_start(
    serve: Serve, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("WEB_CLIENT_DIR", str(built))
    assert load_config().web_client_dir == built
    monkeypatch.setenv("WEB_CLIENT_DIR", str(tmp_path / "none"))
    with pytest.raises(ConfigError, match=r"^WEB_CLIENT_DIR: there is no index\.html in "):
        load_config()
