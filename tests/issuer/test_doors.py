"""Tokens of an issuer at every door: REST, raw WebSocket, Socket.IO, `refresh_token`, files."""

import asyncio
import json
import time
from dataclasses import replace
from typing import Any

import jwt
import pytest
from structlog.testing import capture_logs

from tests.clients.admins import make_admin
from tests.clients.clock import ManualClock
from tests.clients.files import fetch, upload
from tests.clients.people import Person
from tests.clients.rest import PASSWORD
from tests.clients.shapes import OWN_USER, assert_error, fits
from tests.conftest import SECRET, Serve, Server
from tests.engine.peers import Peer
from tests.issuer.provider import (
    Provider,
    claims_of,
    hmac_signed,
    known_person,
    pem,
    person_of,
    private_key,
    token_of,
)


async def refused(
    person: Person, status: int = 401, code: str = "unauthenticated", close: int = 4401
) -> None:
    """Neither REST nor a socket of either kind lets the token in."""
    assert_error(await person.request("GET", "/users/me"), status, code)
    assert await (await person.open_raw()).closed() == close
    socket = await Peer(person.http, f"{person.url}/socket.io/").direct()
    await socket.send("40" + json.dumps({"token": person.token}))
    refusal = str(await socket.receive())
    assert refusal.startswith("44")
    assert json.loads(refusal[2:])["data"]["close_code"] == close
    await socket.ws.close()


async def admin_of(server: Server) -> Person:
    """A new admin of the server."""
    admin = await server.person("admin")
    await make_admin(server.chat_app, admin.id)
    return admin


@pytest.mark.stores
@pytest.mark.wires
async def test_somebody_who_is_made_at_first_sight_does_all_that_users_do(
    serve: Serve, provider: Provider
) -> None:
    server = await serve(**provider.settings())
    ann = person_of(server, "google|ann", preferred_username="Ann.Lee", name=" Ann Lee ")
    client = await ann.open()
    connected = await client.next()
    assert connected["type"] == "connected"
    assert connected["session_id"] != ann.token
    assert 3590 < connected["token_expires_in"] <= 3600
    me = await ann.get("/users/me")
    assert fits(me, OWN_USER)
    ann.id = me["id"]
    assert (me["id"], me["username"], me["display_name"]) == (connected["user_id"], "Ann.Lee", "Ann Lee")
    assert (me["email"], me["is_admin"], me["is_bot"], me["active"]) == (None, False, False, True)
    bob = await server.person("bob")
    chat_id = await ann.chat(bob)
    await client.done("join_chat", chat_id=chat_id)
    await bob.say(chat_id, "hello @ann.lee")
    message = (await client.next("new_message"))["message"]
    assert message["mentions"] == [ann.id]
    sent = await upload(ann, b"text")
    assert (await fetch(ann, f"/api/uploads/{sent['id']}", token=ann.token))[1] == b"text"
    fresh = token_of("google|ann", exp=int(time.time()) + 7200)
    assert 7100 < (await client.done("refresh_token", token=fresh))["token_expires_in"] <= 7200
    assert await ann.get("/users/me/sessions") == {"sessions": []}


async def test_a_person_is_found_by_issuer_and_subject_alone(serve: Serve, provider: Provider) -> None:
    server = await serve(**provider.settings())
    local = await server.person("ann", email="ann@example.org")
    ann = await known_person(server, "first", preferred_username="ann", email="ann@example.org", name="Ann")
    assert ann.id != local.id
    assert (await ann.get("/users/me"))["username"] == "ann-2"
    again = await known_person(server, "first", preferred_username="other", name="Other")
    assert again.id == ann.id
    me = await again.get("/users/me")
    assert (me["username"], me["display_name"]) == ("ann-2", "Ann"), "names are those of the first sight"
    other = await known_person(server, "second", preferred_username="ann", name="Ann")
    assert other.id not in (ann.id, local.id)
    numeric = await known_person(server, str(local.id))
    assert numeric.id not in (ann.id, local.id, other.id), "a sub is no id of a user here"


async def test_who_comes_in_over_many_connections_at_once_is_made_once(
    serve: Serve, provider: Provider
) -> None:
    server = await serve(**provider.settings(default_chat="Everybody"))
    await admin_of(server)
    await server.chat_app.setup.ensure_default_chat()
    people = [person_of(server, name) for name in ("ann", "ann", "ann", "bob")]
    answers = await asyncio.gather(*(one.get("/users/me") for one in people for _ in range(5)))
    assert len({answer["id"] for answer in answers}) == 2
    chats = (await people[0].get("/chats"))["chats"]
    assert [chat["name"] for chat in chats] == ["Everybody"]


async def test_without_creation_only_those_come_in_who_were_made(serve: Serve, provider: Provider) -> None:
    server = await serve(**provider.settings())
    ann = await known_person(server, "ann")
    server.config = replace(server.config, policy=replace(server.config.policy, jwt_create_users=False))
    await server.restart()
    assert (await ann.get("/users/me"))["id"] == ann.id
    await refused(person_of(server, "bob"))
    await refused(person_of(server, str(ann.id)))


@pytest.mark.parametrize("registration", ["invite", "closed"])
async def test_registration_does_not_concern_them(
    serve: Serve, provider: Provider, registration: str
) -> None:
    server = await serve(**provider.settings(registration=registration))
    await known_person(server, "ann")


async def test_confusions_are_refused_at_every_door(serve: Serve, provider: Provider) -> None:
    server = await serve(**provider.settings())
    ann = await known_person(server, "ann")
    client = await ann.connect()
    public, other = pem(private_key("ES256")), private_key("ES256", "other")
    own = {"sub": str(ann.id), "exp": int(time.time()) + 60}
    tokens = {
        "HS256 under the public key": hmac_signed({"alg": "HS256", "kid": "one"}, claims_of("ann"), public),
        "HS256 under it, of a user id": hmac_signed({"alg": "HS256"}, own, public),
        "ES256 said, HS256 done": hmac_signed({"alg": "ES256", "kid": "one"}, claims_of("ann"), public),
        "ES256 said, HS256 of ours done": hmac_signed({"alg": "ES256", "kid": "one"}, own, SECRET.encode()),
        "the issuer's claims under our secret": jwt.encode(claims_of("ann"), SECRET, "HS256"),
        "none": hmac_signed({"alg": "none", "kid": "one"}, claims_of("ann"), b""),
        "the issuer's key, a user id": token_of(str(ann.id), iss=None, aud=None),
        "another key": token_of("ann", key=other),
        "another key, a user id": token_of(str(ann.id), key=other),
        "expired": token_of("ann", exp=int(time.time())),
    }
    with capture_logs() as lines:
        for token in tokens.values():
            ann.token = token
            await refused(ann)
            error = await client.command("refresh_token", token=token)
            assert error["code"] == "unauthenticated"
    assert [line for line in lines if line["log_level"] in ("error", "critical")] == []
    assert not any(token in str(lines) for token in tokens.values())
    await client.nothing_more()


async def test_tokens_under_the_shared_key_work_beside_them(serve: Serve, provider: Provider) -> None:
    server = await serve(**provider.settings())
    bob = await server.person("bob")
    claims = {"sub": str(bob.id), "exp": int(time.time()) + 60}
    bob.token = jwt.encode(claims, SECRET, "HS256")
    await bob.connect()
    ann = await known_person(server, "ann")
    ann.token = jwt.encode({**claims, "sub": str(ann.id), "iss": "another backend"}, SECRET, "HS256")
    assert (await ann.get("/users/me"))["id"] == ann.id
    assert provider.asked == 1


async def test_a_connection_ends_with_its_token_and_lives_on_with_a_fresh_one(
    serve: Serve, provider: Provider
) -> None:
    clock = ManualClock()
    server = await serve(clock=clock, **provider.settings())
    now = clock.unix_s()
    ann = await known_person(server, "ann", exp=now + 100)
    one, two = await ann.connect(), await ann.connect()
    clock.advance(50)
    await one.next("token_expiring")
    await two.next("token_expiring")
    bob = person_of(server, "bob")
    assert (await one.command("refresh_token", token=bob.token))["code"] == "forbidden"
    await one.done("refresh_token", token=token_of("ann", exp=now + 1000))
    clock.advance(50)
    assert await two.closed() == 4401
    await one.done("ping")
    await refused(ann)


@pytest.mark.stores
async def test_a_ban_and_the_end_are_final_here(serve: Serve, provider: Provider) -> None:
    server = await serve(**provider.settings())
    admin = await admin_of(server)
    ann = await known_person(server, "ann")
    client = await ann.connect()
    await admin.patch(f"/admin/users/{ann.id}", banned=True)
    assert await client.closed() == 4403
    await refused(ann, 403, "forbidden", 4403)
    await admin.patch(f"/admin/users/{ann.id}", banned=False)
    client = await ann.connect()
    await admin.delete(f"/admin/users/{ann.id}")
    assert await client.closed() == 4403
    await server.restart()  # nothing of it is in memory
    await refused(ann, 403, "forbidden", 4403)
    ann.token = token_of("ann", preferred_username="another name")
    await refused(ann, 403, "forbidden", 4403)


async def test_they_have_no_password_here(serve: Serve, provider: Provider) -> None:
    server = await serve(**provider.settings())
    admin = await admin_of(server)
    ann = await known_person(server, "ann")
    for password in ("", PASSWORD):
        body = {"username": "ann", "password": password}
        status, answer = await server.stranger().request("POST", "/auth/login", json=body)
        nobody = await server.stranger().request("POST", "/auth/login", json={**body, "username": "nobody"})
        assert (status, answer) == nobody
        assert_error((status, answer), 401, "unauthenticated")
        change = {"password": PASSWORD, "old_password": password}
        assert_error(await ann.request("PATCH", "/users/me", json=change), 403, "forbidden")
    assert_error(await admin.request("POST", f"/admin/users/{ann.id}/password"), 403, "forbidden")
    assert_error(await ann.request("POST", "/auth/logout"), 403, "forbidden")
    assert (await ann.patch("/users/me", display_name="Anna"))["display_name"] == "Anna"
    ann.token = jwt.encode({"sub": str(ann.id), "exp": int(time.time()) + 60}, SECRET, "HS256")
    assert_error(await ann.request("POST", "/auth/logout"), 403, "forbidden")


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("POST", "/users/me/delete", {"json": {}}),
        ("POST", "/users/me/delete", {"json": {"password": "whatever"}}),
        ("POST", "/users/me/delete", {}),
        ("DELETE", "/users/me", {"json": {}}),
        ("DELETE", "/users/me", {}),
    ],
)
async def test_they_end_their_account_without_a_password(
    serve: Serve, provider: Provider, method: str, path: str, options: Any
) -> None:
    server = await serve(**provider.settings())
    ann = await known_person(server, "ann")
    client = await ann.connect()
    assert await ann.request(method, path, **options) == (204, None)
    assert await client.closed() == 4403
    await refused(ann, 403, "forbidden", 4403)
    bob = await server.person("bob")
    assert_error(await bob.request(method, path, json={}), 422, "invalid", "password")


async def test_they_make_bots_which_end_with_them(serve: Serve, provider: Provider) -> None:
    server = await serve(**provider.settings())
    ann = await known_person(server, "ann")
    made = await ann.post("/bots", username="echo")
    bot = person_of(server, "bot")
    bot.token = made["token"]
    client = await bot.connect()
    assert await ann.request("POST", "/users/me/delete", json={}) == (204, None)
    assert await client.closed() == 4403
