"""Endless request bodies and requests that never end: bounded for every content type, without cost for other
clients."""

import asyncio
import contextlib
import itertools
import statistics
import time
from collections.abc import Iterator

import pytest

from server import http_heads, middlewares, request_slots
from server.keys import REQUESTS, UNSENT
from tests.clients.clock import ManualClock
from tests.clients.people import Person
from tests.clients.shapes import assert_error
from tests.conftest import Serve, Server
from tests.engine.peers import until
from tests.patience import SLACK

pytestmark = pytest.mark.stores("sqlite")

MIB = 1024 * 1024
MULTIPART = "multipart/form-data; boundary=B"
PART = b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'

BODIES: dict[str, tuple[str, bytes, bytes]] = {
    "a preamble": (MULTIPART, b"", b"x" * 65536),
    "a preamble of lines": (MULTIPART, b"", b"x\r\n" * 20000),
    "the header of a part": (MULTIPART, b"--B\r\n", b"x" * 65536),
    "headers of a part": (MULTIPART, b"--B\r\n", b"X-Y: z\r\n" * 8000),
    "a part": (MULTIPART, PART[:-3], b"x" * 65536),
    "tiny parts": (MULTIPART, b"", PART * 1000),
    "an epilogue": (MULTIPART, PART + b"--B--\r\n", b"x" * 65536),
    "JSON": ("application/json", b'{"username":"', b"x" * 65536),
    "a form": ("application/x-www-form-urlencoded", b"", b"a=b&" * 16000),
    "nothing known": ("application/octet-stream", b"", b"x" * 65536),
    "no type": ("", b"", b"x" * 65536),
    "compressed": ("application/json\r\nContent-Encoding: gzip", b"", b"x" * 65536),
}

PATHS = [
    ("POST", "/api/auth/login"),
    ("POST", "/api/auth/register"),
    ("POST", "/api/messages"),
    ("PUT", "/api/messages/1"),
    ("GET", "/api/users/me"),
    ("DELETE", "/api/auth/login"),
    ("POST", "/api/nowhere"),
    ("POST", "/health/live"),
    ("GET", "/"),
    ("POST", "/socket.io/?EIO=4&transport=polling"),
]


@pytest.fixture(autouse=True)
def hang_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middlewares, "HANG_UP_S", 0.1)


class Stream:
    """A request whose body goes on until the server has had enough."""

    def __init__(
        self, server: Server, method: str, path: str, body: tuple[str, bytes, bytes], token: str = ""
    ) -> None:
        self.sent_bytes = 0
        self.answer = b""
        self._server = server
        kind, self._begin, self._go_on = body
        head = [f"{method} {path} HTTP/1.1", "Host: x"]
        head += [f"Content-Type: {kind}"] if kind else []
        head += [f"Authorization: Bearer {token}"] if token else []
        self._head = "\r\n".join(head).encode() + b"\r\n"

    async def run(self, *, chunked: bool) -> None:
        """Returns when the connection is closed."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._server.port)
        writer.write(self._head + self._length(chunked))
        pouring = asyncio.ensure_future(self._pour(writer, chunked))
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                self.answer += data
        pouring.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await pouring
        writer.close()

    @staticmethod
    def _length(chunked: bool) -> bytes:
        return b"Transfer-Encoding: chunked\r\n\r\n" if chunked else b"Content-Length: 9999999999\r\n\r\n"

    async def _pour(self, writer: asyncio.StreamWriter, chunked: bool) -> None:
        with contextlib.suppress(ConnectionError):
            for piece in self._pieces():
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                self.sent_bytes += len(piece)
                await writer.drain()

    def _pieces(self) -> Iterator[bytes]:
        return itertools.chain([self._begin] if self._begin else [], itertools.repeat(self._go_on))

    @property
    def status(self) -> int:
        return int(self.answer.split(b" ")[1])


@pytest.mark.parametrize("chunked", [True, False], ids=["chunked", "of a length"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_no_body_is_read_without_end(
    serve: Serve, body: tuple[str, bytes, bytes], chunked: bool
) -> None:
    server = await serve()
    ann = await server.person("ann")

    async def pour(method: str, path: str) -> None:
        stream = Stream(server, method, path, body, str(ann.token) if "messages" in path else "")
        await asyncio.wait_for(stream.run(chunked=chunked), 5 * SLACK)
        assert stream.status in (200, 400, 401, 404, 405, 413, 415), (path, stream.answer)
        assert stream.sent_bytes < 16 * MIB, (
            "what the system takes for a connection, and the server's buffers"
        )
        if (method, path) == PATHS[0]:
            known = body[0].startswith((MULTIPART, "application/x-www", "application/json")) or not body[0]
            assert stream.status == (413 if known and "gzip" not in body[0] else 415)

    await asyncio.gather(*(pour(method, path) for method, path in PATHS))
    assert (await ann.get("/users/me"))["username"] == "ann"


async def test_streams_of_strangers_cost_the_others_nothing(serve: Serve) -> None:
    server = await serve()
    ann = await server.person("ann")
    stop = asyncio.Event()

    async def again(body: tuple[str, bytes, bytes]) -> None:
        while not stop.is_set():
            await Stream(server, "POST", "/api/auth/login", body).run(chunked=True)

    attackers = [asyncio.create_task(again(body)) for body in BODIES.values()]
    delays_s = []
    for _ in range(100):
        started = time.monotonic()
        await ann.get("/users/me")
        delays_s.append(time.monotonic() - started)
        await asyncio.sleep(0.01)
    stop.set()
    await asyncio.gather(*attackers)
    # The attackers run in this process, too, and take most of its time.
    assert statistics.median(delays_s) < 0.5


async def test_calls_of_strangers_are_counted_before_anything_of_them_is_read(serve: Serve) -> None:
    server = await serve(clock=ManualClock(), auth_calls_per_min=10)
    for _ in range(10):
        stream = Stream(server, "POST", "/api/auth/login", BODIES["a preamble"])
        await stream.run(chunked=True)
        assert stream.status == 413
    stream = Stream(server, "POST", "/api/auth/login", BODIES["a preamble"])
    await stream.run(chunked=True)
    assert stream.status == 429
    assert b"retry_after_ms" in stream.answer
    login = await server.stranger().request("POST", "/auth/login", json={"username": "ann", "password": "x"})
    assert_error(login, 429, "rate_limited")


async def half_a_body(server: Server, ann: Person | None = None) -> asyncio.StreamWriter:
    """A request whose body does not come; with Ann's token, or a stranger's."""
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    path = "/api/auth/login" if ann is None else "/api/messages"
    bearer = "" if ann is None else f"Authorization: Bearer {ann.token}\r\n"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{bearer}Content-Length: 50\r\n\r\n"
    writer.write(head.encode())
    return writer


@pytest.mark.parametrize("stranger", [False, True], ids=["user", "stranger"])
async def test_requests_at_once_are_bounded_by_user_and_by_the_address_of_strangers(
    serve: Serve, stranger: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_slots, "WAIT_S", 0.3)
    server = await serve(max_requests_per_user=3, max_requests_per_address=3)
    ann, bob = await server.people("ann", "bob")
    at_work = server.app[REQUESTS]
    writers = [await half_a_body(server, None if stranger else ann) for _ in range(3)]
    await until(lambda: len(at_work) == 3)
    login = {"username": "ann", "password": "correct horse battery"}
    if stranger:
        refused = await server.stranger().request("POST", "/auth/login", json=login)
        assert (await ann.get("/users/me"))["username"] == "ann", "with a token the address does not count"
    else:
        refused = await ann.request("GET", "/users/me")
        assert (await bob.get("/users/me"))["username"] == "bob"
    assert_error(refused, 429, "rate_limited")
    waiting = asyncio.create_task(
        server.stranger().request("POST", "/auth/login", json=login)
        if stranger
        else ann.request("GET", "/users/me")
    )
    await until(lambda: len(at_work) == 4)
    writers[0].close()
    assert (await waiting)[0] == 200, "who waits is served as soon as one is gone"
    for writer in writers:
        writer.close()
    await until(lambda: len(at_work) == 0)


async def test_who_leaves_too_much_unread_gets_no_more_pages(serve: Serve) -> None:
    server = await serve(max_unsent_bytes_per_user=100_000)
    ann, bob = await server.people("ann", "bob")
    unsent = server.app[UNSENT]
    unsent._change(ann.id, 100_001)
    assert_error(await ann.request("GET", "/users/me"), 429, "rate_limited")
    assert (await bob.get("/users/me"))["username"] == "bob"
    await ann.chat()
    unsent._change(ann.id, -1)
    assert (await ann.get("/users/me"))["username"] == "ann"


HEADS = {
    "many headers": b"".join(b"X-%d: %b\r\n" % (number, b"y" * 7900) for number in range(100)),
    "many short headers": b"".join(b"X-%d: y\r\n" % number for number in range(100)),
    "an endless line": b"X: " + b"y" * 8000,
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS.keys())
async def test_the_head_of_a_request_is_bounded_as_a_whole(serve: Serve, head: bytes) -> None:
    server = await serve()
    ann = await server.person("ann")
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /api/users/me HTTP/1.1\r\nHost: x\r\n" + head)
    if len(head) > http_heads.HEAD_BYTES_MAX:
        answer = await asyncio.wait_for(reader.readuntil(b"}}"), 5 * SLACK)
        assert answer.startswith(b"HTTP/1.1 431 ")
        assert b'"code":"too_large"' in answer
    elif head.endswith(b"\n"):
        writer.write(f"Authorization: Bearer {ann.token}\r\nConnection: close\r\n\r\n".encode())
        assert (await asyncio.wait_for(reader.read(), 5 * SLACK)).startswith(b"HTTP/1.1 200 ")
    else:
        writer.write(b"y" * 8000)
        assert (await asyncio.wait_for(reader.read(), 5 * SLACK)).split(b" ")[1] == b"400"
    writer.close()


async def test_a_connection_may_carry_more_than_one_head_altogether(serve: Serve) -> None:
    server = await serve()
    ann = await server.person("ann")
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = "".join(f"X-{number}: {'y' * 4000}\r\n" for number in range(10))
    request = (
        f"GET /api/users/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ann.token}\r\n{head}\r\n".encode()
    )
    for _ in range(5):
        for start in range(0, len(request), 10_000):
            writer.write(request[start : start + 10_000])
            await writer.drain()
        assert (await asyncio.wait_for(reader.readuntil(b"}"), 5 * SLACK)).startswith(b"HTTP/1.1 200 ")
    writer.close()
