"""The rules for texts of messages and names at every gate; stored texts that break newer rules stay."""

import sqlite3
from typing import Any

import pytest

from handlers import moderation
from server.demo import PEOPLE, seed_demo
from tests.clients.people import Person
from tests.clients.rest import PASSWORD
from tests.clients.shapes import assert_error
from tests.conftest import Serve, Server

INVISIBLE = [
    " ",
    "\t\n\r",
    "\u00a0\u3000",
    "\u2028\u2029",
    "\x00",
    "\x7f\x85",
    "\u200b\u200d\ufeff",
    "\u202e\u2066",
    "\u00ad",
    "\u0301\u20dd\ufe0f",
    "\ue000\U0010fffd",
    "\u0378\uffff",
    "\U000e0041\U000e007f",
    "\u115f\u1160\u2800\u3164\uffa0",
]
WRITTEN = [
    "x",
    " x\n",
    "\x00x",
    "a\u202eb",
    "👩‍👩‍👧",
    "می‌خواهم",
    "e\u0301\u0301",
    "\u1112\u1161\u11ab",
    "\u2028-",
    "🏽",
]
NAMES = {
    "Anna": "Anna",
    "  Anna\u3000\n": "Anna",
    "Анна K": "Анна K",
    "می‌خواهم": "می‌خواهم",
    "👩‍👧": "👩‍👧",
    "\u2029é": "é",
}
NO_NAMES = [
    *INVISIBLE,
    "x\u202ey",
    "x\u200by",
    "x\u200ey",
    "x\u2066y",
    "x\ufeffy",
    "x\u00ady",
    "x\ny",
    "x\x00",
    "x\x85y",
    "x\u2028y",
    "x\u2029y",
    "x\U000e0041",
]


@pytest.mark.wires
async def test_content_has_something_visible_on_every_wire(server: Server) -> None:
    ann = await server.person("ann")
    client, chat_id = await ann.connect(), await ann.chat()
    message = await ann.say(chat_id, "first")
    for content in INVISIBLE:
        for name, fields in (
            ("send_message", {"chat_id": chat_id}),
            ("edit_message", {"message_id": message["id"]}),
        ):
            answer = await client.command(name, **fields, content=content)
            assert (answer["type"], answer.get("code")) == ("error", "invalid"), (name, content)
            assert answer["fields"] == {"content": "must have something visible"}
    assert [one["content"] for one in (await ann.get(f"/chats/{chat_id}/messages"))["messages"]] == ["first"]
    for content in WRITTEN:
        ack = await client.done("send_message", chat_id=chat_id, content=content)
        assert ack["message"]["content"] == content
        ack = await client.done("edit_message", message_id=message["id"], content=content)
        assert ack["message"]["content"] == content


async def test_content_has_something_visible_over_rest(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    message = await ann.say(chat_id, "first")
    for content in INVISIBLE:
        calls: Any = (
            ("POST", "/messages", {"chat_id": chat_id}),
            ("PATCH", f"/messages/{message['id']}", {}),
        )
        for method, path, body in (*calls, ("PUT", f"/messages/{message['id']}", {})):
            answer = await ann.request(method, path, json={**body, "content": content})
            assert_error(answer, 422, "invalid", "content")
    for content in WRITTEN:
        assert (await ann.say(chat_id, content))["content"] == content
        assert (await ann.patch(f"/messages/{message['id']}", content=content))["content"] == content


async def test_names_are_trimmed_and_hold_nothing_that_hides(serve: Serve) -> None:
    server = await serve(auth_calls_per_min=0)
    ann = await server.person("ann")
    chat_id = await ann.chat()
    numbers = iter(range(1000))
    calls = {
        "display_name": [("POST", "/auth/register"), ("PATCH", "/users/me")],
        "name": [("POST", "/chats"), ("PATCH", f"/chats/{chat_id}")],
    }

    async def attempt(method: str, path: str, field: str, name: str) -> Any:
        body = {field: name, "chat_type": "group"}
        if path == "/auth/register":
            body |= {"username": f"user{next(numbers)}", "password": "correct horse"}
        return await ann.request(method, path, json=body)

    for field, gates in calls.items():
        for method, path in gates:
            for name in (*NO_NAMES, "", "x" * 101, " " + "x" * 101):
                assert_error(await attempt(method, path, field, name), 422, "invalid", field)
            for name, kept in (*NAMES.items(), ("x" * 100 + " " * 9, "x" * 100), ("🙂" * 100, "🙂" * 100)):
                status, answer = await attempt(method, path, field, name)
                assert status < 300, (path, name, answer)
                assert answer[field] == kept
    assert (
        (await ann.get("/users/me"))["display_name"]
        == (await ann.get(f"/chats/{chat_id}"))["name"]
        == "🙂" * 100
    )


async def test_a_private_chat_has_no_name_whatever_is_sent(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    body = {"chat_type": "private", "member_ids": [bob.id], "name": "\u202e"}
    assert (await ann.post("/chats", **body))["name"] is None


async def test_what_the_demo_says_keeps_to_the_rules(server: Server) -> None:
    assert await seed_demo(server.chat_app, PASSWORD)
    alice = Person(server.http, server.url, server.ws_url, "alice")
    user = (await alice.login("alice", PASSWORD))["user"]
    assert (await alice.patch("/users/me", display_name=user["display_name"])) == user
    assert len((await alice.get("/chats"))["chats"]) == 2
    assert not await seed_demo(server.chat_app, PASSWORD)
    for name in PEOPLE[1:]:
        await moderation.ban(server.chat_app.context.store, name)
    assert not await seed_demo(server.chat_app, PASSWORD)


@pytest.mark.stores("sqlite")
async def test_what_is_stored_already_stays_and_its_owner_goes_on(serve: Serve) -> None:
    server = await serve()
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    message = await ann.say(chat_id, "x", client_id="c")
    await server.stop()
    with sqlite3.connect(server.config.data_dir / "vestnik.db") as db:
        db.execute("UPDATE users SET display_name = '\u202e' WHERE id = ?", (ann.id,))
        db.execute("UPDATE chats SET name = '\u200b' || char(10)")
        db.execute("UPDATE messages SET content = ' '")
    db.close()
    await server.start()
    await ann.request("GET", "/users/me")  # it is repeated if its connection ended with the old server
    assert (await ann.login("ann"))["user"]["display_name"] == "\u202e"
    assert (await bob.get(f"/users/{ann.id}"))["display_name"] == "\u202e"
    (chat,) = (await bob.get("/chats"))["chats"]
    assert (chat["name"], chat["last_message"]["content"]) == ("\u200b\n", " ")
    assert [one["content"] for one in (await bob.get(f"/chats/{chat_id}/messages"))["messages"]] == [" "]
    body = {"chat_id": chat_id, "content": " ", "client_id": "c"}
    status, again = await ann.request(
        "POST", "/messages", json=body
    )  # whose answer was lost with the old server
    assert (status, again["id"]) == (200, message["id"])
    body["client_id"] = "d"
    assert_error(await ann.request("POST", "/messages", json=body), 422, "invalid", "content")
    client = await bob.joined(chat_id)
    await ann.say(chat_id, "still here")
    assert (await client.next("new_message"))["message"]["content"] == "still here"
    assert (await ann.patch(f"/messages/{message['id']}", content="visible"))["content"] == "visible"
    await ann.patch("/users/me", password="another horse", old_password="correct horse battery")
    assert (await ann.patch(f"/chats/{chat_id}", name="Better"))["name"] == "Better"
