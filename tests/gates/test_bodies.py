"""Request bodies that are compressed, too slow or of another type than they say; and answers that the client does not
read."""

import asyncio
import contextlib
import gzip
import socket as sockets
import time
import zlib
from typing import Any

import pytest
from aiohttp import ClientSession

from server import large_answers, runner
from server.rest import calls
from tests.clients.rest import PASSWORD
from tests.clients.shapes import assert_error
from tests.conftest import Serve, Server
from tests.engine.peers import Peer, until
from tests.patience import SLACK

pytestmark = pytest.mark.stores("sqlite")

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
BOMBS = [compress(b" " * (20 << 20), 9) for compress in (gzip.compress, zlib.compress)]


async def received(server: Server, data: bytes, seconds: float = 3) -> bytes:
    """Sends bytes on a connection of their own and returns all that comes back until it is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(data)
    try:
        async with asyncio.timeout(seconds):
            with contextlib.suppress(ConnectionError):
                return await reader.read()
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "GZIP"])
@pytest.mark.parametrize("kind", [JSON, FORM, "multipart/form-data; boundary=B"])
async def test_a_compressed_body_is_refused_unread(serve: Serve, encoding: str, kind: str) -> None:
    server = await serve()
    bomb = BOMBS[encoding == "deflate"]
    headers = {"Content-Type": kind, "Content-Encoding": encoding}
    started = time.process_time()
    for _ in range(20):
        answer = await server.stranger().request("POST", "/auth/login", data=bomb, headers=headers)
        assert_error(answer, 415, "unsupported_media")
    assert time.process_time() - started < 1


async def test_a_body_that_is_not_compressed_may_say_so(serve: Serve) -> None:
    server = await serve()
    await server.person("ann")
    async with server.http.post(
        f"{server.url}/api/auth/login",
        json={"username": "ann", "password": PASSWORD},
        headers={"Content-Encoding": "identity"},
        skip_auto_headers=(),
    ) as answer:
        assert answer.status == 200


async def test_a_compressed_polling_body_ends_that_session_alone(serve: Serve) -> None:
    server = await serve()
    peer = Peer(server.http, f"{server.url}/socket.io/")
    sid, other = (await peer.open())["sid"], (await peer.open())["sid"]
    status, _ = await peer.request(
        "POST", peer.at(sid=sid), data=BOMBS[0], headers={"Content-Encoding": "gzip"}
    )
    assert status == 400
    assert (await peer.poll(sid))[0] == 400
    assert await peer.post(other, "40") == (200, "ok")


MALFORMED = {
    "a part without a header": ("multipart/form-data; boundary=B", b"--B\r\nx\r\n\r\n{}\r\n--B--"),
    "no boundary": ("multipart/form-data", b"{}"),
    "a part that never ends": (
        "multipart/form-data; boundary=B",
        b"--B\r\nContent-Disposition: form-data\r\n\r\nx",
    ),
    "parts in parts": (
        "multipart/form-data; boundary=B",
        b"--B\r\nContent-Disposition: form-data; name=a\r\n"
        b"Content-Type: multipart/mixed; boundary=C\r\n\r\n--C--\r\n--B--",
    ),
    "a compressed part": (
        "multipart/form-data; boundary=B",
        b"--B\r\nContent-Disposition: form-data; name=username\r\nContent-Encoding: gzip\r\n\r\n"
        + BOMBS[0]
        + b"\r\n--B--",
    ),
    "no UTF-8": (FORM, b"username=\xff"),
    "escapes that are no UTF-8": (FORM, b"username=%ff"),
    "too many fields": (FORM, b"a=b&" * 5000),
}


@pytest.mark.parametrize(("kind", "body"), MALFORMED.values(), ids=MALFORMED.keys())
async def test_a_form_that_is_none_is_a_bad_request(serve: Serve, kind: str, body: bytes) -> None:
    server = await serve()
    answer = await server.stranger().request("POST", "/auth/login", data=body, headers={"Content-Type": kind})
    assert_error(answer, 400, "bad_request")


async def test_a_form_in_a_charset_nobody_knows_is_read_as_utf_8(serve: Serve) -> None:
    server = await serve()
    await server.person("ann")
    body = f"username=ann&password={PASSWORD.replace(' ', '+')}"
    headers = {"Content-Type": f"{FORM}; charset=nonsense"}
    status, _ = await server.stranger().request("POST", "/auth/login", data=body, headers=headers)
    assert status == 200


@pytest.mark.parametrize("kind", [JSON, FORM, "multipart/form-data; boundary=B"])
async def test_a_body_that_does_not_come_is_not_waited_for(
    serve: Serve, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "BODY_TIMEOUT_S", 0.2)
    server = await serve()
    head = f"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: 50\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(head.encode() + b"\r\n--B")
    answer = await asyncio.wait_for(reader.readuntil(b"}}"), 5 * SLACK)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"bad_request" in answer
    writer.close()


@pytest.mark.parametrize("start", [b"", b"GET /", b"GET /api/users/me HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_a_head_that_does_not_come_is_not_waited_for(
    serve: Serve, start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "IDLE_TIMEOUT_S", 0.3)
    server = await serve()
    ann = await server.person("ann")
    client = await ann.connect()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(start)
    reading = asyncio.ensure_future(reader.read())
    with contextlib.suppress(ConnectionError):
        while not reading.done():
            writer.write(b"a" if start else b"")
            await asyncio.sleep(0.02)
        assert await reading == b""
    writer.close()
    await client.nothing_more()


async def test_a_client_that_reads_no_answers_is_cut_off(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_answers, "STALL_TIMEOUT_S", 0.3)
    server = await serve(messages_per_s=0)
    ann = await server.person("ann")
    chat_id = await ann.chat()
    for _ in range(10):
        await asyncio.gather(*(ann.say(chat_id, "ы" * 10_000) for _ in range(20)))
    slow = sockets.socket()
    slow.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    slow.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(slow, ("127.0.0.1", server.port))
    ask = (
        f"GET /api/chats/{chat_id}/messages?limit=200 HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {ann.token}\r\n\r\n"
    ).encode()
    await loop.sock_sendall(slow, ask * 16)  # more than the system buffers for one connection
    app_runner: Any = server._runner

    def served() -> bool:
        wires = [handler.transport for handler in app_runner.server.connections]
        return slow.getsockname() in [wire.get_extra_info("peername") for wire in wires if wire is not None]

    await until(served)
    await until(lambda: not served())
    slow.close()
    assert len((await ann.get(f"/chats/{chat_id}/messages", limit=200))["messages"]) == 50, "1 MiB"


@pytest.mark.parametrize(
    "data",
    [
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nBad Header: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: a\nb\r\n\r\n",
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 9000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 500 + b"\r\n",
        b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
async def test_what_is_no_request_is_answered_400_and_costs_nobody_else_anything(
    serve: Serve, data: bytes
) -> None:
    server = await serve()
    ann = await server.person("ann")
    client = await ann.connect()
    answer = await received(server, data)
    assert answer.split(b" ")[1] == b"400"
    assert b"Traceback" not in answer
    await client.nothing_more()


@pytest.mark.parametrize(
    "path",
    [
        "/docs/../../etc/passwd",
        "/docs/..%2f..%2fetc%2fpasswd",
        "/docs/%2e%2e/%2e%2e/etc/passwd",
        "/docs/protocol.md%00",
        "/docs//etc/passwd",
        "/docs/PROTOCOL",
        "/..;/api/users/me",
        "/api/../data/secret_key",
    ],
)
async def test_no_path_leads_outside_the_folder(serve: Serve, path: str) -> None:
    server = await serve()
    answer = await received(server, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert answer.split(b" ")[1] == b"404"


async def test_no_header_of_an_answer_can_be_forged(serve: Serve) -> None:
    server = await serve()
    async with ClientSession() as http:
        for origin in ("https://a.example%0d%0aX-Forged: 1", "https://a.example\tX-Forged: 1", "ü"):
            async with http.get(f"{server.url}/api/users/me", headers={"Origin": origin}) as answer:
                assert "X-Forged" not in answer.headers
    smuggled = b"GET /api/users/me HTTP/1.1\r\nHost: x\r\nOrigin: a\rX-Forged: 1\r\nConnection: close\r\n\r\n"
    assert b"\nX-Forged" not in await received(server, smuggled)
