"""Requests to receivers: what is sent, what counts as an answer, and that no private address is ever connected to."""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import server.hooks.poster as poster_module
from handlers.hooks.posting import BODY_BYTES_MAX, Posted
from server.hooks.poster import Poster
from server.hooks.resolver import AddressRefused, Resolver
from tests.hooks.certificates import Certificates
from tests.hooks.receiver import Answer, Receiver, receiving
from tests.patience import SLACK

HEADERS = {"Content-Type": "application/json", "X-Vestnik-Delivery": "1-2"}


@asynccontextmanager
async def posting(**options: Any) -> AsyncIterator[Poster]:
    poster = Poster(**{"private": True, "within_s": 0.5, **options})
    try:
        yield poster
    finally:
        await poster.close()


async def posted(url: str, *, read: bool = True, **options: Any) -> Posted:
    async with posting(**options) as poster:
        return await poster.post(url, HEADERS, b'{"type":"x"}', read=read)


# What is sent and what comes back.


async def test_a_request_has_the_body_and_the_headers(receiver: Receiver) -> None:
    receiver.answers(Answer(body=b'{"text": "hi"}', headers=[("Retry-After", "7")]))
    assert await posted(receiver.url + "?a=1") == Posted(200, retry_after="7", body=b'{"text": "hi"}')
    (request,) = receiver.requests
    assert request.line == "POST /hook?a=1 HTTP/1.1"
    assert request.body == b'{"type":"x"}'
    assert request.headers["x-vestnik-delivery"] == "1-2"
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert "cookie" not in request.headers


async def test_connections_are_kept_and_cookies_are_not(receiver: Receiver) -> None:
    receiver.answers(Answer(headers=[("Set-Cookie", "a=b")]))
    async with posting() as poster:
        for _ in range(3):
            assert (await poster.post(receiver.url, HEADERS, b"{}", read=False)).status == 200
    assert receiver.connections == 1
    assert all("cookie" not in request.headers for request in receiver.requests)


async def test_idle_connections_are_few(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poster_module, "KEPT_MAX", 1)
    async with receiving() as other, posting() as poster:
        for _ in range(3):
            for each in (receiver, other):
                assert (await poster.post(each.url, HEADERS, b"{}", read=True)).status == 200
        assert (receiver.connections, other.connections) == (1, 3)


@pytest.mark.parametrize("status", [204, 301, 302, 303, 307, 308, 401, 407, 410, 429, 500, 503])
async def test_every_status_is_reported_and_no_redirect_followed(receiver: Receiver, status: int) -> None:
    receiver.answers(Answer(status, headers=[("Location", receiver.url + "/elsewhere")]))
    assert (await posted(receiver.url)).status == status
    assert len(receiver.requests) == 1


async def test_no_proxy_of_the_environment_is_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert (await posted(receiver.url)).status == 200


async def test_a_long_body_is_not_read(receiver: Receiver) -> None:
    receiver.answers(Answer(body=b"x" * BODY_BYTES_MAX), Answer(body=b"x" * (BODY_BYTES_MAX + 1)))
    first, second = await posted(receiver.url), await posted(receiver.url)
    assert first.body is not None
    assert len(first.body) == BODY_BYTES_MAX
    assert (second.status, second.body) == (200, None)


async def test_a_body_without_an_end_is_cut(receiver: Receiver) -> None:
    receiver.answers(Answer(body=b"x" * 10_000_000, headers=[("Content-Length", str(10**12))]))
    began = time.monotonic()
    assert await posted(receiver.url, within_s=5) == Posted(200)
    assert time.monotonic() - began < 4 * SLACK


async def test_a_compressed_body_stays_as_it_is(receiver: Receiver) -> None:
    """A few KiB may become as many MiB."""
    receiver.answers(Answer(body=b"\x1f\x8bxyz", headers=[("Content-Encoding", "gzip")]))
    assert (await posted(receiver.url)).body == b"\x1f\x8bxyz"


async def test_nobody_wants_the_body(receiver: Receiver) -> None:
    receiver.answers(Answer(body=b"x" * 1000))
    assert await posted(receiver.url, read=False) == Posted(200)


# Receivers that hang, drip, lie and are gone.


async def test_a_receiver_that_hangs_has_its_time(receiver: Receiver) -> None:
    receiver.answers(Answer(hang=True))
    began = time.monotonic()
    assert await posted(receiver.url) == Posted(failure="timeout")
    assert 0.4 < time.monotonic() - began < 2 * SLACK


async def test_headers_that_drip_are_no_answer() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while not writer.is_closing():
            writer.write(b"X-A: b\r\n")
            await asyncio.sleep(0.02)

    async with listening(drip) as port:
        assert await posted(f"http://127.0.0.1:{port}/") == Posted(failure="timeout")


async def test_informational_answers_without_end_are_no_answer() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            await asyncio.sleep(0.02)

    async with listening(drip) as port:
        assert await posted(f"http://127.0.0.1:{port}/") == Posted(failure="timeout")


async def test_a_body_that_drips_counts_without_it(receiver: Receiver) -> None:
    receiver.answers(Answer(body=b'{"text": "slowly slowly slowly"}', drip_s=0.05))
    began = time.monotonic()
    assert await posted(receiver.url) == Posted(200)
    assert time.monotonic() - began < 2 * SLACK


async def test_a_connection_that_breaks_may_have_brought_the_request(receiver: Receiver) -> None:
    receiver.answers(Answer(cut=True))
    assert await posted(receiver.url) == Posted(failure="broken")


async def test_nobody_listens(receiver: Receiver) -> None:
    await receiver.stop()
    assert await posted(receiver.url) == Posted(failure="connection", sent=False)


@pytest.mark.parametrize(
    "junk",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A" * 100_000,
        b"\x00" * 1000,
    ],
)
async def test_what_is_no_http_is_no_answer(junk: bytes) -> None:
    async def lie(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(junk)
        await asyncio.sleep(0.1)
        writer.close()

    async with listening(lie) as port:
        assert (await posted(f"http://127.0.0.1:{port}/")).status is None


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


@asynccontextmanager
async def listening(talk: Talk, **options: Any) -> AsyncIterator[int]:
    async def until_gone(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except OSError:
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(until_gone, "127.0.0.1", 0, **options)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


# Private addresses.

HOSTILE = (
    "https://127.0.0.1:{port}/",
    "https://127.0.0.1.:{port}/",
    "https://127.1:{port}/",
    "https://2130706433:{port}/",
    "https://017700000001:{port}/",
    "https://0177.0.0.1:{port}/",
    "https://0x7f000001:{port}/",
    "https://0x7f.0.0.1:{port}/",
    "https://0x7f.1:{port}/",
    "https://0:{port}/",
    "https://0.0.0.0:{port}/",
    "https://[::1]:{port}/",
    "https://[::]:{port}/",
    "https://[::ffff:127.0.0.1]:{port}/",
    "https://[::ffff:7f00:1]:{port}/",
    "https://[::127.0.0.1]:{port}/",
    "https://[64:ff9b::127.0.0.1]:{port}/",
    "https://[64:ff9b:1::1]:{port}/",
    "https://[2002:7f00:1::]:{port}/",
    "https://[2001:0:7f00:1::]:{port}/",
    "https://[fe80::1]:{port}/",
    "https://[fe80::1%25lo]:{port}/",
    "https://localhost:{port}/",
    "https://LOCALHOST:{port}/",
    "https://localhost.:{port}/",
    "https://LocalHost..:{port}/",
    "https://ip6-localhost:{port}/",
    "https://localhost.localdomain:{port}/",
    "https://a.localhost:{port}/",
    "https://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3:{port}/",
    "https://\uff11\uff12\uff17.\uff10.\uff10.\uff11:{port}/",
    "https://127\u30020\u30020\u30021:{port}/",
    "https://example.org@127.0.0.1:{port}/",
    "https://example.org:443@127.0.0.1:{port}/",
    "https://user:word@localhost:{port}/",
    "https://127.0.0.1:{port}@localhost:{port}/",
    "https://example.org\\@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}\\@example.org/",
    "https://127.0.0.1:{port}#@example.org/",
    "https://127.0.0.1:{port}?@example.org/",
    "https:127.0.0.1:{port}/",
    "https:///127.0.0.1:{port}/",
    "https:\\\\127.0.0.1:{port}\\",
    "//127.0.0.1:{port}/",
    " https://127.0.0.1:{port}/",
    "https://127.0.0.1\t:{port}/",
    "https://127.0.0.1:{port}\n/",
    "https://[::1:{port}/",
    "https://[]:{port}/",
    "https://:{port}/",
    "https://",
    "https://127.0.0.1:99999/",
    "https://127.0.0.1:-1/",
    "https://127.0.0.1:0/",
    "https://127.0.0.1:{port}1111/",
    "HTTPS://127.0.0.1:{port}/",
    "http://127.0.0.1:{port}/",
    "http://example.org:{port}/",
    "ws://127.0.0.1:{port}/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_x",
    "ftp://127.0.0.1:{port}/",
    "data:,x",
    "",
    "x" * 5000,
)


class Watched:
    """A listener on all addresses of this machine that counts who comes, over TLS or not."""

    def __init__(self) -> None:
        self.came = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.came += 1


@pytest.mark.parametrize("url", HOSTILE)
async def test_no_private_target_is_connected_to(url: str) -> None:
    watched = Watched()
    async with listening(watched.talk) as port:
        answer = await posted(url.format(port=port), private=False, within_s=2)
    await asyncio.sleep(0)
    assert watched.came == 0
    assert answer.failure in ("refused", "name"), answer
    assert not answer.sent


NAMED = ("10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "fd00::1", "::ffff:10.0.0.1", "fe80::1")


def addresses(*texts: str) -> Callable[[str, int], Sequence[Any]]:
    def look_up(host: str, port: int) -> Sequence[Any]:
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (text, port, 0, 0))
            if ":" in text
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, port))
            for text in texts
        ]

    return look_up


@pytest.mark.parametrize("private", NAMED)
async def test_a_name_of_a_private_address_is_refused(private: str) -> None:
    for texts in ([private], ["8.8.8.8", private], [private, "8.8.8.8"], ["2606:4700::1", private]):
        resolver = Resolver(private=False, look_up=addresses(*texts))
        with pytest.raises(AddressRefused):
            await resolver.resolve("evil.example", 443)
        answer = await posted("https://evil.example/", private=False, resolver=resolver)
        assert answer == Posted(failure="refused", sent=False)


async def test_a_name_that_turns_private_after_the_check_is_refused() -> None:
    """The address is looked up once, and that one is connected to; the next connection looks up again."""
    watched, looked = Watched(), []

    def look_up(host: str, port: int) -> Sequence[Any]:
        looked.append(host)
        return addresses("203.0.114.1" if len(looked) == 1 else "127.0.0.1")(host, port)

    async with listening(watched.talk) as port:
        async with posting(private=False, resolver=Resolver(private=False, look_up=look_up)) as poster:
            first = await poster.post(f"https://evil.example:{port}/", HEADERS, b"{}", read=False)
            assert len(looked) == 1
            assert first.failure in ("connection", "timeout")
        async with posting(private=False, resolver=Resolver(private=False, look_up=look_up)) as poster:
            again = await poster.post(f"https://evil.example:{port}/", HEADERS, b"{}", read=False)
        assert again.failure == "refused"
    assert watched.came == 0


async def test_what_a_resolver_lets_through_is_checked_at_the_connection() -> None:
    """A resolver that does not check, as one that was deceived."""
    watched = Watched()
    async with listening(watched.talk) as port:
        resolver = Resolver(private=True, look_up=addresses("127.0.0.1"))
        answer = await posted(f"https://evil.example:{port}/", private=False, resolver=resolver)
    assert answer == Posted(failure="refused", sent=False)
    assert watched.came == 0


async def test_a_name_that_is_unknown_or_never_found() -> None:
    def unknown(host: str, port: int) -> Sequence[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    def slow(host: str, port: int) -> Sequence[Any]:
        time.sleep(1.0)
        return ()

    for look_up, failure in ((unknown, "name"), (addresses(), "name"), (slow, "timeout")):
        resolver = Resolver(private=False, look_up=look_up)
        answer = await posted("https://nowhere.example/", private=False, resolver=resolver, within_s=0.2)
        assert answer.failure == failure


async def test_lookups_that_hang_are_bounded() -> None:
    resolver = Resolver(private=False, look_up=lambda host, port: time.sleep(0.3) or ())  # type: ignore[func-returns-value]
    results = await asyncio.gather(
        *(resolver.resolve(f"{number}.example", 443) for number in range(300)), return_exceptions=True
    )
    assert sum("too many" in str(result) for result in results) == 300 - 256


# TLS.


async def test_a_certificate_is_verified(tmp_path: Path) -> None:
    made = Certificates(tmp_path)
    seen = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 Word\r\nConnection: close\r\n\r\n")
        await writer.drain()

    async with listening(talk, ssl=made.server_context()) as port:
        good = await posted(f"https://localhost:{port}/", ca_file=made.ca_file, within_s=5)
        assert good.status == 204
        for url, ca_file in (
            (f"https://localhost:{port}/", None),  # the system does not know the authority
            (f"https://127.0.0.1:{port}/", made.ca_file),  # another name
        ):
            answer = await posted(url, within_s=5, ca_file=ca_file)
            assert answer == Posted(failure="tls", sent=False), url
    assert len(seen) == 1


async def test_a_target_that_speaks_no_tls() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with listening(talk) as port:
        assert await posted(f"https://localhost:{port}/", within_s=5) == Posted(failure="tls", sent=False)


async def test_old_tls_is_refused(tmp_path: Path) -> None:
    made = Certificates(tmp_path)
    context = made.server_context()
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLS"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with listening(lambda reader, writer: asyncio.sleep(0), ssl=context) as port:
        answer = await posted(f"https://localhost:{port}/", ca_file=made.ca_file, within_s=5)
    assert answer.failure in ("tls", "connection")
