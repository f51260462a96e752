"""Over REST, a private chat does not exist for the other person before its first message."""

import asyncio

import pytest

from tests.clients.shapes import CHAT, assert_error, fits
from tests.conftest import Server

CALLS = [
    ("GET", "", None),
    ("PATCH", "", {"name": "x"}),
    ("DELETE", "", None),
    ("PATCH", "/me", {"favorite": True}),
    ("POST", "/read", {}),
    ("GET", "/members", None),
    ("POST", "/members", {"user_id": 1}),
    ("PATCH", "/members/1", {"role": "admin"}),
    ("DELETE", "/members/1", None),
    ("DELETE", "/members/2", None),
    ("GET", "/messages", None),
    ("POST", "/bans", {"user_id": 1}),
    ("GET", "/bans", None),
    ("DELETE", "/bans/1", None),
    ("GET", "/audit", None),
    ("POST", "/invites", {}),
    ("GET", "/invites", None),
    ("POST", "/join", {}),
    ("PATCH", "", {"slow_mode_s": 5}),
]


@pytest.mark.stores
async def test_it_is_not_found_whatever_one_asks(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob, chat_type="private")
    for method, path, body in CALLS:
        answer = await bob.request(method, f"/chats/{chat_id}{path}", json=body)
        assert_error(answer, 404, "not_found")
        nowhere = await bob.request(method, f"/chats/{chat_id + 1}{path}", json=body)
        assert answer == nowhere, "not a word more than of a chat that does not exist"
    message = {"chat_id": chat_id, "content": "hi"}
    assert_error(await bob.request("POST", "/messages", json=message), 404, "not_found")
    for hidden in ("false", "true"):
        assert (await bob.get("/chats", hidden=hidden))["chats"] == []
    for path in ("", "/members", "/messages"):
        assert (await ann.request("GET", f"/chats/{chat_id}{path}"))[0] == 200
    (chat,) = (await ann.get("/chats"))["chats"]
    assert fits(chat, CHAT)
    assert (chat["id"], chat["member_count"]) == (chat_id, 2)
    await ann.say(chat_id, "hi")
    assert [one["id"] for one in (await bob.get("/chats"))["chats"]] == [chat_id]
    assert len((await bob.get(f"/chats/{chat_id}/members"))["members"]) == 2


@pytest.mark.stores
async def test_it_does_not_exist_after_a_restart_either(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob, chat_type="private")
    await server.restart()
    client = await bob.connect()
    assert (await client.command("join_chat", chat_id=chat_id))["code"] == "not_found"
    assert_error(await bob.request("GET", f"/chats/{chat_id}/messages"), 404, "not_found")
    assert await bob.chat(ann, chat_type="private") == chat_id
    await client.next("chat_added")
    await client.done("join_chat", chat_id=chat_id)
    await server.restart()
    assert (await bob.get(f"/chats/{chat_id}"))["id"] == chat_id


async def test_with_whom_there_is_no_new_one(server: Server) -> None:
    ann, bob, gone = await server.people("ann", "bob", "gone")
    store = server.chat_app.context.store
    await store.users.delete(gone.id)
    await bob.request("PUT", f"/users/{ann.id}/block")
    for other, status, code in ((gone, 422, "invalid"), (bob, 403, "forbidden"), (ann, 422, "invalid")):
        body = {"chat_type": "private", "member_ids": [other.id]}
        field = ["member_ids"] if code == "invalid" else []
        assert_error(await ann.request("POST", "/chats", json=body), status, code, *field)


async def test_both_ask_at_once(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    anns, bobs = await ann.connect(), await bob.connect()
    answers = await asyncio.gather(
        *(
            person.request("POST", "/chats", json={"chat_type": "private", "member_ids": [other.id]})
            for person, other in [(ann, bob), (bob, ann)] * 5
        )
    )
    assert sorted(status for status, _ in answers) == [200] * 9 + [201]
    assert len({chat["id"] for _, chat in answers}) == 1
    for client in (anns, bobs):
        added = [frame for frame in await client.drain() if frame["type"] == "chat_added"]
        assert [frame["chat_id"] for frame in added] == [answers[0][1]["id"]]


async def test_it_is_deleted_until_both_have_written(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob, chat_type="private")
    await ann.say(chat_id, "hi")
    await bob.say(chat_id, "hi")
    assert_error(await ann.request("DELETE", f"/chats/{chat_id}"), 403, "forbidden")
    assert (await ann.get(f"/chats/{chat_id}"))["seq"] == 2
