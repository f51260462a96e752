"""What admins of the server do over REST, and how the first one is made."""

import asyncio
from typing import Any

import pytest

from domain.acts import AccountUpdate
from tests.clients.people import Person
from tests.clients.rest import PASSWORD
from tests.clients.shapes import assert_error
from tests.conftest import Serve, Server

CALLS = [
    ("GET", "/admin/users", None),
    ("POST", "/admin/users", {"username": 1}),
    ("PATCH", "/admin/users/1", {"banned": "x"}),
    ("POST", "/admin/users/1/password", {}),
    ("DELETE", "/admin/users/1", None),
    ("GET", "/admin/stats", None),
    ("GET", "/admin/audit?limit=x", None),
    ("DELETE", "/admin/chats/1", None),
]


async def admin(server: Server, name: str = "ada") -> Person:
    person = await server.person(name)
    await server.chat_app.context.store.users.update(person.id, AccountUpdate(is_admin=True))
    return person


async def setup(server: Server, code: str | None, name: str = "ada", **more: Any) -> tuple[int, Any]:
    body = {"username": name, "password": PASSWORD, "setup_code": code, **more}
    return await server.stranger().request("POST", "/auth/register", json=body)


async def setup_needed(server: Server) -> bool:
    return bool((await server.stranger().get("/server"))["setup_needed"])


@pytest.mark.stores
@pytest.mark.parametrize("registration", ["closed", "invite"])
async def test_the_newest_code_makes_the_first_admin_once(serve: Serve, registration: str) -> None:
    server = await serve(registration=registration)
    earlier, code = [await server.chat_app.setup.new_code() for _ in range(2)]
    assert await setup_needed(server)
    for wrong in (earlier, "", "x", "x" * 10_000):
        assert_error(await setup(server, wrong), 403, "forbidden")
    assert_error(await setup(server, code, password="short"), 422, "invalid", "password")
    status, user = await setup(server, code, email="ada@example.org")
    assert (status, user["is_admin"], user["email"]) == (201, True, "ada@example.org")
    assert not await setup_needed(server)
    assert await server.chat_app.setup.new_code() is None
    for name in ("eve", "ada"):
        assert_error(await setup(server, code, name), 403, "forbidden")
    refused = await setup(server, None, "eve")
    if registration == "closed":
        assert_error(refused, 403, "forbidden")
    else:
        assert_error(refused, 422, "invalid", "invite")


@pytest.mark.stores
@pytest.mark.parametrize("registration", ["open", "closed", "invite"])
async def test_the_first_admin_may_have_an_invite_too(serve: Serve, registration: str) -> None:
    server = await serve()
    ann = await server.person("ann")
    chat_id = await ann.chat()
    invite = (await ann.post(f"/chats/{chat_id}/invites", max_uses=1))["code"]
    object.__setattr__(server.chat_app.context.policy, "registration", registration)
    code = await server.chat_app.setup.new_code()
    assert_error(await setup(server, "x", invite=invite), 403, "forbidden")
    assert_error(await setup(server, code, invite="x" * 22), 422, "invalid", "invite")
    assert_error(await setup(server, code, "ann", invite=invite), 409, "conflict", "username")
    status, user = await setup(server, code, invite=invite)
    assert (status, user["is_admin"], user["chat_id"]) == (201, True, chat_id)
    assert (await ann.get(f"/chats/{chat_id}"))["member_count"] == 2


@pytest.mark.stores
async def test_of_many_with_the_code_one_is_the_admin(server: Server) -> None:
    code = await server.chat_app.setup.new_code()
    answers = await asyncio.gather(*(setup(server, code, f"user{number}") for number in range(6)))
    assert sorted(status for status, _ in answers) == [201, 403, 403, 403, 403, 403]
    assert len((await (await admin(server, "eve")).get("/admin/users"))["users"]) == 2


async def test_others_get_401_and_403_whatever_they_send(server: Server) -> None:
    ann = await server.person("ann")
    for method, path, body in CALLS:
        assert_error(await server.stranger().request(method, path, json=body), 401, "unauthenticated")
        assert_error(await ann.request(method, path, json=body), 403, "forbidden")
    assert (await ann.get("/users/me"))["is_admin"] is False


@pytest.mark.stores
async def test_admins_create_find_change_and_delete_accounts(server: Server) -> None:
    ada = await admin(server)
    status, made = await ada.request("POST", "/admin/users", json={"username": "bob", "email": "b@x.org"})
    assert (status, len(made["password"])) == (201, 29)
    assert set(made["user"]) >= {"email", "is_admin", "banned", "active"}
    assert "presence" not in made["user"]
    bob = Person(server.http, server.url, server.ws_url, "bob")
    await bob.login("bob", made["password"])
    _, given = await ada.request(
        "POST", "/admin/users", json={"username": "carl", "password": PASSWORD, "is_admin": True}
    )
    assert ("password" in given, given["user"]["is_admin"]) == (False, True)
    for taken in ("BOB", "ALL"):
        answer = await ada.request("POST", "/admin/users", json={"username": taken})
        assert_error(answer, 409, "conflict", "username")
    assert_error(
        await ada.request("POST", "/admin/users", json={"username": "a b"}), 422, "invalid", "username"
    )
    path = f"/admin/users/{made['user']['id']}"
    changed = await ada.patch(path, banned=True, display_name=" Bobby ")
    assert (changed["banned"], changed["active"], changed["display_name"]) == (True, False, "Bobby")
    assert_error(await bob.request("GET", "/users/me"), 403, "forbidden")
    assert [user["id"] for user in (await ada.get("/admin/users", q="bobb"))["users"]] == [changed["id"]]
    await ada.patch(path, banned=False)
    password = (await ada.post(f"{path}/password"))["password"]
    await bob.login("bob", password)
    await ada.delete(path)
    for method, where, body in (
        ("PATCH", path, {}),
        ("DELETE", path, None),
        ("POST", f"{path}/password", {}),
    ):
        assert_error(await ada.request(method, where, json=body), 404, "not_found")
    assert [user["username"] for user in (await ada.get("/admin/users"))["users"]] == ["ada", "carl"]
    entries = (await ada.get("/admin/audit"))["entries"]
    assert [entry["action"] for entry in entries][:3] == ["user_deleted", "password_reset", "user_unbanned"]
    assert {entry["actor_id"] for entry in entries} == {ada.id}


async def test_pages_of_users_and_of_the_audit(server: Server) -> None:
    ada = await admin(server)
    for number in range(4):
        await ada.post("/admin/users", username=f"user{number}")
    names, cursor = [], None
    while True:
        page = await ada.get("/admin/users", limit=2, **({"cursor": cursor} if cursor else {}))
        names += [user["username"] for user in page["users"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert names == ["ada", "user0", "user1", "user2", "user3"]
    page = await ada.get("/admin/audit", limit=3)
    assert len(page["entries"]) == 3
    rest = await ada.get("/admin/audit", limit=200, cursor=page["next_cursor"])
    assert rest["next_cursor"] is None
    for bad in ("limit=0", "limit=201", "cursor=x", "cursor=-1"):
        for call in ("users", "audit"):
            answer = await ada.request("GET", f"/admin/{call}?{bad}")
            assert_error(answer, 422, "invalid", bad.partition("=")[0])
    for odd in ("%", "$gt", '{"$ne":1}', "' OR 1=1 --", ".*", "x" * 5000):
        assert (await ada.get("/admin/users", q=odd))["users"] == []


@pytest.mark.stores
async def test_the_last_active_admin_stays_one(server: Server) -> None:
    ada = await admin(server)
    path = f"/admin/users/{ada.id}"
    for body in ({"is_admin": False}, {"banned": True}):
        assert_error(await ada.request("PATCH", path, json=body), 409, "conflict")
    assert_error(await ada.request("DELETE", path), 409, "conflict")
    gone = {"password": PASSWORD}
    assert_error(await ada.request("POST", "/users/me/delete", json=gone), 409, "conflict")
    bob = await admin(server, "bob")
    answers = await asyncio.gather(
        ada.request("PATCH", f"/admin/users/{bob.id}", json={"is_admin": False}),
        bob.request("PATCH", path, json={"is_admin": False}),
        ada.request("POST", "/users/me/delete", json=gone),
    )
    assert 200 <= min(status for status, _ in answers) < 300
    users = await server.chat_app.context.store.users.search_all("", after_id=0, limit=10)
    assert sum(user.is_admin and user.active for user in users) == 1


async def test_a_former_admin_has_no_rights_at_once(server: Server) -> None:
    ada, bob = await admin(server), await admin(server, "bob")
    client = await bob.connect()
    await ada.patch(f"/admin/users/{bob.id}", is_admin=False)
    assert_error(await bob.request("GET", "/admin/users"), 403, "forbidden")
    changed = await client.next("user_changed")
    assert changed["user"]["is_admin"] is False


@pytest.mark.stores
async def test_stats_and_the_end_of_any_chat(server: Server) -> None:
    ada, bob = await admin(server), await server.person("bob")
    chat_id = await bob.chat(name="Room")
    message = await bob.say(chat_id, "one")
    await bob.say(chat_id, "two")
    await bob.delete(f"/messages/{message['id']}")
    client = await bob.connect()
    stats = await ada.get("/admin/stats")
    assert (stats["users"], stats["chats"], stats["messages"], stats["connections"]) == (2, 1, 1, 1)
    assert stats["uploads_bytes"] == 0
    assert stats["database_bytes"] >= 0
    assert stats["disk_free_bytes"] > 0
    assert stats["default_chat_id"] is None
    assert_error(await ada.request("GET", f"/chats/{chat_id}"), 404, "not_found")
    await ada.delete(f"/admin/chats/{chat_id}")
    assert_error(await ada.request("DELETE", f"/admin/chats/{chat_id}"), 404, "not_found")
    assert (await client.next("chat_removed"))["chat_id"] == chat_id
    entry = (await ada.get("/admin/audit"))["entries"][0]
    assert (entry["action"], entry["detail"]) == ("chat_deleted", f"Room (chat {chat_id})")


@pytest.mark.stores
async def test_new_accounts_join_the_default_chat(serve: Serve) -> None:
    server = await serve(default_chat="Everybody")
    await server.person("early")
    code = await server.chat_app.setup.new_code()
    await setup(server, code)
    ada = Person(server.http, server.url, server.ws_url, "ada")
    await ada.login("ada")
    ann = await server.person("ann")
    await ada.post("/admin/users", username="bob")
    (chat,) = (await ann.get("/chats"))["chats"]
    assert (chat["name"], chat["is_public"], chat["role"], chat["member_count"]) == (
        "Everybody",
        True,
        "member",
        3,
    )
    assert (await ada.get("/chats"))["chats"][0]["role"] == "owner"
    assert (await ada.get("/admin/stats"))["default_chat_id"] == chat["id"]
    await ada.patch(f"/chats/{chat['id']}", name="Other")
    await server.restart()
    carl = await server.person("carl")
    assert [chat["name"] for chat in (await carl.get("/chats"))["chats"]] == ["Other"]
    await ada.delete(f"/chats/{chat['id']}")
    assert (await ada.get("/admin/stats"))["default_chat_id"] is None
    dora = await server.person("dora")
    assert (await dora.get("/chats"))["chats"] == []
