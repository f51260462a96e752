"""Invites over REST: making, listing, looking at, accepting and removing them."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from tests.clients.admins import make_admin
from tests.clients.clock import ManualClock
from tests.clients.people import Person
from tests.clients.shapes import CHAT, a, assert_error, fits, is_count, is_id, is_time, maybe
from tests.conftest import Serve, Server

INVITE = {
    "code": a(str),
    "url": a(str),
    "chat_id": maybe(is_id),
    "created_by": is_id,
    "created_at": is_time,
    "expires_at": maybe(is_time),
    "max_uses": is_count,
    "uses": is_count,
}

HOSTILE = [
    "x",
    "x" * 22,
    "a%2Fb",
    "..%2F..%2Fetc",
    "%00" * 22,
    "код" * 8,
    "%F0%9F%98%80" * 20,
    "x" * 5000,
    "' OR 1=1 --",
    "$ne",
    "%7B%22%24gt%22%3A%22%22%7D",
    "%ff%fe",
]


async def invite(person: Person, chat_id: int, **options: Any) -> Any:
    return await person.post(f"/chats/{chat_id}/invites", **options)


@pytest.mark.stores
async def test_somebody_is_invited_and_comes(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(name="Lunch")
    message = await ann.say(chat_id, "before bob")
    made = await invite(ann, chat_id)
    assert fits(made, INVITE)
    assert (made["chat_id"], made["created_by"], made["max_uses"], made["uses"]) == (chat_id, ann.id, 0, 0)
    assert len(made["code"]) >= 22  # 128 bits
    expires_in = datetime.fromisoformat(made["expires_at"]) - datetime.fromisoformat(made["created_at"])
    assert expires_in == timedelta(days=7)
    assert made["url"] == f"{server.url}/invite/{made['code']}"
    assert await ann.get(f"/chats/{chat_id}/invites") == {"invites": [made], "next_cursor": None}

    offered = await server.stranger().get(f"/invites/{made['code']}")
    assert offered == {
        "code": made["code"],
        "chat": {"name": "Lunch", "chat_type": "group", "member_count": 1},
        "invited_by": {"display_name": "ann"},
    }
    watching, coming = await ann.connect(), await bob.connect()
    await watching.drain()
    await coming.drain()
    status, chat = await bob.request("POST", f"/invites/{made['code']}/accept")
    assert status == 200
    assert fits(chat, CHAT)
    assert (chat["id"], chat["role"], chat["member_count"]) == (chat_id, "member", 2)
    assert (chat["unread_count"], chat["last_message"]) == (0, message)
    added = await coming.next()
    assert (added["type"], added["chat_id"], added["head_seq"]) == ("chat_added", chat_id, 1)
    assert (await watching.next())["type"] == "chat_changed"
    assert (await bob.get(f"/chats/{chat_id}/messages"))["messages"] == [message]
    assert (await ann.get(f"/chats/{chat_id}/invites"))["invites"] == [{**made, "uses": 1}]
    assert await bob.request("POST", f"/invites/{made['code']}/accept") == (200, chat)
    assert (await ann.get(f"/chats/{chat_id}/invites"))["invites"][0]["uses"] == 1
    await ann.delete(f"/invites/{made['code']}")
    assert_error(await server.stranger().request("GET", f"/invites/{made['code']}"), 404, "not_found")
    assert_error(await bob.request("POST", f"/invites/{made['code']}/accept"), 404, "not_found")
    assert await ann.get(f"/chats/{chat_id}/invites") == {"invites": [], "next_cursor": None}


@pytest.mark.parametrize("chat_type", ["group", "channel"])
async def test_what_each_role_may_do_with_invites(server: Server, chat_type: str) -> None:
    owner, admin, member, stranger, boss = await server.people("owner", "admin", "member", "stranger", "boss")
    await make_admin(server.chat_app, boss.id)
    chat_id = await owner.chat(admin, member, chat_type=chat_type)
    await owner.patch(f"/chats/{chat_id}/members/{admin.id}", role="admin")
    refusals = {member: (403, "forbidden"), stranger: (404, "not_found"), boss: (404, "not_found")}
    code = (await invite(owner, chat_id))["code"]
    for person, refusal in refusals.items():
        assert_error(await person.request("POST", f"/chats/{chat_id}/invites", json={}), *refusal)
        assert_error(await person.request("GET", f"/chats/{chat_id}/invites"), *refusal)
        if person is not boss:
            assert_error(await person.request("DELETE", f"/invites/{code}"), *refusal)
    for person, remover in ((owner, admin), (admin, owner), (admin, boss)):
        made = await invite(person, chat_id)
        assert made["code"] in [
            one["code"] for one in (await admin.get(f"/chats/{chat_id}/invites"))["invites"]
        ]
        await remover.delete(f"/invites/{made['code']}")
        assert_error(await remover.request("DELETE", f"/invites/{made['code']}"), 404, "not_found")
    for method, path in (
        ("POST", f"/chats/{chat_id}/invites"),
        ("GET", f"/chats/{chat_id}/invites"),
        ("DELETE", f"/invites/{code}"),
        ("POST", f"/invites/{code}/accept"),
    ):
        assert_error(await server.stranger().request(method, path), 401, "unauthenticated")


async def test_private_chats_have_no_invites(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob, chat_type="private")
    await ann.say(chat_id, "hello")
    for person in (ann, bob):
        assert_error(await person.request("POST", f"/chats/{chat_id}/invites", json={}), 403, "forbidden")
        assert_error(await person.request("GET", f"/chats/{chat_id}/invites"), 403, "forbidden")


@pytest.mark.parametrize(
    "options",
    [
        {"expires_in_s": -1},
        {"expires_in_s": "60"},
        {"expires_in_s": 1.5},
        {"expires_in_s": True},
        {"expires_in_s": 2**53},
        {"max_uses": -1},
        {"max_uses": 2**53 - 1},
        {"max_uses": "1"},
    ],
)
async def test_a_wrong_field_is_invalid_and_makes_no_invite(server: Server, options: dict[str, Any]) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    answer = await ann.request("POST", f"/chats/{chat_id}/invites", json=options)
    assert_error(answer, 422, "invalid", *options)
    assert (await ann.get(f"/chats/{chat_id}/invites"))["invites"] == []


async def test_an_invite_ends_with_its_time_and_one_of_0_never_does(serve: Serve) -> None:
    clock = ManualClock()
    server = await serve(clock=clock)
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat()
    short = await invite(ann, chat_id, expires_in_s=60)
    forever = await invite(ann, chat_id, expires_in_s=0)
    default = await invite(ann, chat_id, expires_in_s=None, max_uses=None)
    assert forever["expires_at"] is None
    assert default["expires_at"] is not None
    stranger = server.stranger()
    clock.advance(59)
    assert (await stranger.request("GET", f"/invites/{short['code']}"))[0] == 200
    clock.advance(1)
    assert_error(await stranger.request("GET", f"/invites/{short['code']}"), 404, "not_found")
    await bob.login("bob")
    await ann.login("ann")
    assert_error(await bob.request("POST", f"/invites/{short['code']}/accept"), 404, "not_found")
    listed = (await ann.get(f"/chats/{chat_id}/invites"))["invites"]
    assert {one["code"] for one in listed} == {forever["code"], default["code"]}
    clock.advance(400 * 24 * 3600)
    await bob.login("bob")
    assert (await bob.request("POST", f"/invites/{forever['code']}/accept"))[0] == 200


@pytest.mark.stores
async def test_thirty_accept_an_invite_with_five_uses(serve: Serve) -> None:
    server = await serve(auth_calls_per_min=0)
    ann = await server.person("ann")
    people = await asyncio.gather(*(server.person(f"person{number}") for number in range(30)))
    chat_id = await ann.chat()
    code = (await invite(ann, chat_id, max_uses=5))["code"]
    answers = await asyncio.gather(*(one.request("POST", f"/invites/{code}/accept") for one in people))
    assert Counter(status for status, _ in answers) == {200: 5, 404: 25}
    assert (await ann.get(f"/chats/{chat_id}"))["member_count"] == 6
    assert_error(await server.stranger().request("GET", f"/invites/{code}"), 404, "not_found")
    assert (await ann.get(f"/chats/{chat_id}/invites"))["invites"] == []


async def test_a_hundred_invites_are_enough(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat()
    made = [await invite(ann, chat_id, max_uses=1) for _ in range(100)]
    refused = await ann.request("POST", f"/chats/{chat_id}/invites", json={})
    assert_error(refused, 409, "conflict")
    assert (await bob.request("POST", f"/invites/{made[7]['code']}/accept"))[0] == 200
    made = [*made[:7], *made[8:], await invite(ann, chat_id)]
    page = await ann.get(f"/chats/{chat_id}/invites", limit=40)
    listed = page["invites"]
    while page["next_cursor"] is not None:
        page = await ann.get(f"/chats/{chat_id}/invites", limit=40, cursor=page["next_cursor"])
        assert len(page["invites"]) <= 40
        listed += page["invites"]
    assert listed == made
    for cursor in ("x", "", "MQ==", "9" * 500):
        answer = await ann.request("GET", f"/chats/{chat_id}/invites", params={"cursor": cursor})
        assert_error(answer, 422, "invalid", "cursor")


@pytest.mark.stores
async def test_an_invite_ends_when_its_maker_loses_the_right(server: Server) -> None:
    owner, admin, bob = await server.people("owner", "admin", "bob")
    chat_id = await owner.chat(admin)
    await owner.patch(f"/chats/{chat_id}/members/{admin.id}", role="admin")
    codes = [(await invite(admin, chat_id))["code"] for _ in range(2)]
    await owner.patch(f"/chats/{chat_id}/members/{admin.id}", role="member")
    for code in codes:
        assert_error(await bob.request("POST", f"/invites/{code}/accept"), 404, "not_found")
        assert_error(await server.stranger().request("GET", f"/invites/{code}"), 404, "not_found")
    assert (await owner.get(f"/chats/{chat_id}/invites"))["invites"] == []
    await owner.patch(f"/chats/{chat_id}/members/{admin.id}", role="admin")
    assert_error(await bob.request("POST", f"/invites/{codes[0]}/accept"), 404, "not_found")
    code = (await invite(admin, chat_id))["code"]
    await owner.delete(f"/chats/{chat_id}/members/{admin.id}")
    assert_error(await bob.request("POST", f"/invites/{code}/accept"), 404, "not_found")


@pytest.mark.parametrize("code", HOSTILE)
async def test_a_text_that_is_no_code_is_not_found(server: Server, code: str) -> None:
    ann = await server.person("ann")
    for client, method, path in (
        (server.stranger(), "GET", f"/invites/{code}"),
        (ann, "POST", f"/invites/{code}/accept"),
        (ann, "DELETE", f"/invites/{code}"),
    ):
        assert_error(await client.request(method, path), 404, "not_found")


async def test_a_code_with_a_slash_is_no_path_of_ours(server: Server) -> None:
    assert_error(await server.stranger().request("GET", "/invites/a/b"), 404, "not_found")
    assert_error(await server.stranger().request("GET", "/invites/"), 404, "not_found")


async def test_strangers_who_guess_codes_are_limited(serve: Serve) -> None:
    server = await serve(auth_calls_per_min=5, clock=ManualClock())
    ann = await server.person("ann")  # two calls: register and login
    code = (await invite(ann, await ann.chat()))["code"]
    stranger = server.stranger()
    for guess in (code, "x" * 22, "y"):
        await stranger.request("GET", f"/invites/{guess}")
    assert_error(await stranger.request("GET", f"/invites/{code}"), 429, "rate_limited")
    assert_error(
        await stranger.request("POST", "/auth/login", json={"username": "ann", "password": "x"}),
        429,
        "rate_limited",
    )


async def test_the_link_is_that_of_the_setting_or_of_the_request(serve: Serve) -> None:
    server = await serve(public_url="https://chat.example.org")
    ann = await server.person("ann")
    chat_id = await ann.chat()
    made = await invite(ann, chat_id)
    assert made["url"] == f"https://chat.example.org/invite/{made['code']}"
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example", "Host": "other.example"}
    status, listed = await ann.request("GET", f"/chats/{chat_id}/invites", headers=headers)
    assert (status, listed["invites"]) == (200, [made])


@pytest.mark.parametrize(("trusted", "expected"), [(True, "https://chat.example.org"), (False, None)])
async def test_only_a_trusted_proxy_says_where_a_request_came_to(
    serve: Serve, trusted: bool, expected: str | None
) -> None:
    proxies = (ip_network("127.0.0.1"),) if trusted else ()
    server = await serve(trusted_proxies=proxies)
    ann = await server.person("ann")
    chat_id = await ann.chat()
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "chat.example.org"}
    status, made = await ann.request("POST", f"/chats/{chat_id}/invites", json={}, headers=headers)
    assert status == 201
    assert made["url"] == f"{expected or server.url}/invite/{made['code']}"


@pytest.mark.stores
async def test_invites_to_the_server(server: Server) -> None:
    boss, ann = await server.people("boss", "ann")
    await make_admin(server.chat_app, boss.id)
    for method in ("POST", "GET"):
        assert_error(await ann.request(method, "/admin/invites"), 403, "forbidden")
        assert_error(await server.stranger().request(method, "/admin/invites"), 401, "unauthenticated")
    status, made = await boss.request("POST", "/admin/invites", json={"max_uses": 2, "expires_in_s": 0})
    assert status == 201
    assert fits(made, INVITE)
    assert (made["chat_id"], made["max_uses"], made["expires_at"]) == (None, 2, None)
    second = await boss.post("/admin/invites")
    assert await boss.get("/admin/invites") == {"invites": [made, second], "next_cursor": None}
    page = await boss.get("/admin/invites", limit=1)
    assert page["invites"] == [made]
    rest = await boss.get("/admin/invites", limit=1, cursor=page["next_cursor"])
    assert rest == {"invites": [second], "next_cursor": None}
    offered = await server.stranger().get(f"/invites/{made['code']}")
    assert offered == {"code": made["code"], "chat": None, "invited_by": {"display_name": "boss"}}
    assert_error(await ann.request("POST", f"/invites/{made['code']}/accept"), 422, "invalid", "code")
    assert_error(await ann.request("DELETE", f"/invites/{made['code']}"), 403, "forbidden")
    await boss.delete(f"/invites/{made['code']}")
    assert (await boss.get("/admin/invites"))["invites"] == [second]


async def test_no_log_has_a_code(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat()
    code = (await invite(ann, chat_id))["code"]
    await server.stranger().get(f"/invites/{code}")
    await bob.post(f"/invites/{code}/accept")
    await ann.delete(f"/invites/{code}")
    entries = (await ann.get(f"/chats/{chat_id}/audit"))["entries"]
    assert [entry["action"] for entry in entries] == ["invite_removed", "member_joined", "invite_made"]
    assert code not in str(entries)
    printed = capsys.readouterr()
    assert code not in printed.out + printed.err
