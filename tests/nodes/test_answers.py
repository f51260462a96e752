"""What one node has acked is in every later answer of another, and no refusal rests on memory that is behind."""

import asyncio
from typing import Any

import jwt
import pytest

from tests.clients.rest import PASSWORD, RestClient
from tests.clients.shapes import assert_error
from tests.cluster.cluster import SECRET_KEY
from tests.cluster.waiting import until
from tests.nodes.conftest import Pair

pytestmark = pytest.mark.cluster

ROUNDS = 8
"""How often something that would be right by chance now and then is tried."""


async def warm(pair: Pair, *people: Any) -> None:
    """The second node has these people, and their chats, in memory."""
    for person in people:
        there = pair.there(person)
        await there.get("/users/me")
        for chat in (await there.get("/chats"))["chats"]:
            await there.get(f"/chats/{chat['id']}/messages")


async def test_every_answer_has_what_the_other_node_has_acked(pair: Pair) -> None:
    ann, bob = await pair.people("ann", "bob")
    chat_id = await ann.chat(bob)
    there = pair.there(bob)
    await (await there.joined(chat_id)).done("ping")
    for number in range(ROUNDS):
        message = await ann.say(chat_id, f"m{number}")
        assert await there.get(f"/messages/{message['id']}") == message
        assert (await there.get(f"/chats/{chat_id}/messages", limit=1))["messages"] == [message]
        (listed,) = (await there.get("/chats"))["chats"]
        assert (listed["last_message"], listed["unread_count"]) == (message, 1)
        await ann.patch(f"/messages/{message['id']}", content=f"e{number}")
        assert (await there.get(f"/messages/{message['id']}"))["content"] == f"e{number}"
        await ann.patch(f"/chats/{chat_id}", name=f"Room {number}")
        assert (await there.get(f"/chats/{chat_id}"))["name"] == f"Room {number}"
        await ann.patch("/users/me", display_name=f"Ann {number}")
        assert (await there.get(f"/users/{ann.id}"))["display_name"] == f"Ann {number}"
        members = (await there.get(f"/chats/{chat_id}/members"))["members"]
        assert members[0]["user"]["display_name"] == f"Ann {number}"
        assert (await there.get("/users", q="ann"))["users"][0]["display_name"] == f"Ann {number}"
        await bob.post(f"/chats/{chat_id}/read")
        assert (await there.get(f"/chats/{chat_id}"))["unread_count"] == 0
        await ann.delete(f"/messages/{message['id']}")
        assert_error(await there.request("GET", f"/messages/{message['id']}"), 404, "not_found")


async def test_all_up_to_the_head_of_a_page_is_in_it(pair: Pair) -> None:
    ann, bob = await pair.people("ann", "bob")
    chat_id = await ann.chat(bob)
    await pair.there(bob).joined(chat_id)

    async def read() -> None:
        for _ in range(40):
            page = await pair.there(bob).get(f"/chats/{chat_id}/messages", limit=200)
            seqs = [message["seq"] for message in page["messages"]]
            assert seqs[: page["head_seq"]] == list(range(1, page["head_seq"] + 1))

    async def write() -> None:
        for number in range(40):
            await ann.say(chat_id, f"m{number}")

    await asyncio.gather(read(), write())


async def test_a_new_member_is_not_refused(pair: Pair) -> None:
    """The second node has the chat in memory, without them."""
    ann, bob, carl = await pair.people("ann", "bob", "carl")
    chat_id = await ann.chat(carl)
    await warm(pair, ann, bob, carl)
    await pair.there(carl).joined(chat_id)
    client = await pair.there(bob).connect()
    there = pair.there(bob)
    commands: list[tuple[str, dict[str, Any]]] = [
        ("join_chat", {"chat_id": chat_id}),
        ("join_chat", {"chat_id": chat_id, "after_seq": 0}),
        ("send_message", {"chat_id": chat_id, "content": "x"}),
        ("typing", {"chat_id": chat_id, "is_typing": True}),
        ("read_messages", {"chat_id": chat_id}),
        ("list_messages", {"chat_id": chat_id}),
        ("list_members", {"chat_id": chat_id}),
        ("get_chat", {"chat_id": chat_id}),
    ]

    async def is_out() -> bool:
        return (await client.command("join_chat", chat_id=chat_id)).get("code") == "not_found"

    for name, params in commands:
        await until(is_out, 1)  # a removal may take a second
        await ann.post(f"/chats/{chat_id}/members", user_id=bob.id)
        if name in ("list_messages", "list_members", "get_chat"):
            path = {"list_messages": "/messages", "list_members": "/members", "get_chat": ""}[name]
            await there.get(f"/chats/{chat_id}{path}")
        else:
            await client.done(name, **params)
        await ann.delete(f"/chats/{chat_id}/members/{bob.id}")


async def test_what_a_new_role_allows_is_allowed_at_once(pair: Pair) -> None:
    ann, bob = await pair.people("ann", "bob")
    chat_id = await ann.chat(bob, chat_type="channel")
    there = pair.there(bob)
    await there.joined(chat_id)
    for _ in range(ROUNDS):
        body = {"chat_id": chat_id, "content": "x"}
        assert_error(await there.request("POST", "/messages", json=body), 403, "forbidden")
        await ann.patch(f"/chats/{chat_id}/members/{bob.id}", role="admin")
        await there.say(chat_id, "x")
        await there.patch(f"/chats/{chat_id}", name="By Bob")
        await ann.patch(f"/chats/{chat_id}/members/{bob.id}", role="member")


async def test_a_chat_and_its_messages_exist_at_once(pair: Pair) -> None:
    ann, bob = await pair.people("ann", "bob")
    await warm(pair, ann, bob)
    client = await pair.there(bob).connect()
    for number in range(ROUNDS):
        chat_id = await ann.chat(bob)
        assert_error(await pair.there(bob).request("GET", f"/chats/{chat_id + 1}"), 404, "not_found")
        await client.done("join_chat", chat_id=chat_id)
        message = await ann.say(chat_id, f"m{number}")
        await pair.there(ann).patch(f"/messages/{message['id']}", content="edited elsewhere")


async def test_an_account_and_a_session_exist_at_once(pair: Pair) -> None:
    for number in range(ROUNDS):
        ann = (await pair.people(f"ann{number}"))[0]
        assert (await pair.there(ann).get("/users/me"))["id"] == ann.id
        assert (await (await pair.there(ann).connect()).done("ping"))["ok"] is True
        fresh = RestClient(ann.http, pair.two.url)
        answer = await fresh.post("/auth/refresh", refresh_token=ann.refresh_token)
        ann.token = answer["access_token"]
        assert (await ann.get("/users/me"))["id"] == ann.id


async def test_a_ban_that_was_lifted_elsewhere_refuses_nobody(pair: Pair) -> None:
    """Tokens of another backend are of no session that the ban would have ended."""
    (ann,) = await pair.people("ann")
    ann.token = jwt.encode({"sub": str(ann.id), "exp": 2**32}, SECRET_KEY, "HS256")
    there = pair.there(ann)
    await there.get("/users/me")
    for _ in range(2):
        assert (await pair.one.command_line("user", "ban", "ann"))[0] == 0
        await asyncio.sleep(1)  # the second node hears of it
        assert_error(await there.request("GET", "/users/me"), 403, "forbidden")
        assert await (await there.open()).closed() == 4403
        assert (await pair.one.command_line("user", "unban", "ann"))[0] == 0
        await there.get("/users/me")
        await (await there.connect()).done("ping")


async def test_a_login_counts_everywhere_and_a_wrong_one_nowhere(pair: Pair) -> None:
    (ann,) = await pair.people("ann")
    for number in range(ROUNDS):
        password = f"password number {number}"
        old = PASSWORD if number == 0 else f"password number {number - 1}"
        await ann.patch("/users/me", password=password, old_password=old)
        stranger = RestClient(ann.http, pair.two.url)
        body = {"username": "ann", "password": old}
        assert_error(await stranger.request("POST", "/auth/login", json=body), 401, "unauthenticated")
        await pair.there(ann).login("ann", password)
        await ann.login("ann", password)
