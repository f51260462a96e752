"""The end of an access token: it is announced; then a fresh token renews the connection, or the connection ends."""

import jwt
import pytest

from tests.clients.clock import ManualClock
from tests.clients.people import Person
from tests.clients.shapes import assert_error
from tests.conftest import SECRET, Serve, Server

pytestmark = pytest.mark.wires

DAY_S = 24 * 3600


async def test_the_end_of_a_token_is_announced_and_then_comes(serve: Serve) -> None:
    """At every gate."""
    server = await serve(clock=ManualClock())
    ann = await server.person("ann")
    client = await ann.connect()
    server.clock.advance(DAY_S - 62)
    await client.nothing_more()
    server.clock.advance(2)
    warning = await client.next()
    assert warning.keys() == {"type", "expires_in", "timestamp"}
    assert warning["type"] == "token_expiring"
    assert 59 <= warning["expires_in"] <= 60
    await client.nothing_more()
    server.clock.advance(60)
    assert await client.closed() == 4401
    assert_error(await ann.request("GET", "/users/me"), 401, "unauthenticated")
    assert await (await ann.open()).closed() == 4401


async def test_a_fresh_token_in_band_keeps_the_connection(serve: Serve) -> None:
    server = await serve(clock=ManualClock())
    ann = await server.person("ann")
    client = await ann.connect()
    server.clock.advance(DAY_S - 30)
    assert (await client.next())["type"] == "token_expiring"
    fresh = await ann.post("/auth/refresh", refresh_token=ann.refresh_token)
    ack = await client.done("refresh_token", token=fresh["access_token"])
    assert ack.keys() == {"type", "id", "ok", "token_expires_in"}
    assert ack["token_expires_in"] in (DAY_S - 1, DAY_S)
    server.clock.advance(DAY_S - 62)
    await client.nothing_more()
    server.clock.advance(2)
    assert [frame["type"] for frame in await client.drain()] == ["token_expiring"]
    server.clock.advance(60)
    assert await client.closed() == 4401


async def test_each_token_is_announced_once_however_short_it_lives(serve: Serve) -> None:
    clock = ManualClock()
    server = await serve(clock=clock)
    ann = await server.person("ann")
    now = int(clock.now().timestamp())
    first, second = (
        jwt.encode({"sub": str(ann.id), "exp": now + expires_in_s}, SECRET, "HS256")
        for expires_in_s in (90, 130)
    )
    ann.token = first
    client = await ann.connect()
    clock.advance(40)
    assert (await client.next())["type"] == "token_expiring"
    for token in (first, second, second):
        await client.done("refresh_token", token=token)
    clock.advance(32)
    assert 57 <= (await client.next())["expires_in"] <= 60
    clock.advance(57)
    await client.nothing_more()
    clock.advance(2)
    assert await client.closed() == 4401


async def test_a_token_that_is_refused_changes_nothing(serve: Serve) -> None:
    server = await serve(clock=ManualClock())
    ann, bob = await server.people("ann", "bob")
    client = await ann.connect()
    for token, code in (
        ("garbage", "unauthenticated"),
        (ann.refresh_token, "unauthenticated"),
        (bob.token, "forbidden"),
    ):
        assert (await client.command("refresh_token", token=token))["code"] == code
    await client.nothing_more()
    server.clock.advance(DAY_S)
    assert await client.closed() == 4401


async def test_a_connection_belongs_to_the_session_of_its_latest_token(server: Server) -> None:
    ann = await server.person("ann")
    elsewhere = Person(ann.http, ann.url, ann.ws_url, ann.username)
    await elsewhere.login("ann")
    client = await ann.connect()
    await client.done("refresh_token", token=elsewhere.token)
    await ann.post("/auth/logout")
    await client.nothing_more()
    await elsewhere.post("/auth/logout")
    assert await client.closed() == 4403
