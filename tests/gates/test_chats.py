"""Chats over REST: creating, listing, renaming, deleting, and the events that members receive."""

from typing import Any

import pytest

from tests.clients.shapes import CHAT, SHARED_CHAT, assert_error, fits
from tests.conftest import Server


@pytest.mark.parametrize("chat_type", ["group", "channel"])
async def test_a_new_chat_has_the_caller_as_owner(server: Server, chat_type: str) -> None:
    ann, bob = await server.people("ann", "bob")
    body = {"name": "Команда", "chat_type": chat_type, "member_ids": [bob.id, ann.id, bob.id]}
    status, chat = await ann.request("POST", "/chats", json=body)
    assert status == 201
    assert fits(chat, CHAT)
    assert (chat["name"], chat["chat_type"], chat["created_by"]) == ("Команда", chat_type, ann.id)
    assert (chat["role"], chat["member_count"], chat["seq"]) == ("owner", 2, 0)
    assert (chat["unread_count"], chat["last_message"], chat["last_read_message_id"]) == (0, None, None)
    assert await ann.get(f"/chats/{chat['id']}") == chat
    assert await bob.get(f"/chats/{chat['id']}") == {**chat, "role": "member"}


@pytest.mark.stores
async def test_two_users_have_one_private_chat(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    status, chat = await ann.request("POST", "/chats", json={"chat_type": "private", "member_ids": [bob.id]})
    assert (status, chat["name"], chat["member_count"]) == (201, None, 2)
    again = {"chat_type": "private", "member_ids": [ann.id], "name": "other"}
    for caller, other in ((ann, bob), (bob, ann)):
        status, same = await caller.request("POST", "/chats", json={**again, "member_ids": [other.id]})
        assert (status, same["id"], same["name"]) == (200, chat["id"], None)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"chat_type": "secret"}, "chat_type"),
        ({"chat_type": None}, "chat_type"),
        ({"chat_type": 7}, "chat_type"),
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": 7}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"member_ids": [99]}, "member_ids"),
        ({"member_ids": ["2"]}, "member_ids"),
        ({"member_ids": [2.0]}, "member_ids"),
        ({"member_ids": [0]}, "member_ids"),
        ({"member_ids": 2}, "member_ids"),
        ({"member_ids": list(range(1, 1002))}, "member_ids"),
        ({"chat_type": "private", "member_ids": []}, "member_ids"),
        ({"chat_type": "private", "member_ids": [1]}, "member_ids"),
        ({"chat_type": "private", "member_ids": [2, 3]}, "member_ids"),
        ({"chat_type": "private", "member_ids": None}, "member_ids"),
    ],
)
async def test_a_wrong_field_is_invalid_and_makes_no_chat(
    server: Server, change: dict[str, Any], field: str
) -> None:
    ann, *_ = await server.people("ann", "bob", "carl")
    body = {"name": "Room", "chat_type": "group", "member_ids": [2], **change}
    assert_error(await ann.request("POST", "/chats", json=body), 422, "invalid", field)
    assert await ann.get("/chats") == {"chats": [], "next_cursor": None}


async def test_the_list_has_the_latest_activity_first(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    first, second, third = [await ann.chat(bob, name=str(number)) for number in range(3)]
    assert await _ids(bob) == [third, second, first]
    message = await ann.say(first, "news")
    assert await _ids(bob) == [first, third, second]
    page = await bob.get("/chats")
    assert all(fits(chat, CHAT) for chat in page["chats"])
    first_view = page["chats"][0]
    assert (first_view["last_message"], first_view["unread_count"], first_view["seq"]) == (message, 1, 1)
    await ann.delete(f"/messages/{message['id']}")
    assert (await bob.get(f"/chats/{first}"))["last_message"] is None


@pytest.mark.stores
async def test_the_list_comes_in_pages(server: Server) -> None:
    ann = await server.person("ann")
    made = [await ann.chat(name=str(number)) for number in range(5)]
    got = []
    cursor: dict[str, Any] | None = {}
    while cursor is not None:
        page = await ann.get("/chats", limit="2", **cursor)
        got.append([chat["id"] for chat in page["chats"]])
        cursor = None if page["next_cursor"] is None else {"cursor": page["next_cursor"]}
    assert got == [made[4:2:-1], made[2:0:-1], made[:1]]


@pytest.mark.parametrize(
    ("field", "value"), [("limit", "0"), ("limit", "201"), ("limit", "x"), ("cursor", "x"), ("cursor", "")]
)
async def test_a_wrong_page_is_invalid(server: Server, field: str, value: str) -> None:
    ann = await server.person("ann")
    assert_error(await ann.request("GET", "/chats", params={field: value}), 422, "invalid", field)


async def test_members_hear_of_a_new_chat_a_new_name_and_the_end(server: Server) -> None:
    ann, bob, eve = await server.people("ann", "bob", "eve")
    anns, bobs, eves = await ann.connect(), await bob.connect(), await eve.connect()
    chat_id = await ann.chat(bob)
    for client in (anns, bobs):
        added = await client.next()
        assert (added["type"], added["chat_id"]) == ("chat_added", chat_id)
    renamed = await ann.patch(f"/chats/{chat_id}", name="Новое имя")
    assert fits(renamed, CHAT)
    for client in (anns, bobs):
        changed = await client.next()
        assert (changed["type"], changed["chat_id"]) == ("chat_changed", chat_id)
        assert fits(changed["chat"], SHARED_CHAT)
        assert changed["chat"] == {name: renamed[name] for name in SHARED_CHAT}
        assert "seq" not in changed
    await bobs.done("join_chat", chat_id=chat_id)
    await bobs.drain()
    await ann.delete(f"/chats/{chat_id}")
    for client in (anns, bobs):
        removed = await client.next()
        assert (removed["type"], removed["chat_id"]) == ("chat_removed", chat_id)
        await client.nothing_more()
    assert (await bobs.command("join_chat", chat_id=chat_id))["code"] == "not_found"
    await eves.nothing_more()


async def test_a_deleted_chat_is_gone_for_everybody(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    message = await ann.say(chat_id, "bye")
    await ann.delete(f"/chats/{chat_id}")
    for person in (ann, bob):
        assert await _ids(person) == []
        assert_error(await person.request("GET", f"/chats/{chat_id}"), 404, "not_found")
        assert_error(await person.request("GET", f"/messages/{message['id']}"), 404, "not_found")
    assert_error(await ann.request("DELETE", f"/chats/{chat_id}"), 404, "not_found")


async def test_a_private_chat_has_no_name_to_change_and_is_deleted_by_its_owner(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob, chat_type="private")
    await ann.say(chat_id, "hi")
    assert_error(await ann.request("PATCH", f"/chats/{chat_id}", json={"name": "Us"}), 403, "forbidden")
    assert_error(await bob.request("DELETE", f"/chats/{chat_id}"), 403, "forbidden")
    await ann.delete(f"/chats/{chat_id}")
    assert await ann.chat(bob, chat_type="private") != chat_id


async def _ids(person: Any) -> list[int]:
    return [chat["id"] for chat in (await person.get("/chats"))["chats"]]
