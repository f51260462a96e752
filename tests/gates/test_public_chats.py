"""Public chats over REST: making them public, finding and joining them."""

from typing import Any

import pytest

from tests.clients.people import Person
from tests.clients.shapes import CHAT, SHARED_CHAT, assert_error, fits
from tests.conftest import Server


async def public(owner: Person, name: str = "Lobby", **more: Any) -> int:
    chat_id = await owner.chat(name=name, **more)
    assert (await owner.patch(f"/chats/{chat_id}", is_public=True))["is_public"] is True
    return chat_id


@pytest.mark.stores
@pytest.mark.parametrize("chat_type", ["group", "channel"])
async def test_a_public_chat_is_found_and_joined(server: Server, chat_type: str) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(chat_type=chat_type, name="Lobby")
    first = await ann.say(chat_id, "all history shows")
    assert_error(await bob.request("POST", f"/chats/{chat_id}/join"), 404, "not_found")
    watching = await ann.connect()
    await watching.drain()
    changed = await ann.patch(f"/chats/{chat_id}", is_public=True)
    assert fits(changed, CHAT)
    told = await watching.next()
    assert (told["type"], told["chat"]["is_public"]) == ("chat_changed", True)
    page = await bob.get("/chats/public")
    assert page["next_cursor"] is None
    (found,) = page["chats"]
    assert fits(found, SHARED_CHAT)
    assert (found["id"], found["name"], found["member_count"]) == (chat_id, "Lobby", 1)
    assert_error(await bob.request("GET", f"/chats/{chat_id}"), 404, "not_found")  # not before they join
    coming = await bob.connect()
    await coming.drain()
    status, chat = await bob.request("POST", f"/chats/{chat_id}/join")
    assert status == 200
    assert fits(chat, CHAT)
    assert (chat["role"], chat["member_count"], chat["unread_count"]) == ("member", 2, 0)
    assert (await coming.next())["type"] == "chat_added"
    assert (await watching.next())["type"] == "chat_changed"
    assert (await bob.get(f"/chats/{chat_id}/messages"))["messages"] == [first]
    assert await bob.request("POST", f"/chats/{chat_id}/join") == (200, chat)
    assert [one["id"] for one in (await bob.get("/chats/public"))["chats"]] == [chat_id]


async def test_who_makes_a_chat_public(server: Server) -> None:
    owner, admin, member, stranger = await server.people("owner", "admin", "member", "stranger")
    chat_id = await owner.chat(admin, member)
    await owner.patch(f"/chats/{chat_id}/members/{admin.id}", role="admin")
    for person, status, code in (
        (admin, 403, "forbidden"),
        (member, 403, "forbidden"),
        (stranger, 404, "not_found"),
    ):
        for body in ({"is_public": True}, {"is_public": True, "name": "Mine"}):
            assert_error(await person.request("PATCH", f"/chats/{chat_id}", json=body), status, code)
    assert (await owner.get(f"/chats/{chat_id}"))["name"] == "Room"
    both = await owner.patch(f"/chats/{chat_id}", is_public=True, name="Hall")
    assert (both["is_public"], both["name"]) == (True, "Hall")
    assert (await admin.patch(f"/chats/{chat_id}", name="Lobby"))["is_public"] is True
    private = await owner.chat(member, chat_type="private")
    answer = await owner.request("PATCH", f"/chats/{private}", json={"is_public": True})
    assert_error(answer, 403, "forbidden")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": None, "is_public": None}, "name"),
        ({"is_public": "true"}, "is_public"),
        ({"is_public": 1}, "is_public"),
        ({"is_public": True, "name": ""}, "name"),
        ({"is_public": True, "name": "\n"}, "name"),
    ],
)
async def test_a_wrong_field_changes_nothing(server: Server, body: dict[str, Any], field: str) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    before = await ann.get(f"/chats/{chat_id}")
    assert_error(await ann.request("PATCH", f"/chats/{chat_id}", json=body), 422, "invalid", field)
    assert await ann.get(f"/chats/{chat_id}") == before


async def test_a_change_to_what_it_is_tells_nobody(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await public(ann)
    watching = await ann.connect()
    await watching.drain()
    await ann.patch(f"/chats/{chat_id}", is_public=True, name="Lobby")
    await ann.patch(f"/chats/{chat_id}", name="Hall")
    assert (await watching.next())["chat"]["name"] == "Hall"


async def test_public_chats_are_searched_in_pages(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    ids = [await public(ann, f"Room {number}") for number in range(5)]
    await ann.chat(name="Room, secret")
    found: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = await bob.get("/chats/public", q="rOOm", limit="2", **cursor)
        found += [chat["id"] for chat in page["chats"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert found == ids
    assert [chat["id"] for chat in (await bob.get("/chats/public", q="3"))["chats"]] == [ids[3]]
    for text in ("nothing", "%", "x" * 3000, "' OR 1=1"):
        assert await bob.get("/chats/public", q=text) == {"chats": [], "next_cursor": None}
    for query, field in (({"cursor": "x"}, "cursor"), ({"limit": "0"}, "limit"), ({"limit": "201"}, "limit")):
        assert_error(await bob.request("GET", "/chats/public", params=query), 422, "invalid", field)


async def test_only_users_find_and_join(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await public(ann)
    for method, path in (("GET", "/chats/public"), ("POST", f"/chats/{chat_id}/join")):
        assert_error(await server.stranger().request(method, path), 401, "unauthenticated")


async def test_nobody_joins_what_is_not_public(server: Server) -> None:
    ann, bob, carl = await server.people("ann", "bob", "carl")
    group, over = await ann.chat(), await public(ann)
    await ann.patch(f"/chats/{over}", is_public=False)
    private = await ann.chat(bob, chat_type="private")
    for chat_id in (group, over, private, 999, "x"):
        assert_error(await carl.request("POST", f"/chats/{chat_id}/join"), 404, "not_found")
    assert (await ann.request("POST", f"/chats/{group}/join"))[0] == 200  # a member: the same chat
    assert (await carl.get("/chats/public"))["chats"] == []


async def test_a_subscriber_who_joins_is_in_the_room(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await public(ann)
    bot = await bob.connect(subscribe="all")
    await bot.drain()
    await bob.post(f"/chats/{chat_id}/join")
    message = await ann.say(chat_id, "welcome")
    frames = [await bot.next(), await bot.next(), await bot.next()]
    assert [frame["type"] for frame in frames] == ["chat_added", "chat_changed", "new_message"]
    assert frames[-1]["message"] == message


@pytest.mark.stores
async def test_a_banned_user_comes_in_neither_by_themselves_nor_by_an_invite(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await public(ann)
    code = (await ann.post(f"/chats/{chat_id}/invites", max_uses=1))["code"]
    await bob.post(f"/chats/{chat_id}/join")
    await ann.post(f"/chats/{chat_id}/bans", user_id=bob.id)
    assert_error(await bob.request("POST", f"/chats/{chat_id}/join"), 403, "forbidden")
    assert_error(await bob.request("POST", f"/invites/{code}/accept"), 403, "forbidden")
    assert (await ann.get(f"/chats/{chat_id}/invites"))["invites"][0]["uses"] == 0
