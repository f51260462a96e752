"""Sessions: refresh tokens and their reuse, logging out, changing the password."""

import asyncio
import sqlite3
from dataclasses import replace
from typing import Any

import jwt
import pytest

from handlers.commands import sessions
from handlers.live.session_sweep import AGAIN_AFTER_S
from tests.clients.clock import ManualClock
from tests.clients.people import Person
from tests.clients.rest import PASSWORD, RestClient
from tests.clients.shapes import OWN_USER, TOKENS, assert_error, fits
from tests.conftest import Serve, Server


async def refresh(server: Server, token: str | None) -> Any:
    return await server.stranger().request("POST", "/auth/refresh", json={"refresh_token": token})


async def second_login(server: Server, person: Person) -> Person:
    """The same user on another device."""
    other = Person(person.http, person.url, person.ws_url, person.username, person.wire)
    other.id, other.clients = person.id, person.clients
    await other.login(person.username)
    return other


async def assert_ended(client: RestClient) -> None:
    assert_error(await client.request("GET", "/users/me"), 401, "unauthenticated")


async def test_a_refresh_gives_a_new_pair_that_works(server: Server) -> None:
    ann = await server.person("ann")
    status, pair = await refresh(server, ann.refresh_token)
    assert status == 200
    assert fits(pair, TOKENS)
    assert pair["refresh_token"] != ann.refresh_token
    ann.token = pair["access_token"]
    assert (await ann.get("/users/me"))["id"] == ann.id
    assert (await refresh(server, pair["refresh_token"]))[0] == 200


async def test_the_old_refresh_token_serves_again_within_30_s(serve: Serve) -> None:
    server = await serve(clock=ManualClock())
    ann = await server.person("ann")
    _, first = await refresh(server, ann.refresh_token)
    server.clock.advance(29)
    status, second = await refresh(server, ann.refresh_token)
    assert (status, fits(second, TOKENS)) == (200, True)
    assert second["refresh_token"] != first["refresh_token"]
    for pair in (first, second):
        assert (await refresh(server, pair["refresh_token"]))[0] == 200


@pytest.mark.stores
@pytest.mark.wires
async def test_a_later_reuse_ends_the_whole_family_and_its_connections(serve: Serve) -> None:
    server = await serve(clock=ManualClock())
    ann = await server.person("ann")
    elsewhere = await second_login(server, ann)
    phone, desk = await ann.connect(), await elsewhere.connect()
    _, pair = await refresh(server, ann.refresh_token)
    server.clock.advance(31)
    assert_error(await refresh(server, ann.refresh_token), 401, "unauthenticated")
    assert await phone.closed() == 4403
    assert_error(await refresh(server, pair["refresh_token"]), 401, "unauthenticated")
    await assert_ended(ann)
    ann.token = pair["access_token"]
    await assert_ended(ann)
    await desk.nothing_more()
    assert (await elsewhere.get("/users/me"))["id"] == ann.id


@pytest.mark.parametrize("token", ["", "nonsense", "x" * 5000])
async def test_a_bad_refresh_token_is_unauthenticated(server: Server, token: str) -> None:
    assert_error(await refresh(server, token), 401, "unauthenticated")


@pytest.mark.parametrize("token", [None, 7, ["x"]])
async def test_a_refresh_token_that_is_none_is_invalid(server: Server, token: Any) -> None:
    assert_error(await refresh(server, token), 422, "invalid", "refresh_token")


async def test_an_access_token_is_no_refresh_token_and_the_other_way_round(server: Server) -> None:
    ann = await server.person("ann")
    assert_error(await refresh(server, ann.token), 401, "unauthenticated")
    ann.token = ann.refresh_token
    await assert_ended(ann)


async def test_a_refresh_token_lives_30_days(serve: Serve) -> None:
    server = await serve(clock=ManualClock())
    ann = await server.person("ann")
    server.clock.advance(29 * 24 * 3600)
    _, pair = await refresh(server, ann.refresh_token)
    server.clock.advance(30 * 24 * 3600)
    assert_error(await refresh(server, pair["refresh_token"]), 401, "unauthenticated")


@pytest.mark.stores
async def test_four_refreshes_at_once_all_get_a_pair_and_a_fifth_ends_the_family(server: Server) -> None:
    ann = await server.person("ann")
    client = await ann.connect()
    answers = await asyncio.gather(*(refresh(server, ann.refresh_token) for _ in range(4)))
    assert [status for status, _ in answers] == [200] * 4
    pairs = [pair["refresh_token"] for _, pair in answers]
    assert len(set(pairs)) == 4
    _, after = await refresh(server, pairs[0])
    assert_error(await refresh(server, ann.refresh_token), 401, "unauthenticated")
    assert await client.closed() == 4403
    for token in (after["refresh_token"], *pairs):
        assert_error(await refresh(server, token), 401, "unauthenticated")
    await assert_ended(ann)


async def sweep(server: Server) -> None:
    """Turns the clock until the sweep has checked all sessions once."""
    server.clock.advance(AGAIN_AFTER_S)
    await asyncio.wait((server.chat_app._sweep._step,))  # type: ignore[type-var]


def sid_of(token: str) -> str:
    return str(jwt.decode(token, options={"verify_signature": False})["sid"])


@pytest.mark.stores
async def test_sessions_that_are_over_are_removed_some_time_later(serve: Serve) -> None:
    server = await serve(clock=ManualClock())
    ann, bob, carl = await server.people("ann", "bob", "carl")
    sessions = server.chat_app.context.store.sessions
    await bob.request("POST", "/auth/logout")
    for hour in range(24):
        await sweep(server)
        assert await sessions.get(sid_of(bob.token)), hour
        await assert_ended(bob)
    await sweep(server)
    assert await sessions.get(sid_of(bob.token)) is None
    _, pair = await refresh(server, carl.refresh_token)
    server.clock.advance(30 * 24 * 3600 - 1)
    _, pair = await refresh(server, pair["refresh_token"])
    server.clock.advance(24 * 3600)
    await sweep(server)
    assert await sessions.get(sid_of(ann.token)) is None
    assert_error(await refresh(server, ann.refresh_token), 401, "unauthenticated")
    assert (await refresh(server, pair["refresh_token"]))[0] == 200


@pytest.mark.stores
async def test_a_token_of_ours_is_nothing_without_its_session(serve: Serve) -> None:
    """Not even when the lifetime of tokens was shortened and the session was removed before the token expired."""
    server = await serve(clock=ManualClock(), access_token_ttl_s=90 * 24 * 3600)
    ann = await server.person("ann")
    assert (
        jwt.decode(ann.token, options={"verify_signature": False})["iss"] == server.chat_app.context.store.id
    )
    await ann.request("POST", "/auth/logout")
    server.config = replace(
        server.config, policy=replace(server.config.policy, access_token_ttl_s=60, refresh_token_ttl_s=60)
    )
    await server.restart()
    for _ in range(3):
        await sweep(server)
    assert await server.chat_app.context.store.sessions.get(sid_of(ann.token)) is None
    await assert_ended(ann)
    assert await (await ann.open()).closed() in (4401, 4403)


async def test_a_token_of_the_store_before_a_restore_is_none_of_another_backend(server: Server) -> None:
    """The restored store has another id, and no sessions."""
    ann, bob = await server.people("ann", "bob")
    await bob.request("POST", "/auth/logout")
    await server.stop()
    with sqlite3.connect(server.config.data_dir / "vestnik.db") as db:
        db.execute("DELETE FROM sessions")
        assert db.execute("UPDATE meta SET value = ? WHERE key = 'store_id'", ("0" * 32,)).rowcount == 1
    db.close()
    await server.start()
    for person in (ann, bob):
        await assert_ended(person)
        assert await (await person.open()).closed() == 4401


@pytest.mark.stores
@pytest.mark.wires
async def test_logout_ends_this_session_with_its_connections_and_no_other(server: Server) -> None:
    ann = await server.person("ann")
    elsewhere = await second_login(server, ann)
    phone, tablet, desk = await ann.connect(), await ann.connect(), await elsewhere.connect()
    assert await ann.request("POST", "/auth/logout") == (204, None)
    assert (await phone.closed(), await tablet.closed()) == (4403, 4403)
    await assert_ended(ann)
    assert_error(await refresh(server, ann.refresh_token), 401, "unauthenticated")
    assert await (await ann.open()).closed() == 4403
    await desk.nothing_more()
    assert (await refresh(server, elsewhere.refresh_token))[0] == 200


@pytest.mark.stores
async def test_of_too_many_sessions_the_one_ends_that_was_not_used_for_the_longest_time(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "SESSIONS_KEPT", 3)
    server = await serve(clock=ManualClock())
    ann = await server.person("ann")
    client = await ann.connect()
    logins = [ann]
    for _ in range(2):
        server.clock.advance(10)
        logins.append(await second_login(server, ann))
    server.clock.advance(10)
    await ann.get("/users/me")
    server.clock.advance(10)
    logins.append(await second_login(server, ann))
    await assert_ended(logins.pop(1))
    for login in logins:
        await login.get("/users/me")
    await client.done("ping")
    logins.append(await second_login(server, ann))
    await assert_ended(logins.pop(0))
    assert await client.closed() == 4403
    assert len((await logins[0].get("/users/me/sessions"))["sessions"]) == 3


async def test_a_session_stays_ended_after_a_restart(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    await ann.request("POST", "/auth/logout")
    await server.restart()
    await assert_ended(ann)
    assert (await bob.get("/users/me"))["id"] == bob.id


@pytest.mark.stores
@pytest.mark.wires
async def test_a_new_password_ends_every_other_session(server: Server) -> None:
    ann = await server.person("ann")
    elsewhere = await second_login(server, ann)
    here, there = await ann.connect(), await elsewhere.connect()
    user = await ann.patch("/users/me", password="another password", old_password=PASSWORD)
    assert fits(user, OWN_USER)
    assert await there.closed() == 4403
    await assert_ended(elsewhere)
    assert_error(await refresh(server, elsewhere.refresh_token), 401, "unauthenticated")
    await here.nothing_more()
    assert (await refresh(server, ann.refresh_token))[0] == 200
    login = {"username": "ann", "password": PASSWORD}
    assert_error(await ann.request("POST", "/auth/login", json=login), 401, "unauthenticated")
    await ann.login("ann", "another password")


@pytest.mark.parametrize(
    ("body", "status", "code", "fields"),
    [
        ({"password": "another password"}, 422, "invalid", ["old_password"]),
        ({"password": "another password", "old_password": "wrong one"}, 403, "forbidden", []),
        ({"password": "short", "old_password": PASSWORD}, 422, "invalid", ["password"]),
        (
            {"password": "short", "display_name": " "},
            422,
            "invalid",
            ["password", "old_password", "display_name"],
        ),
        (
            {"password": "short", "display_name": " ", "presence": "gone"},
            422,
            "invalid",
            ["password", "old_password", "display_name", "presence"],
        ),
        ({"password": 7, "display_name": " "}, 422, "invalid", ["password", "display_name"]),
        ({"password": "п" * 37, "old_password": PASSWORD}, 422, "invalid", ["password"]),
    ],
)
async def test_a_password_change_that_fails_changes_nothing(
    server: Server, body: dict[str, str], status: int, code: str, fields: list[str]
) -> None:
    ann = await server.person("ann")
    elsewhere = await second_login(server, ann)
    answer = await ann.request("PATCH", "/users/me", json={"display_name": "Other", **body})
    assert_error(answer, status, code, *fields)
    assert (await elsewhere.get("/users/me"))["display_name"] == "ann"
    await ann.login("ann")


@pytest.mark.stores
@pytest.mark.parametrize("how", ["password", "ban"])
async def test_a_login_that_is_overtaken_by_a_new_password_or_a_ban_opens_nothing(
    server: Server, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await server.person("ann")
    context = server.chat_app.context
    match = context.passwords.match

    async def overtaken(password: str, password_hash: str | None, **options: Any) -> bool:
        right = await match(password, password_hash, **options)
        monkeypatch.undo()
        if how == "password":
            await ann.patch("/users/me", password="another password", old_password=PASSWORD)
        else:
            await context.store.users.set_banned(ann.id, True)
        return right

    monkeypatch.setattr(type(context.passwords), "match", staticmethod(overtaken))
    late = server.stranger()
    body = {"username": "ann", "password": PASSWORD}
    assert_error(await late.request("POST", "/auth/login", json=body), 401, "unauthenticated")
    if how == "ban":
        await context.store.users.set_banned(ann.id, False)
        await ann.login("ann")
    assert (await ann.get("/users/me"))["id"] == ann.id
