"""Attempts to get more than one's own: fields that a call does not name, query operators, other people's names."""

from typing import Any

import bcrypt
import pytest

from tests.clients.rest import PASSWORD
from tests.clients.shapes import assert_error
from tests.conftest import Serve, Server

FORGED: dict[str, Any] = {
    "id": 999,
    "user_id": 2,
    "is_bot": True,
    "banned": False,
    "deleted": True,
    "password_hash": "x",
    "created_at": "2000-01-01T00:00:00+00:00",
    "last_seen_at": "2000-01-01T00:00:00+00:00",
    "status": "busy",
    "sender_id": 2,
    "seq": 999,
    "changed_seq": 999,
    "edited_at": "2000-01-01T00:00:00+00:00",
    "pinned": True,
    "reactions": {"x": [1]},
    "mentions": [1, 2],
    "mentions_all": True,
    "created_by": 2,
    "member_count": 999,
    "head_seq": 999,
    "joined_at": "2000-01-01T00:00:00+00:00",
    "last_read_message_id": 999,
}
"""All fields of objects that no client may set."""


async def test_no_field_is_taken_that_a_call_does_not_name(server: Server) -> None:
    stranger = server.stranger()
    user = await stranger.register("ann", **FORGED)
    assert (user["id"], user["is_bot"], user["status"], user["last_seen_at"]) == (1, False, "offline", None)
    bob = await server.person("bob")
    ann = server.stranger()
    await ann.login("ann")
    me = await ann.patch("/users/me", display_name="Ann", username="root", email="x@y.z", **FORGED)
    assert me == {**user, "display_name": "Ann"}
    assert (await bob.get("/users/me"))["display_name"] == "bob"
    chat = await ann.post("/chats", name="Room", chat_type="group", role="member", **FORGED)
    assert (chat["id"], chat["created_by"], chat["member_count"], chat["role"], chat["seq"]) == (
        1,
        1,
        1,
        "owner",
        0,
    )
    message = await ann.post("/messages", chat_id=1, content="hi", **FORGED)
    assert (message["sender_id"], message["seq"], message["changed_seq"]) == (1, 1, 1)
    assert (message["pinned"], message["attachments"], message["reactions"]) == (False, [], {})
    assert (message["mentions"], message["mentions_all"]) == ([], False)
    assert (message["edited_at"], message["created_at"] > "2020") == (None, True)
    member = await ann.post("/chats/1/members", chat_id=99, **FORGED)
    assert (member["user"]["id"], member["role"], member["joined_at"] > "2020") == (bob.id, "member", True)
    client = await server.open(ann.token)
    on_a_frame = {name: value for name, value in FORGED.items() if name != "id"}
    ack = await client.done("send_message", chat_id=1, content="hi", **on_a_frame)
    assert (ack["message"]["sender_id"], ack["seq"]) == (1, 2)


async def test_the_path_wins_over_body_and_query(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    mine, theirs = await ann.chat(), await bob.chat()
    await ann.patch(f"/chats/{mine}", name="Mine", chat_id=theirs)
    assert (await ann.get(f"/chats/{mine}"))["name"] == "Mine"
    assert (await bob.get(f"/chats/{theirs}"))["name"] == "Room"
    message, other = await ann.say(mine, "mine"), await bob.say(theirs, "theirs")
    edited = await ann.patch(f"/messages/{message['id']}", content="edited", message_id=other["id"])
    assert edited["id"] == message["id"]
    page = await ann.get(f"/chats/{mine}/messages", chat_id=theirs, message_id=other["id"])
    assert [shown["id"] for shown in page["messages"]] == [message["id"]]
    assert (await ann.get("/users/me", user_id=bob.id))["id"] == ann.id


OPERATORS: list[Any] = [
    {"$ne": None},
    {"$gt": ""},
    {"$regex": ".*"},
    {"$where": "sleep(1000)"},
    [{"$gt": 0}],
    ["ann"],
    {"": ""},
]


@pytest.mark.parametrize("value", OPERATORS)
async def test_an_operator_is_no_value_anywhere(server: Server, value: Any) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    message = await ann.say(chat_id, "hi")
    for path, good, fields in (
        ("/auth/login", {"username": "ann", "password": PASSWORD}, ["username", "password"]),
        ("/auth/refresh", {"refresh_token": ann.refresh_token}, ["refresh_token"]),
        ("/auth/register", {"username": "bob", "password": PASSWORD}, ["username", "password", "email"]),
        ("/messages", {"chat_id": chat_id, "content": "x"}, ["chat_id", "content", "client_id", "reply_to"]),
        (f"/chats/{chat_id}/members", {"user_id": 1}, ["user_id", "role"]),
        (f"/chats/{chat_id}/read", {}, ["up_to"]),
    ):
        for field in fields:
            assert_error(await ann.request("POST", path, json={**good, field: value}), 422, "invalid", field)
    client = await ann.connect()
    for name, good in (
        ("send_message", {"chat_id": chat_id, "content": "x"}),
        ("join_chat", {"chat_id": chat_id, "after_seq": 0}),
        ("edit_message", {"message_id": message["id"], "content": "x"}),
        ("read_messages", {"chat_id": chat_id, "up_to": message["id"]}),
        ("typing", {"chat_id": chat_id, "is_typing": True}),
        ("refresh_token", {"token": ann.token}),
        ("status", {"status": "busy"}),
    ):
        for field in good:
            error = await client.command(name, **{**good, field: value})
            assert (error["code"], list(error["fields"])) == ("invalid", [field])


WORDS = [
    "$where",
    "$ne",
    ".*",
    "a.b",
    "' OR 1=1 --",
    "'; DROP TABLE users; --",
    "%",
    "_",
    "\\",
    "{",
    "\x00",
    "$set.x",
]


@pytest.mark.stores
@pytest.mark.parametrize("word", WORDS)
async def test_words_of_a_query_language_are_only_words(server: Server, word: str) -> None:
    ann = await server.person("ann")
    assert (await ann.get("/users", q=word))["users"] == []
    body = {"username": word, "password": word * 8}
    assert_error(await server.stranger().request("POST", "/auth/login", json=body), 401, "unauthenticated")
    assert_error(
        await server.stranger().request("POST", "/auth/refresh", json={"refresh_token": word}),
        401,
        "unauthenticated",
    )
    name = word.replace("\x00", "\\0")  # no name may hold it
    me = await ann.patch("/users/me", display_name=name)
    assert me["display_name"] == name
    assert [user["id"] for user in (await ann.get("/users", q=name))["users"]] == [ann.id]
    chat_id = await ann.chat(name=name)
    assert (await ann.get(f"/chats/{chat_id}"))["name"] == name
    content = f"{word}."
    first = await ann.say(chat_id, content, client_id=word)
    assert (await ann.say(chat_id, "other", client_id=word))["id"] == first["id"]
    (stored,) = (await ann.get(f"/chats/{chat_id}/messages"))["messages"]
    assert (stored["content"], stored["client_id"]) == (content, word)
    for cursor in (word, word * 100):
        assert_error(await ann.request("GET", "/chats", params={"cursor": cursor}), 422, "invalid", "cursor")


@pytest.mark.stores("sqlite")
async def test_a_login_works_as_hard_for_nobody_as_for_somebody(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await serve(bcrypt_cost=5)
    await server.people("ann", "gone", "banned")
    users = server.chat_app.context.store.users
    await users.delete(2)
    await users.set_banned(3, True)
    costs: list[bytes] = []
    check = bcrypt.checkpw

    def watched(password: bytes, hashed: bytes) -> bool:
        costs.append(hashed.split(b"$")[2])
        return check(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", watched)
    answers = []
    names = ("ann", "ann@example.org", "nobody", "gone", "banned", "x" * 1000, "")
    for name in names:
        for password in ("wrong one", "x" * 100, ""):
            body = {"username": name, "password": password}
            answers.append(await server.stranger().request("POST", "/auth/login", json=body))
    assert answers[0][0] == 401
    assert answers == answers[:1] * len(answers)
    assert costs == [b"05"] * len(answers)
