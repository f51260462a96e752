"""Accounts over REST: registration, login and their errors."""

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import bcrypt
import pytest

from handlers.live.passwords import cost_of
from tests.clients.clock import ManualClock
from tests.clients.rest import PASSWORD
from tests.clients.shapes import OWN_USER, TOKENS, assert_error, fits
from tests.conftest import Serve, Server
from tests.engine.peers import until


async def register(server: Server, **body: Any) -> Any:
    return await server.stranger().request("POST", "/auth/register", json=body)


async def login(server: Server, username: str, password: str = PASSWORD, **options: Any) -> Any:
    body = {"username": username, "password": password}
    return await server.stranger().request("POST", "/auth/login", json=body, **options)


async def test_register_answers_201_and_the_user(server: Server) -> None:
    status, user = await register(
        server, username="Ann", password=PASSWORD, email="Ann@example.org", display_name="Анна"
    )
    assert status == 201
    assert fits(user, OWN_USER)
    assert (user["username"], user["email"], user["display_name"]) == ("Ann", "Ann@example.org", "Анна")
    assert (user["status"], user["is_bot"], user["last_seen_at"]) == ("offline", False, None)


async def test_email_and_display_name_are_optional_and_may_be_null(server: Server) -> None:
    status, user = await register(server, username="ann", password=PASSWORD, email=None, display_name=None)
    assert (status, user["email"], user["display_name"]) == (201, None, "ann")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "ab"),
        ("username", "a" * 33),
        ("username", "an n"),
        ("username", "анна"),
        ("username", "ann\n"),
        ("username", "ann@example.org"),
        ("username", 7),
        ("username", None),
        ("password", "1234567"),
        ("password", "п" * 37),
        ("password", 12345678),
        ("password", None),
        ("email", "ann"),
        ("email", "ann@b@c"),
        ("email", f"{'a' * 250}@b.cd"),
        ("email", 7),
        ("display_name", ""),
        ("display_name", "x" * 101),
        ("display_name", 7),
    ],
)
async def test_a_wrong_field_is_invalid_and_named(server: Server, field: str, value: Any) -> None:
    body = {"username": "ann", "password": PASSWORD, field: value}
    assert_error(await register(server, **body), 422, "invalid", field)
    assert (await register(server, username="ann", password=PASSWORD))[0] == 201


@pytest.mark.parametrize("password", ["12345678", "п" * 36, "x" * 72, "пароль!!"])
async def test_a_password_has_8_characters_to_72_bytes(server: Server, password: str) -> None:
    assert (await register(server, username="ann", password=password))[0] == 201
    assert (await login(server, "ann", password))[0] == 200


async def test_what_goes_beyond_72_bytes_does_not_match(server: Server) -> None:
    await register(server, username="ann", password="x" * 72)
    assert_error(await login(server, "ann", "x" * 73), 401, "unauthenticated")


@pytest.mark.stores
@pytest.mark.parametrize(
    ("second", "field"),
    [
        ({"username": "ANN"}, "username"),
        ({"username": "ann"}, "username"),
        ({"username": "bob", "email": "ANN@EXAMPLE.ORG"}, "email"),
        ({"username": "all"}, "username"),  # which mentions all members
        ({"username": "All"}, "username"),
    ],
)
async def test_a_username_and_an_email_are_unique_without_case(
    server: Server, second: dict[str, str], field: str
) -> None:
    await register(server, username="ann", password=PASSWORD, email="ann@example.org")
    assert_error(await register(server, password=PASSWORD, **second), 409, "conflict", field)


async def test_registration_can_be_closed(serve: Serve) -> None:
    server = await serve(registration="closed")
    assert_error(await register(server, username="ann", password=PASSWORD), 403, "forbidden")


@pytest.mark.parametrize("name", ["ann", "ANN", "ann@example.org", "Ann@Example.ORG"])
@pytest.mark.parametrize("how", ["json", "data"])
async def test_login_takes_username_or_email_in_any_case_as_json_or_form(
    server: Server, name: str, how: str
) -> None:
    _, user = await register(server, username="Ann", password=PASSWORD, email="ann@EXAMPLE.org")
    body = {"username": name, "password": PASSWORD, "grant_type": "password"}
    status, answer = await server.stranger().request("POST", "/auth/login", **{how: body})
    assert status == 200
    assert fits(answer, TOKENS)
    assert answer["user"] == user
    assert answer["expires_in"] == 24 * 3600
    assert answer["refresh_token"].count(".") == 0, "a refresh token is no JWT"
    client = server.stranger()
    client.token = answer["access_token"]
    assert await client.get("/users/me") == user


async def test_a_wrong_name_and_a_wrong_password_have_the_same_error(server: Server) -> None:
    await server.person("ann")
    wrong_password, wrong_name = await login(server, "ann", "not the one"), await login(server, "nobody")
    assert_error(wrong_name, 401, "unauthenticated")
    assert wrong_name == wrong_password


@pytest.mark.parametrize("body", [{}, {"username": "ann"}, {"password": PASSWORD}])
async def test_login_needs_both_fields(server: Server, body: dict[str, str]) -> None:
    missing = {"username", "password"} - body.keys()
    assert_error(await server.stranger().request("POST", "/auth/login", json=body), 422, "invalid", *missing)
    assert_error(await server.stranger().request("POST", "/auth/login", data=body), 422, "invalid", *missing)


async def test_failed_logins_are_limited_by_account_and_address(serve: Serve) -> None:
    server = await serve(
        clock=ManualClock(), login_failures_per_min=3, trusted_proxies=(ip_network("127.0.0.0/8"),)
    )
    await server.people("ann", "bob")
    here: dict[str, Any] = {"headers": {"X-Forwarded-For": "192.0.2.1"}}
    there: dict[str, Any] = {"headers": {"X-Forwarded-For": "192.0.2.2"}}
    for _ in range(5):
        assert (await login(server, "ann", **here))[0] == 200, "a login that succeeds does not count"
    for _ in range(3):
        assert (await login(server, "ann", "wrong one", **here))[0] == 401
    assert_error(await login(server, "ANN", **here), 429, "rate_limited")
    assert (await login(server, "ann", **there))[0] == 200, "nobody locks another out"
    assert (await login(server, "bob", **here))[0] == 200
    server.clock.advance(21)
    assert (await login(server, "ann", **here))[0] == 200


async def test_all_auth_calls_of_an_address_are_limited(serve: Serve) -> None:
    server = await serve(clock=ManualClock(), auth_calls_per_min=4)
    ann = await server.person("ann")
    assert_error(
        await ann.request("POST", "/auth/refresh", json={"refresh_token": "x"}), 401, "unauthenticated"
    )
    assert (await login(server, "ann"))[0] == 200
    for path in ("register", "login", "refresh"):
        body = {"username": "bob", "password": PASSWORD, "refresh_token": ann.refresh_token}
        assert_error(await ann.request("POST", f"/auth/{path}", json=body), 429, "rate_limited")
    assert_error(await ann.request("POST", "/auth/logout"), 429, "rate_limited")
    assert (await ann.request("GET", "/users/me"))[0] == 200
    server.clock.advance(15)
    assert (await login(server, "ann"))[0] == 200


async def test_a_429_says_when_to_come_back_in_a_header_too(serve: Serve) -> None:
    server = await serve(clock=ManualClock(), auth_calls_per_min=1)
    wrong = {"username": "ann", "password": "wrong one"}
    await login(server, "ann")
    async with server.http.post(f"{server.url}/api/auth/login", json=wrong) as answer:
        assert answer.status == 429
        assert answer.headers["Retry-After"] == "60"


async def test_a_401_names_the_scheme(server: Server) -> None:
    async with server.http.get(f"{server.url}/api/users/me") as answer:
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.stores("sqlite")
async def test_of_an_ipv6_address_the_network_is_limited(serve: Serve) -> None:
    server = await serve(
        clock=ManualClock(), login_failures_per_min=2, trusted_proxies=(ip_network("127.0.0.0/8"),)
    )
    await server.person("ann")

    async def status(address: str) -> int:
        answer = await login(server, "ann", "wrong one", headers={"X-Forwarded-For": address})
        return int(answer[0])

    addresses = ("2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::3", "2001:db8:0:1::1")
    assert [await status(address) for address in addresses] == [401, 401, 429, 401]


@pytest.mark.stores("sqlite")
async def test_failed_logins_with_huge_names_do_not_fill_the_memory(serve: Serve) -> None:
    server = await serve(clock=ManualClock())
    for number in range(20):
        assert (await login(server, f"{number}" + "x" * 100_000))[0] == 401
    kept: Any = server.chat_app.context.limiter
    assert sum(len(str(key)) for key in kept._buckets) < 20_000


@pytest.mark.stores("sqlite")
async def test_a_flood_of_logins_from_one_address_holds_up_no_other(serve: Serve) -> None:
    server = await serve(bcrypt_cost=7, trusted_proxies=(ip_network("127.0.0.0/8"),))
    await server.person("ann")
    answered: list[str] = []

    async def log_in(name: str, address: str) -> None:
        await login(server, name, headers={"X-Forwarded-For": address})
        answered.append(address)

    flood = [asyncio.ensure_future(log_in(f"nobody-{number}", "192.0.2.1")) for number in range(100)]
    while not answered:
        await asyncio.sleep(0)
    await log_in("ann", "192.0.2.2")
    assert len(answered) < 50
    await asyncio.gather(*flood)


async def test_after_a_change_of_the_cost_names_cannot_be_probed_and_a_login_renews_its_hash(
    serve: Serve,
) -> None:
    server = await serve(bcrypt_cost=6)
    ann, _ = await server.people("ann", "bob")
    users = server.chat_app.context.store.users

    async def costs() -> list[int | None]:
        found = [await users.find(name) for name in ("ann", "bob")]
        return [cost_of(user.password_hash) if user else None for user in found]

    assert await costs() == [6, 6]
    server.config = replace(server.config, bcrypt_cost=4)
    await server.restart()
    users = server.chat_app.context.store.users
    assert server.chat_app.context.passwords.highest_cost == 6
    client = await ann.connect()
    assert (await login(server, "bob", "wrong"))[0] == 401
    assert await costs() == [6, 6]
    answers = await asyncio.gather(*(login(server, "ann") for _ in range(5)))
    assert [status for status, _ in answers] == [200] * 5
    assert await costs() == [4, 6]
    assert (await login(server, "ann"))[0] == 200
    assert (await login(server, "ann", "wrong"))[0] == 401
    await client.nothing_more()
    assert (await ann.get("/users/me"))["id"] == ann.id, "no session ends by that"


@pytest.mark.stores("sqlite")
@pytest.mark.parametrize("call", ["login", "register"])
async def test_for_clients_that_have_gone_nothing_is_hashed(
    serve: Serve, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await serve(auth_calls_per_min=0, login_failures_per_min=0)
    ann = await server.person("ann")
    passwords = server.chat_app.context.passwords
    asked = 0
    of = passwords._turns.of

    def counting(key: str, **options: Any) -> Any:
        nonlocal asked
        asked += 1
        return of(key, **options)

    monkeypatch.setattr(passwords._turns, "of", counting)
    hashed = 0

    class Counting:
        gensalt = staticmethod(bcrypt.gensalt)

        @staticmethod
        def hashpw(password: bytes, salt: bytes) -> bytes:
            nonlocal hashed
            hashed += 1
            return bcrypt.hashpw(password, salt)

        checkpw = hashpw

    async with AsyncExitStack() as stack:
        for _ in range(passwords._turns._free):  # nobody gets a turn for now
            await stack.enter_async_context(of("test"))
        monkeypatch.setattr("handlers.live.passwords.bcrypt", Counting)
        writers = []
        for number in range(40):
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            body = json.dumps({"username": f"user{number}", "password": PASSWORD})
            head = f"POST /api/auth/{call} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            writers.append(writer)
        await until(lambda: asked == 40)
        for writer in writers:
            writer.transport.abort()
        runner: Any = server._runner
        await until(lambda: sum(one.transport is not None for one in runner.server.connections) <= 5)
    await until(lambda: passwords._turns._count == 0)
    assert hashed == 0
    assert (await ann.get("/users"))["users"][-1]["id"] == ann.id
