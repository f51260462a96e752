"""Hooks of a chat over REST: making, listing, changing and removing them, and giving them other keys."""

import asyncio
from typing import Any

import jwt
import pytest

from handlers.live import loaded_chat
from tests.clients.admins import make_admin
from tests.clients.people import Person
from tests.clients.shapes import a, assert_error, fits, is_id, is_time, maybe, one_of
from tests.conftest import Serve, Server

INCOMING = {
    "id": is_id,
    "chat_id": is_id,
    "name": a(str),
    "kind": one_of("incoming"),
    "user_id": is_id,
    "created_by": is_id,
    "created_at": is_time,
    "state": one_of("active", "paused", "without_maker"),
    "paused": a(bool),
}
OUTGOING = {
    **INCOMING,
    "kind": one_of("outgoing"),
    "state": one_of("active", "failing", "paused", "stopped", "without_maker"),
    "target_url": a(str),
    "events": a(list),
    "include_bots": a(bool),
    "last_error": maybe(a(str)),
    "failing_since": maybe(is_time),
    "next_try_at": maybe(is_time),
}
TARGET = "https://example.org/hook?token=abc"


async def incoming(person: Person, chat_id: int, name: str = "Alerts") -> Any:
    return await person.post(f"/chats/{chat_id}/hooks", kind="incoming", name=name)


async def outgoing(person: Person, chat_id: int, **more: Any) -> Any:
    body = {"kind": "outgoing", "name": "CI", "target_url": TARGET, **more}
    return await person.post(f"/chats/{chat_id}/hooks", **body)


async def tell(server: Server, url: str, **payload: Any) -> tuple[int, str]:
    """What an incoming hook answers."""
    async with server.http.post(url, json=payload) as answer:
        return answer.status, await answer.text()


@pytest.mark.stores
async def test_a_hook_is_made_shown_once_and_used(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    made = await incoming(ann, chat_id)
    url = made.pop("url")
    assert fits(made, INCOMING)
    assert (made["chat_id"], made["name"], made["created_by"]) == (chat_id, "Alerts", ann.id)
    assert (made["state"], made["paused"]) == ("active", False)
    assert url.startswith(f"{server.url}/hooks/")
    assert len(url.rpartition("/")[2]) == 43  # 256 bits
    other = await outgoing(ann, chat_id, events=["message_deleted", "new_message"], include_bots=True)
    secret = other.pop("secret")
    assert fits(other, OUTGOING)
    assert len(secret) == 43
    assert (other["target_url"], other["events"], other["include_bots"]) == (
        TARGET,
        ["new_message", "message_deleted"],
        True,
    )
    assert await ann.get(f"/chats/{chat_id}/hooks") == {"hooks": [made, other]}

    watching = await bob.joined(chat_id)
    assert await tell(server, url, text="the disk of <https://db.example|db> is full") == (200, "ok")
    event = await watching.next()
    assert event["type"] == "new_message"
    message = event["message"]
    assert (message["content"], message["sender_id"], message["message_type"]) == (
        "the disk of db (https://db.example) is full",
        made["user_id"],
        "text",
    )
    user = await bob.get(f"/users/{made['user_id']}")
    assert (user["display_name"], user["is_bot"], user["active"]) == ("Alerts", True, True)


@pytest.mark.stores
async def test_the_user_of_a_hook_is_in_no_list(server: Server) -> None:
    ann = await server.person("ann")
    await make_admin(server.chat_app, ann.id)
    chat_id = await ann.chat()
    made = await incoming(ann, chat_id, "Zabbix")
    assert await tell(server, made["url"], text="hello") == (200, "ok")
    user = await ann.get(f"/users/{made['user_id']}")
    members = (await ann.get(f"/chats/{chat_id}/members"))["members"]
    assert [one["user"]["id"] for one in members] == [ann.id]
    assert (await ann.get(f"/chats/{chat_id}"))["member_count"] == 1
    for query in ("zabbix", user["username"], "hook", ""):
        for path in ("/users", "/admin/users"):
            found = (await ann.get(path, q=query))["users"]
            assert made["user_id"] not in [one["id"] for one in found], (path, query)
    assert (await ann.get("/admin/stats"))["users"] == 1
    for method, path, body, status in (
        ("POST", f"/chats/{chat_id}/members", {"user_id": made["user_id"]}, 422),
        ("POST", f"/chats/{chat_id}/bans", {"user_id": made["user_id"]}, 422),
        ("POST", "/chats", {"chat_type": "private", "member_ids": [made["user_id"]]}, 422),
        ("PUT", f"/users/{made['user_id']}/block", None, 404),
        ("PATCH", f"/admin/users/{made['user_id']}", {"banned": True}, 404),
        ("POST", f"/admin/users/{made['user_id']}/password", {}, 403),
        ("DELETE", f"/admin/users/{made['user_id']}", {}, 404),
        ("POST", "/auth/login", {"username": user["username"], "password": ""}, 401),
        ("POST", "/auth/login", {"username": user["username"], "password": "x"}, 401),
        ("POST", "/auth/register", {"username": "hook:7", "password": "correct horse battery"}, 422),
    ):
        found_status, answer = await ann.request(method, path, json=body)
        assert found_status == status, (method, path, answer)


async def test_a_token_for_the_user_of_a_hook_lets_nobody_in(server: Server) -> None:
    ann = await server.person("ann")
    made = await incoming(ann, await ann.chat())
    claims = {
        "sub": str(made["user_id"]),
        "exp": 4_000_000_000,
    }  # as another backend with the same key makes them
    ann.token = jwt.encode(claims, server.config.secret_key, "HS256")
    assert_error(await ann.request("GET", "/users/me"), 401, "unauthenticated")
    assert await (await server.open(ann.token)).closed() == 4401


@pytest.mark.stores
async def test_who_manages_hooks(server: Server) -> None:
    ann, bob, carl, dora = await server.people("ann", "bob", "carl", "dora")
    for chat_type in ("group", "channel"):
        chat_id = await ann.chat(bob, carl, chat_type=chat_type)
        await ann.patch(f"/chats/{chat_id}/members/{bob.id}", role="admin")
        made = await incoming(ann, chat_id)
        calls = [
            ("GET", f"/chats/{chat_id}/hooks", None),
            ("POST", f"/chats/{chat_id}/hooks", {"kind": "incoming", "name": "x"}),
            ("PATCH", f"/hooks/{made['id']}", {"name": "y"}),
            ("POST", f"/hooks/{made['id']}/key", {}),
            ("DELETE", f"/hooks/{made['id']}", None),
        ]
        for method, path, body in calls:
            assert_error(await carl.request(method, path, json=body), 403, "forbidden")
            assert_error(await dora.request(method, path, json=body), 404, "not_found")
        for method, path, body in calls:
            status, answer = await bob.request(method, path, json=body)
            assert status in (200, 201, 204), (method, path, answer)
        for method, path, body in calls[2:]:
            assert_error(await ann.request(method, path, json=body), 404, "not_found")
    private = await ann.chat(bob, chat_type="private", name=None)
    await ann.say(private, "hello")
    assert_error(await ann.request("GET", f"/chats/{private}/hooks"), 403, "forbidden")
    body = {"kind": "incoming", "name": "x"}
    assert_error(await ann.request("POST", f"/chats/{private}/hooks", json=body), 403, "forbidden")


async def test_at_most_twenty_hooks(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    body = {"kind": "incoming", "name": "x"}
    answers = await asyncio.gather(
        *(ann.request("POST", f"/chats/{chat_id}/hooks", json=body) for _ in range(23))
    )
    assert sorted(status for status, _ in answers) == [201] * 20 + [409] * 3
    assert_error(next(one for one in answers if one[0] == 409), 409, "conflict")
    hooks = (await ann.get(f"/chats/{chat_id}/hooks"))["hooks"]
    await ann.delete(f"/hooks/{hooks[0]['id']}")
    await incoming(ann, chat_id)


@pytest.mark.stores
async def test_a_hook_is_changed_renamed_and_removed(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    made = await incoming(ann, chat_id)
    url = made.pop("url")
    await tell(server, url, text="first")
    watching, elsewhere = await bob.joined(chat_id), await bob.connect()
    status, changed = await ann.request("PATCH", f"/hooks/{made['id']}", json={"name": "  Fire  "})
    assert (status, changed) == (200, {**made, "name": "Fire"})
    event = await watching.next()
    assert (event["type"], event["user_id"]) == ("user_changed", made["user_id"])
    assert event["user"] == await bob.get(f"/users/{made['user_id']}")
    assert event["user"]["display_name"] == "Fire"
    assert (await elsewhere.next())["user"] == event["user"]
    await ann.delete(f"/hooks/{made['id']}")
    user = (await watching.next())["user"]
    assert (user["id"], user["deleted"], user["active"]) == (made["user_id"], True, False)
    assert user["display_name"] == user["username"] != "Fire"
    assert (await elsewhere.next())["user"] == user
    assert_error(await bob.request("GET", f"/users/{made['user_id']}"), 404, "not_found")
    assert await tell(server, url, text="second") == (404, "unknown_key")
    assert await ann.get(f"/chats/{chat_id}/hooks") == {"hooks": []}
    (message,) = (await bob.get(f"/chats/{chat_id}/messages"))["messages"]
    assert (message["content"], message["sender_id"]) == ("first", made["user_id"])
    status, _ = await ann.request("DELETE", f"/messages/{message['id']}")
    assert status == 204


async def test_another_name_of_a_hook_is_told_to_the_room_of_a_large_chat(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loaded_chat, "PRESENCE_MEMBERS_MAX", 1)
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    made = await incoming(ann, chat_id)
    watching, elsewhere = await bob.joined(chat_id), await bob.connect()
    await ann.patch(f"/hooks/{made['id']}", name="Fire")
    assert (await watching.next("user_changed"))["user"]["display_name"] == "Fire"
    await elsewhere.nothing_more()


async def test_an_outgoing_hook_is_changed(server: Server) -> None:
    ann = await server.person("ann")
    made = await outgoing(ann, await ann.chat())
    del made["secret"]
    assert (made["events"], made["include_bots"]) == (["new_message"], False)
    changes: dict[str, Any] = {
        "target_url": "https://other.example/",
        "events": ["message_updated", "message_updated"],
        "include_bots": True,
    }
    changed = await ann.patch(f"/hooks/{made['id']}", **changes)
    assert changed == {**made, **changes, "events": ["message_updated"]}
    assert await ann.patch(f"/hooks/{made['id']}", paused=True) == {
        **changed,
        "paused": True,
        "state": "paused",
    }
    assert await ann.patch(f"/hooks/{made['id']}", paused=False) == changed
    nothing: list[dict[str, Any]] = [{}, {"name": None, "paused": None}, {"kind": "incoming"}]
    for changes in nothing:
        assert await ann.patch(f"/hooks/{made['id']}", **changes) == changed


@pytest.mark.stores
async def test_an_old_key_is_dead(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    made = await incoming(ann, chat_id)
    status, renewed = await ann.request("POST", f"/hooks/{made['id']}/key")
    assert status == 200
    assert renewed == {**made, "url": renewed["url"]}
    assert renewed["url"] != made["url"]
    assert await tell(server, made["url"], text="x") == (404, "unknown_key")
    assert await tell(server, renewed["url"], text="x") == (200, "ok")
    other = await outgoing(ann, chat_id)
    again = await ann.post(f"/hooks/{other['id']}/key")
    assert again == {**other, "secret": again["secret"]}
    assert again["secret"] != other["secret"]


@pytest.mark.stores
async def test_a_hook_without_its_maker_is_paused_until_somebody_resumes_it(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    await ann.patch(f"/chats/{chat_id}/members/{bob.id}", role="admin")
    made = await incoming(bob, chat_id)
    url = made.pop("url")
    await ann.patch(f"/chats/{chat_id}/members/{bob.id}", role="member")
    assert await tell(server, url, text="x") == (503, "paused")
    (listed,) = (await ann.get(f"/chats/{chat_id}/hooks"))["hooks"]
    assert listed == {**made, "paused": True, "state": "without_maker"}
    resumed = await ann.patch(f"/hooks/{made['id']}", paused=False)
    assert resumed == {**made, "created_by": ann.id}
    assert await tell(server, url, text="x") == (200, "ok")
    await ann.patch(f"/hooks/{made['id']}", paused=True)
    assert await tell(server, url, text="x") == (503, "paused")


async def test_hooks_stand_in_the_audit_and_secrets_do_not(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    made = await incoming(ann, chat_id)
    await outgoing(ann, chat_id)
    await ann.patch(f"/hooks/{made['id']}", name="Fire", paused=True)
    await ann.patch(f"/hooks/{made['id']}", paused=False)
    await ann.post(f"/hooks/{made['id']}/key")
    await ann.delete(f"/hooks/{made['id']}")
    entries = (await ann.get(f"/chats/{chat_id}/audit"))["entries"]
    told = [(one["action"], one["detail"]) for one in entries if one["action"].startswith("hook")]
    assert told == [
        ("hook_removed", "Fire"),
        ("hook_key_renewed", "Fire"),
        ("hook_resumed", "Fire"),
        ("hook_changed", "Fire"),
        ("hook_paused", "Fire"),
        ("hook_added", "CI"),
        ("hook_added", "Alerts"),
    ]
    assert {one["actor_id"] for one in entries if one["action"].startswith("hook")} == {ann.id}
    assert TARGET not in str(entries)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": "x"}, "kind"),
    ({"kind": "sideways", "name": "x"}, "kind"),
    ({"kind": 1, "name": "x"}, "kind"),
    ({"kind": "incoming"}, "name"),
    ({"kind": "incoming", "name": "  "}, "name"),
    ({"kind": "incoming", "name": "x" * 101}, "name"),
    ({"kind": "incoming", "name": "a\nb"}, "name"),
    ({"kind": "incoming", "name": 5}, "name"),
    ({"kind": "incoming", "name": "x", "target_url": TARGET}, "target_url"),
    ({"kind": "incoming", "name": "x", "events": ["new_message"]}, "events"),
    ({"kind": "outgoing", "name": "x"}, "target_url"),
    ({"kind": "outgoing", "name": "x", "target_url": ""}, "target_url"),
    ({"kind": "outgoing", "name": "x", "target_url": "http://example.org/"}, "target_url"),
    ({"kind": "outgoing", "name": "x", "target_url": "ftp://example.org/"}, "target_url"),
    ({"kind": "outgoing", "name": "x", "target_url": "https:///x"}, "target_url"),
    ({"kind": "outgoing", "name": "x", "target_url": 5}, "target_url"),
    ({"kind": "outgoing", "name": "x", "target_url": TARGET, "events": []}, "events"),
    ({"kind": "outgoing", "name": "x", "target_url": TARGET, "events": ["typing"]}, "events"),
    ({"kind": "outgoing", "name": "x", "target_url": TARGET, "events": [["new_message"]]}, "events"),
    ({"kind": "outgoing", "name": "x", "target_url": TARGET, "events": "new_message"}, "events"),
    ({"kind": "outgoing", "name": "x", "target_url": TARGET, "include_bots": 1}, "include_bots"),
]


async def test_what_is_wrong_is_named(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    for body, field in WRONG:
        assert_error(await ann.request("POST", f"/chats/{chat_id}/hooks", json=body), 422, "invalid", field)
    assert (await ann.get(f"/chats/{chat_id}/hooks"))["hooks"] == []
    hook_id = (await outgoing(ann, chat_id))["id"]
    for changes, field in (
        ({"paused": "yes"}, "paused"),
        ({"target_url": "http://example.org"}, "target_url"),
        ({"events": ["x"]}, "events"),
    ):
        assert_error(await ann.request("PATCH", f"/hooks/{hook_id}", json=changes), 422, "invalid", field)
    for path in ("/hooks/x", "/hooks/0", "/hooks/99999999", "/hooks/9007199254740993"):
        assert_error(await ann.request("PATCH", path, json={"name": "x"}), 404, "not_found")


async def test_the_address_is_that_of_the_server(serve: Serve) -> None:
    server = await serve(public_url="https://chat.example.org")
    ann = await server.person("ann")
    made = await incoming(ann, await ann.chat())
    assert made["url"].startswith("https://chat.example.org/hooks/")
