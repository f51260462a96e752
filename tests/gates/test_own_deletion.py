"""The end of one's own account: as the operator's deletion, with the password."""

import asyncio
import time
from typing import Any

import jwt
import pytest

from domain.acts import AccountUpdate
from handlers import moderation
from tests.clients.clock import ManualClock
from tests.clients.people import Person
from tests.clients.rest import PASSWORD
from tests.clients.shapes import assert_error
from tests.conftest import SECRET, Serve, Server
from tests.patience import within

WAYS = [("POST", "/users/me/delete"), ("DELETE", "/users/me")]


async def delete(person: Any, body: Any, way: tuple[str, str] = WAYS[0]) -> Any:
    return await person.request(*way, json=body)


@pytest.mark.stores
@pytest.mark.wires
@pytest.mark.parametrize("way", WAYS)
async def test_an_account_ends_as_by_the_operator(server: Server, way: tuple[str, str]) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id, private = await ann.chat(bob), await ann.chat(bob, chat_type="private")
    await ann.say(chat_id, "I was here")
    await ann.say(private, "and here")
    elsewhere = Person(ann.http, ann.url, ann.ws_url, "ann", ann.wire)
    await elsewhere.login("ann")
    elsewhere.clients = ann.clients
    anns, bobs = [await ann.connect(), await elsewhere.connect()], await bob.connect()
    assert await delete(ann, {"password": PASSWORD}, way) == (204, None)
    assert [await client.closed() for client in anns] == [4403] * 2
    for person in (ann, elsewhere):
        status, body = await person.request("GET", "/users/me")
        assert (status, body["error"]["code"]) in ((403, "forbidden"), (401, "unauthenticated"))
    login = {"username": "ann", "password": PASSWORD}
    assert_error(await server.stranger().request("POST", "/auth/login", json=login), 401, "unauthenticated")
    names = [frame["type"] for frame in await bobs.drain()]
    assert names[:1] == ["user_changed"]
    user = await server.stranger().request("GET", "/users/me")
    assert_error(user, 401, "unauthenticated")
    assert_error(await bob.request("GET", f"/users/{ann.id}"), 404, "not_found")
    members = (await bob.get(f"/chats/{chat_id}/members"))["members"]
    assert [(member["user"]["id"], member["role"]) for member in members] == [(bob.id, "owner")]
    assert [one["content"] for one in (await bob.get(f"/chats/{chat_id}/messages"))["messages"]] == [
        "I was here"
    ]
    assert (await bob.get(f"/chats/{private}"))["member_count"] == 2
    assert_error(
        await server.stranger().request(
            "POST", "/auth/register", json={"username": "ann", "password": PASSWORD}
        ),
        409,
        "conflict",
        "username",
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "body",
    [{}, {"password": None}, {"password": 1}, {"password": ["x"]}, {"pass": PASSWORD}, {"password": {}}],
)
async def test_no_password_is_invalid(server: Server, way: tuple[str, str], body: Any) -> None:
    ann = await server.person("ann")
    assert_error(await delete(ann, body, way), 422, "invalid", "password")
    assert (await ann.get("/users/me"))["active"] is True


@pytest.mark.parametrize("way", WAYS)
async def test_no_body_and_no_token(server: Server, way: tuple[str, str]) -> None:
    ann = await server.person("ann")
    assert_error(await ann.request(*way), 422, "invalid", "password")
    assert_error(await ann.request(*way, data=b"{}"), 415, "unsupported_media")
    for body in (b"{", b"[]", b"\xff"):
        answer = await ann.request(*way, data=body, headers={"Content-Type": "application/json"})
        assert_error(answer, 400, "bad_request")
    assert_error(await delete(server.stranger(), {"password": PASSWORD}, way), 401, "unauthenticated")
    query = await ann.request(way[0], f"{way[1]}?password=correct+horse+battery")
    assert_error(query, 422, "invalid", "password")
    assert (await ann.get("/users/me"))["active"] is True


@pytest.mark.stores
@pytest.mark.parametrize("password", ["", "wrong one", PASSWORD.upper(), PASSWORD + " ", "п" * 5000, "\x00"])
async def test_a_wrong_password_is_forbidden_and_ends_nothing(server: Server, password: str) -> None:
    ann = await server.person("ann")
    client = await ann.connect()
    assert_error(await delete(ann, {"password": password}), 403, "forbidden")
    await client.nothing_more()
    assert len((await ann.get("/users/me/sessions"))["sessions"]) == 1


async def test_a_wrong_password_counts_as_a_failed_login(serve: Serve) -> None:
    server = await serve(clock=ManualClock())
    ann = await server.person("ann")
    answers = [await delete(ann, {"password": "wrong one"}, WAYS[number % 2]) for number in range(10)]
    assert [status for status, _ in answers] == [403] * 10
    assert_error(await delete(ann, {"password": PASSWORD}), 429, "rate_limited")
    login = {"username": "ann", "password": PASSWORD}
    assert_error(await server.stranger().request("POST", "/auth/login", json=login), 429, "rate_limited")
    server.clock.advance(60)
    assert (await delete(ann, {"password": PASSWORD}))[0] == 204


@pytest.mark.stores
async def test_two_devices_delete_at_once_and_the_operator_bans_meanwhile(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chats = [await ann.chat(bob) for _ in range(5)]
    other = Person(ann.http, ann.url, ann.ws_url, "ann")
    await other.login("ann")
    store = server.chat_app.context.store
    first, second, _ = await asyncio.gather(
        delete(ann, {"password": PASSWORD}),
        delete(other, {"password": PASSWORD}, WAYS[1]),
        moderation.ban(store, "ann"),
    )
    assert {first[0], second[0]} <= {204, 401, 403}
    user = await store.users.get(ann.id)
    assert user is not None
    assert not user.active
    if 204 in (first[0], second[0]):
        assert user.deleted
        for chat_id in chats:
            assert (await bob.get(f"/chats/{chat_id}"))["role"] == "owner"
            assert (await bob.get(f"/chats/{chat_id}"))["member_count"] == 1


@pytest.mark.stores
async def test_a_password_that_is_changed_while_it_is_checked_deletes_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await server.person("ann")
    other = Person(ann.http, ann.url, ann.ws_url, "ann")
    await other.login("ann")
    context = server.chat_app.context
    match = context.passwords.match

    async def overtaken(password: str, password_hash: str | None, **options: Any) -> bool:
        right = await match(password, password_hash, **options)
        monkeypatch.undo()
        await other.patch("/users/me", password="another password", old_password=PASSWORD)
        return right

    monkeypatch.setattr(type(context.passwords), "match", staticmethod(overtaken))
    assert_error(await delete(ann, {"password": PASSWORD}), 403, "forbidden")
    assert (await other.get("/users/me"))["active"] is True


async def test_a_client_that_hangs_up_does_not_stop_the_deletion(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the account would stay banned, with no way in to end it."""
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    store, banned = server.chat_app.context.store, asyncio.Event()
    ban = store.users.update

    async def slowly(*args: Any, **options: Any) -> Any:
        user = await ban(*args, **options)
        banned.set()
        await asyncio.sleep(0.1)
        return user

    monkeypatch.setattr(store.users, "update", slowly)
    call = asyncio.create_task(delete(ann, {"password": PASSWORD}))
    await banned.wait()
    call.cancel()
    async with within(5):
        while True:
            user = await store.users.get(ann.id)
            if user is not None and user.deleted:
                break
            await asyncio.sleep(0.005)
    assert (await bob.get(f"/chats/{chat_id}"))["role"] == "owner"


async def test_a_token_of_another_backend_deletes_with_the_password_too(server: Server) -> None:
    ann = await server.person("ann")
    ann.token = jwt.encode({"sub": str(ann.id), "exp": int(time.time()) + 60}, SECRET, "HS256")
    assert_error(await delete(ann, {"password": "wrong one"}), 403, "forbidden")
    assert (await delete(ann, {"password": PASSWORD}))[0] == 204


@pytest.mark.stores
async def test_the_last_active_admin_stays(server: Server) -> None:
    ann = await server.person("ann")
    await server.chat_app.context.store.users.update(ann.id, AccountUpdate(is_admin=True))
    client = await ann.connect()
    assert_error(await delete(ann, {"password": "wrong one"}), 403, "forbidden")
    for way in WAYS:
        assert_error(await delete(ann, {"password": PASSWORD}, way), 409, "conflict")
    await client.nothing_more()
    assert (await ann.get("/users/me"))["is_admin"] is True
    bob = await server.person("bob")
    await server.chat_app.context.store.users.update(bob.id, AccountUpdate(is_admin=True))
    assert (await delete(ann, {"password": PASSWORD}))[0] == 204
