"""The key set over HTTP: rotation, outages, and answers that change nothing."""

import asyncio
import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler
from structlog.testing import capture_logs

from handlers.issuer.key_sources import FetchFailed
from handlers.issuer.keys import BadKeys, read_key_set
from server.key_set_fetcher import BYTES_MAX, KeySetFetcher
from tests.clients.clock import ManualClock
from tests.clients.metrics import TOKEN, scrape
from tests.clients.shapes import assert_error
from tests.conftest import Serve
from tests.hooks.certificates import Certificates
from tests.issuer.provider import (
    Provider,
    jwk,
    known_person,
    pem,
    person_of,
    private_key,
    token_of,
)

TWO = private_key("RS256")


def saying(text: bytes = b"", status: int = 200, encoding: str = "identity") -> Handler:
    """Answers so."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=text, status=status, headers={"Content-Encoding": encoding})

    return answer


async def redirecting(request: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": f"{request.url.with_path('/elsewhere')}"})


async def broken(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


DOWN = saying(status=503)
EMPTY = b'{"keys":[]}'

ANSWERS = {
    "500": saying(EMPTY, 500),
    "404": saying(EMPTY, 404),
    "204": saying(status=204),
    "a page": saying(b"<html>maintenance</html>"),
    "nothing": saying(),
    "no set": saying(b'{"error":"down"}'),
    "a list": saying(b"[]"),
    "too large": saying(b'{"keys":[' + b" " * BYTES_MAX + b"]}"),
    "compressed": saying(gzip.compress(EMPTY), encoding="gzip"),
    "a redirect": redirecting,
    "a broken connection": broken,
}  # fmt: skip


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
async def test_an_answer_that_is_no_key_set_changes_nothing(provider: Provider, answer: Any) -> None:
    fetcher = KeySetFetcher(provider.url)
    provider.answer = answer
    with pytest.raises((FetchFailed, BadKeys)):
        read_key_set(await fetcher.fetch())
    await fetcher.close()
    assert provider.paths == {"/jwks.json"}, "no redirect is followed"


async def test_an_answer_that_does_not_come_is_not_waited_for(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.key_set_fetcher.WITHIN_S", 0.05)
    fetcher = KeySetFetcher(provider.url)

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.01)

    provider.open.clear()
    with pytest.raises(FetchFailed, match="no answer within"):
        await fetcher.fetch()
    provider.open.set()
    provider.answer = drip
    with pytest.raises(FetchFailed, match="no answer within"):
        await fetcher.fetch()
    await fetcher.close()


async def test_no_proxy_of_the_environment_is_used(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    fetcher = KeySetFetcher(provider.url)
    assert b'"one"' in await fetcher.fetch()
    await fetcher.close()


async def test_a_failure_does_not_say_the_query_of_the_address() -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"nonsense\r\n\r\n")
        writer.close()

    listener = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/?key=geheim", "http://127.0.0.1:1/?key=geheim"):
        fetcher = KeySetFetcher(url)
        with pytest.raises(FetchFailed) as failed:
            await fetcher.fetch()
        assert str(failed.value)
        assert "geheim" not in str(failed.value)
        await fetcher.close()
    listener.close()


@pytest.mark.parametrize("host", ["8.8.8.8", "[2001:4860:4860::8888]", "[::ffff:8.8.8.8]"])
async def test_plain_http_reaches_no_public_address(host: str) -> None:
    fetcher = KeySetFetcher(f"http://{host}/jwks.json")
    with pytest.raises(FetchFailed, match="https"):
        await fetcher.fetch()
    await fetcher.close()


async def test_https_asks_for_a_certificate_that_is_trusted(provider: Provider, tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    app = web.Application()
    app.router.add_get("/jwks.json", provider.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=certificates.server_context()).start()
    url = f"https://localhost:{runner.addresses[0][1]}/jwks.json"
    trusting, wary = KeySetFetcher(url, ca_file=certificates.ca_file), KeySetFetcher(url)
    assert b'"one"' in await trusting.fetch()
    with pytest.raises(FetchFailed, match="certificate"):
        await wary.fetch()
    await trusting.close()
    await wary.close()
    await runner.cleanup()


async def test_keys_change_while_people_are_here(serve: Serve, provider: Provider) -> None:
    clock = ManualClock()
    server = await serve(clock=clock, **provider.settings())
    ann = await known_person(server, "ann")
    client = await ann.connect()
    provider.keys.append(jwk(TWO, kid="two", use="sig"))
    bob = await known_person(server, "bob")
    bob.token = token_of("bob", key=TWO, algorithm="PS256", kid="two")
    assert (await bob.get("/users/me"))["id"] == bob.id, "a new key counts at once"
    assert provider.asked == 2
    await ann.get("/users/me")
    del provider.keys[0]
    clock.advance(600)
    while server.chat_app.figures().key_fetches["ok"] < 3:
        await asyncio.sleep(0.01)
    assert_error(await ann.request("GET", "/users/me"), 401, "unauthenticated")
    assert await (await ann.open_raw()).closed() == 4401
    assert (await client.command("refresh_token", token=ann.token))["code"] == "unauthenticated"
    await client.done("ping")  # what was let in stays until its token expires
    await bob.connect()


async def test_the_server_starts_and_serves_without_the_issuer(serve: Serve, provider: Provider) -> None:
    clock = ManualClock()
    provider.answer = DOWN
    with capture_logs() as lines:
        server = await serve(clock=clock, metrics_token=TOKEN, **provider.settings())
        local = await server.person("local")
        await local.connect()
        ann = person_of(server, "ann")
        assert_error(await ann.request("GET", "/users/me"), 503, "unavailable")
        assert await (await ann.open_raw()).closed() == 1013
        async with server.http.get(f"{server.url}/health/ready") as answer:
            assert answer.status == 200
        provider.answer = None
        clock.advance(60)
        while server.chat_app.figures().key_fetches["ok"] < 1:
            await asyncio.sleep(0.01)
        await ann.connect()
        provider.answer = DOWN
        clock.advance(600)
        while server.chat_app.figures().key_fetches["failed"] < 3:
            await asyncio.sleep(0.01)
        await ann.connect()
    said = [line["event"] for line in lines if "JWKS_URL" in line["event"]]
    assert [event.split(";")[0] for event in said] == [
        "the key set of JWKS_URL cannot be fetched",
        "the key set of JWKS_URL is known",
        "the key set of JWKS_URL cannot be fetched",
    ]
    figures = await scrape(server.http, server.url)
    assert figures("vestnik_key_set_fetches_total", outcome="failed") == 3
    assert figures("vestnik_key_set_fetches_total", outcome="ok") == 1


async def test_a_flood_of_unknown_kids_costs_one_fetch(serve: Serve, provider: Provider) -> None:
    server = await serve(**provider.settings())
    stranger = private_key("ES256", "stranger")
    people = [person_of(server, "ann") for _ in range(60)]
    for number, person in enumerate(people):
        person.token = token_of("ann", key=stranger, kid=f"made up {number}")
    answers = await asyncio.gather(*(person.request("GET", "/users/me") for person in people))
    assert {status for status, _ in answers} == {401}
    assert provider.asked == 2
    for claims in ({"iss": "https://evil.example.org"}, {"aud": "mail"}, {"exp": 1}):
        people[0].token = token_of("ann", key=stranger, kid="another", **claims)
        await people[0].request("GET", "/users/me")
    assert provider.asked == 2


async def test_a_key_file_takes_any_kid(serve: Serve, provider: Provider, tmp_path: Path) -> None:
    file = tmp_path / "public.pem"
    file.write_bytes(pem(private_key("ES256")))
    settings = provider.settings(jwks_url="", jwt_public_key_file=file)
    server = await serve(**settings)
    ann = await known_person(server, "ann")
    for kid in ("whatever", None, ""):
        ann.token = token_of("ann", kid=kid)
        assert (await ann.get("/users/me"))["id"] == ann.id
    ann.token = token_of("ann", key=TWO, algorithm="RS256")
    assert_error(await ann.request("GET", "/users/me"), 401, "unauthenticated")
    assert provider.asked == 0
    server.config = replace(server.config, jwt_public_key_file=None)
    await server.restart()
    ann.token = token_of("ann")
    assert_error(await ann.request("GET", "/users/me"), 401, "unauthenticated")
