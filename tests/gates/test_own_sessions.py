"""Where a user is logged in: the sessions that work, and the end of one of them."""

import asyncio
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import jwt
import pytest

from handlers.commands.accounts import USER_AGENT_CHARS_MAX
from handlers.commands.sessions import SESSIONS_MAX
from handlers.live.session_use import CONNECTED_NOTED_EVERY, NOTED_EVERY_S
from tests.clients.clock import ManualClock
from tests.clients.people import Person
from tests.clients.rest import PASSWORD
from tests.clients.shapes import a, assert_error, fits, is_time
from tests.conftest import SECRET, Serve, Server
from tests.patience import within

SESSION = {
    "id": a(str),
    "created_at": is_time,
    "last_used_at": is_time,
    "address": a(str),
    "user_agent": a(str),
    "current": a(bool),
}


async def device(server: Server, user_agent: str | bytes, name: str = "ann", **headers: str) -> Person:
    """A login of an existing user from a device that says this of itself."""
    person = Person(server.http, server.url, server.ws_url, name, server.wire)
    server._people.append(person)
    status, answer = await person.request(
        "POST",
        "/auth/login",
        json={"username": name, "password": PASSWORD},
        headers={"User-Agent": user_agent, **headers},
    )
    assert status == 200
    person.token, person.refresh_token = answer["access_token"], answer["refresh_token"]
    person.id = answer["user"]["id"]
    return person


async def sessions(person: Person) -> list[dict[str, Any]]:
    body = await person.get("/users/me/sessions")
    assert body.keys() == {"sessions"}
    assert all(fits(session, SESSION) for session in body["sessions"])
    return list(body["sessions"])


async def end(person: Person, session_id: str) -> Any:
    return await person.request("DELETE", f"/users/me/sessions/{session_id}")


def clock_of(server: Server) -> ManualClock:
    assert isinstance(server.clock, ManualClock)
    return server.clock


@pytest.mark.stores
async def test_each_login_is_a_session_the_newest_first(serve: Serve) -> None:
    server = await serve(clock=ManualClock())
    desk, bob = await server.people("ann", "bob")
    clock_of(server).advance(60)
    phone = await device(server, "Phone/1.0 (Öl)")
    listed = await sessions(phone)
    assert listed[0]["user_agent"] == "Phone/1.0 (Öl)"
    assert [one["current"] for one in listed] == [True, False]
    assert [one["current"] for one in await sessions(desk)] == [False, True]
    assert [one["id"] for one in await sessions(desk)] == [one["id"] for one in listed]
    assert {one["address"] for one in listed} == {"127.0.0.1"}
    assert listed[0]["created_at"] > listed[1]["created_at"]
    assert listed[1]["user_agent"].startswith("Python/")
    assert len(await sessions(bob)) == 1
    await server.restart()
    assert [one["id"] for one in await sessions(desk)] == [one["id"] for one in listed]
    assert (await sessions(desk))[0]["user_agent"] == "Phone/1.0 (Öl)"


@pytest.mark.stores
@pytest.mark.wires
async def test_the_end_of_a_session_is_as_its_logout(server: Server) -> None:
    desk = await server.person("ann")
    phone = await device(server, "Phone")
    desks, phones = await desk.connect(), [await phone.connect(), await phone.connect()]
    phone_id, desk_id = (one["id"] for one in await sessions(desk))
    assert await end(desk, phone_id) == (204, None)
    assert [await client.closed() for client in phones] == [4403, 4403]
    assert_error(await phone.request("GET", "/users/me"), 401, "unauthenticated")
    assert await (await phone.open()).closed() == 4403
    body = {"refresh_token": phone.refresh_token}
    refreshed = await server.stranger().request("POST", "/auth/refresh", json=body)
    assert_error(refreshed, 401, "unauthenticated")
    await desks.nothing_more()
    assert [one["id"] for one in await sessions(desk)] == [desk_id]
    assert_error(await end(desk, phone_id), 404, "not_found")
    assert await end(desk, desk_id) == (204, None), "one's own"
    assert await desks.closed() == 4403
    assert_error(await desk.request("GET", "/users/me/sessions"), 401, "unauthenticated")


@pytest.mark.stores
async def test_nobody_ends_the_session_of_another_or_one_that_is_none(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    client = await ann.connect()
    (session,) = await sessions(ann)
    for session_id in (session["id"], "unknown", "x" * 65, "x" * 4000, "%00", "%2e%2e", "%f0%9f%98%80", "1"):
        assert_error(await end(bob, session_id), 404, "not_found")
    status, _ = await end(bob, "%ed%a0%80")
    assert status in (404, 422), "an unpaired surrogate"
    assert_error(await server.stranger().request("GET", "/users/me/sessions"), 401, "unauthenticated")
    assert_error(
        await server.stranger().request("DELETE", f"/users/me/sessions/{session['id']}"),
        401,
        "unauthenticated",
    )
    await client.nothing_more()
    assert len(await sessions(ann)) == 1


async def test_the_id_of_a_session_opens_nothing(server: Server) -> None:
    ann = await server.person("ann")
    (session,) = await sessions(ann)
    stranger = server.stranger()
    stranger.token = session["id"]
    assert_error(await stranger.request("GET", "/users/me"), 401, "unauthenticated")
    assert await (await server.open(session["id"])).closed() == 4401
    body = {"refresh_token": session["id"]}
    assert_error(await server.stranger().request("POST", "/auth/refresh", json=body), 401, "unauthenticated")


@pytest.mark.stores
async def test_sessions_that_are_over_are_not_listed(serve: Serve) -> None:
    server = await serve(clock=ManualClock())
    first = await server.person("ann")
    clock_of(server).advance(1)
    phone, tablet = await device(server, "Phone"), await device(server, "Tablet")
    await phone.request("POST", "/auth/logout")
    agents = [one["user_agent"] for one in await sessions(first)]
    assert (len(agents), agents[0]) == (2, "Tablet")
    clock_of(server).advance(29 * 24 * 3600)
    body = {"refresh_token": tablet.refresh_token}
    _, pair = await server.stranger().request("POST", "/auth/refresh", json=body)
    clock_of(server).advance(2 * 24 * 3600)
    body = {"refresh_token": pair["refresh_token"]}
    _, pair = await server.stranger().request("POST", "/auth/refresh", json=body)
    tablet.token = pair["access_token"]
    assert [one["user_agent"] for one in await sessions(tablet)] == ["Tablet"], "the first one ran out"


async def test_a_session_whose_access_token_outlives_its_refresh_token_is_listed(serve: Serve) -> None:
    server = await serve(clock=ManualClock(), access_token_ttl_s=3600, refresh_token_ttl_s=60)
    ann = await server.person("ann")
    clock_of(server).advance(3599)
    assert [one["current"] for one in await sessions(ann)] == [True]


async def test_at_most_100_are_listed(serve: Serve) -> None:
    server = await serve(clock=ManualClock(), auth_calls_per_min=0)
    ann = await server.person("ann")
    store, now = server.chat_app.context.store, server.clock.now()
    for number in range(SESSIONS_MAX + 5):
        clock_of(server).advance(1)
        await store.sessions.create(
            session_id=f"s{number}",
            user_id=ann.id,
            token_hash=f"t{number}",
            expires_at=now.replace(year=now.year + 1),
            created_at=server.clock.now(),
        )
    listed = [one["id"] for one in await sessions(ann)]
    assert listed == [f"s{number}" for number in reversed(range(5, SESSIONS_MAX + 5))]


async def test_the_last_use_is_noted_seldom_and_shown_exactly(serve: Serve) -> None:
    server = await serve(clock=ManualClock())
    desk = await server.person("ann")
    phone = await device(server, "Phone")
    clock, store = clock_of(server), server.chat_app.context.store
    written: list[int] = []
    used = store.sessions.used

    async def counted(at: Any) -> None:
        written.append(len(at))
        await used(at)

    store.sessions.used = counted  # type: ignore[method-assign]

    async def last_use(agent: str = "Phone") -> str:
        (found,) = [one["last_used_at"] for one in await sessions(desk) if one["user_agent"] == agent]
        return str(found)

    created = await last_use()
    clock.advance(10)
    await phone.get("/users/me")
    after_10_s = await last_use()
    assert after_10_s > created
    for _ in range(5):
        clock.advance(10)
        await phone.get("/users/me")
    clock.advance(NOTED_EVERY_S)
    async with within(5):
        while not written or server.chat_app.context.session_use._used:
            await asyncio.sleep(0.005)
    assert written == [2]
    noted = await last_use()
    assert noted > after_10_s
    client = await phone.connect()
    clock.advance(100)
    assert await last_use() > noted, "a connection uses it as long as it is open"
    gone_at = await last_use()
    await client.close()
    async with within(5):
        while len(server.chat_app.context.connections):
            await asyncio.sleep(0.005)
    clock.advance(100)
    assert await last_use() == gone_at
    await server.restart()
    assert await last_use() == gone_at, "what was not noted yet is noted by the end"


async def test_the_use_by_a_connection_that_is_open_for_long_is_noted_each_hour(serve: Serve) -> None:
    server = await serve(clock=ManualClock())
    ann = await server.person("ann")
    await ann.connect()
    began = server.clock.now()
    clock_of(server).advance(NOTED_EVERY_S * CONNECTED_NOTED_EVERY)
    await asyncio.sleep(0.05)
    clock_of(server).advance(NOTED_EVERY_S)
    session_id = str(jwt.decode(ann.token, options={"verify_signature": False})["sid"])
    async with within(5):
        while True:
            session = await server.chat_app.context.store.sessions.get(session_id)
            if (
                session is not None
                and session.last_used_at is not None
                and session.last_used_at - began > timedelta(minutes=59)
            ):
                break
            await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("", ""),
        ("  Spaces  ", "Spaces"),
        ("x" * 5000, "x" * USER_AGENT_CHARS_MAX),
        ("Тест 😀", "Тест 😀"),
        ("a\u202egnp.exe\u200b\u2028b", "agnp.exeb"),
        ("tab\tbed", "tabbed"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
async def test_what_a_device_says_of_itself_is_cut_and_cleaned(server: Server, said: str, kept: str) -> None:
    await server.person("ann")
    ann = await device(server, said)
    (session,) = [one for one in await sessions(ann) if one["current"]]
    assert session["user_agent"] == kept


async def test_bytes_that_are_no_text_are_left_out(server: Server) -> None:
    await server.person("ann")
    body = b'{"username":"ann","password":"' + PASSWORD.encode() + b'"}'
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(
        b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
        b"User-Agent: a\xff\xfeb\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    answer = await reader.read()
    writer.close()
    assert b" 200 " in answer.split(b"\r\n")[0]
    ann = await device(server, "Other")
    assert "ab" in [one["user_agent"] for one in await sessions(ann)]


async def test_the_address_is_that_which_trusted_proxies_name(serve: Serve) -> None:
    server = await serve(trusted_proxies=(ip_network("127.0.0.1/32"),))
    await server.person("ann")
    ann = await device(server, "Phone", **{"X-Forwarded-For": "203.0.113.7"})
    assert [one["address"] for one in await sessions(ann) if one["current"]] == ["203.0.113.7"]
    ann = await device(server, "Phone", **{"X-Forwarded-For": "<b>not an address</b>"})
    assert [one["address"] for one in await sessions(ann) if one["current"]] == ["127.0.0.1"]


async def test_a_token_of_another_backend_has_no_session(server: Server) -> None:
    ann = await server.person("ann")
    expires_at = int(server.chat_app.context.clock.now().timestamp()) + 60
    ann.token = jwt.encode({"sub": str(ann.id), "exp": expires_at}, SECRET, "HS256")
    (session,) = await sessions(ann)
    assert session["current"] is False
    assert await end(ann, session["id"]) == (204, None)
    assert await sessions(ann) == []
    assert (await ann.get("/users/me"))["id"] == ann.id


@pytest.mark.stores
async def test_many_ends_at_once_end_each_session_once(server: Server) -> None:
    ann = await server.person("ann")
    others = [await device(server, f"Device {number}") for number in range(4)]
    clients = [await other.connect() for other in others]
    ids = [one["id"] for one in await sessions(ann) if not one["current"]]
    answers = await asyncio.gather(*(end(ann, one) for one in ids for _ in range(3)))
    assert {status for status, _ in answers} <= {204, 404}
    assert [status for status, _ in answers].count(204) >= len(ids)
    assert [await client.closed() for client in clients] == [4403] * 4
    assert [one["current"] for one in await sessions(ann)] == [True]
