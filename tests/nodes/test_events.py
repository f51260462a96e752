"""What happens at one node reaches the clients of another, on both sockets and in one order."""

import asyncio
from typing import Any

import pytest

from tests.clients.client import Client
from tests.nodes.conftest import Pair, content_of
from tests.patience import within

pytestmark = pytest.mark.cluster

SOON_S = 1.0


async def soon(client: Client, name: str) -> dict[str, Any]:
    """The next frame of this type, which comes within a second."""
    async with within(SOON_S):
        return await client.next(name)


async def test_changes_of_messages_reach_the_room_at_the_other_node(pair: Pair) -> None:
    ann, bob = await pair.people("ann", "bob")
    chat_id = await ann.chat(bob)
    here, there = await ann.joined(chat_id), await pair.there(bob).joined(chat_id)
    message = await ann.say(chat_id, "first")
    seen = await soon(there, "new_message")
    assert (seen["message"], seen["seq"]) == (message, 1)
    edited = await pair.there(ann).patch(f"/messages/{message['id']}", content="second")
    event = await soon(here, "message_updated")
    assert (event["content"], event["seq"], event["message"]) == ("second", 2, edited)
    assert (await soon(there, "message_updated"))["seq"] == 2
    await ann.delete(f"/messages/{message['id']}")
    assert (await soon(there, "message_deleted"))["seq"] == 3


async def test_a_read_mark_reaches_the_room_and_other_connections_of_the_reader(pair: Pair) -> None:
    ann, bob = await pair.people("ann", "bob")
    chat_id = await ann.chat(bob)
    message = await ann.say(chat_id, "read me")
    here, unjoined = await ann.joined(chat_id), await bob.connect()
    there = await pair.there(bob).joined(chat_id)
    await there.done("read_messages", chat_id=chat_id)
    async with within(2):
        event = await here.next("messages_read")
        assert (event["user_id"], event["up_to"], event["read_seq"]) == (bob.id, message["id"], 1)
        while (update := await unjoined.update())["unread_count"]:
            pass
    assert update["read_seq"] == 1


async def test_both_nodes_publish_everything_in_one_order(pair: Pair) -> None:
    ann, bob = await pair.people("ann", "bob")
    chat_id = await ann.chat(bob)
    here, there = await ann.joined(chat_id), await pair.there(bob).joined(chat_id)

    async def talk(client: Client, name: str) -> None:
        for number in range(30):
            await client.send({"type": "send_message", "chat_id": chat_id, "content": name, "id": number})
        for number in range(30):
            assert (await client.answer_to(number))["type"] == "ack"

    await asyncio.gather(talk(here, "here"), talk(there, "there"))
    seen = []
    for client in (here, there):
        frames = [await client.next("new_message") for _ in range(60)]
        assert [frame["seq"] for frame in frames] == list(range(1, 61))
        seen.append([(content_of(frame), frame["message"]["id"]) for frame in frames])
    assert seen[0] == seen[1]


async def test_members_come_and_go_at_either_node(pair: Pair) -> None:
    ann, bob = await pair.people("ann", "bob")
    there, follower = await pair.there(bob).connect(), await pair.there(bob).connect(subscribe="all")
    for client in (there, follower):
        await client.drain()
    chat_id = await ann.chat()
    await ann.post(f"/chats/{chat_id}/members", user_id=bob.id)
    assert (await soon(there, "chat_added"))["chat_id"] == chat_id
    await there.done("join_chat", chat_id=chat_id)
    await ann.say(chat_id, "welcome")
    for client in (there, follower):
        assert content_of(await soon(client, "new_message")) == "welcome"
    await ann.patch(f"/chats/{chat_id}", name="Renamed")
    while (await soon(there, "chat_changed"))["chat"]["name"] != "Renamed":
        pass
    await ann.delete(f"/chats/{chat_id}/members/{bob.id}")
    for client in (there, follower):
        removed = await soon(client, "chat_removed")
        assert (removed["chat_id"], removed["reason"], removed["name"]) == (chat_id, "removed", "Renamed")
    await ann.say(chat_id, "not for bob")
    await asyncio.sleep(0.6)
    for client in (there, follower):
        await client.nothing_more("new_message")


async def test_a_chat_is_created_and_deleted_at_the_other_node(pair: Pair) -> None:
    ann, bob = await pair.people("ann", "bob")
    client = await pair.there(bob).connect()
    chat_id = await ann.chat(bob)
    assert (await soon(client, "chat_added"))["chat_id"] == chat_id
    await client.done("join_chat", chat_id=chat_id)
    await ann.delete(f"/chats/{chat_id}")
    assert (await soon(client, "chat_removed"))["reason"] == "deleted"
    assert (await client.command("join_chat", chat_id=chat_id))["code"] == "not_found"


async def test_members_who_have_not_joined_get_chat_updated(pair: Pair) -> None:
    ann, bob = await pair.people("ann", "bob")
    chat_id = await ann.chat(bob)
    client = await pair.there(bob).connect()
    await client.drain()
    message = await ann.say(chat_id, "news")
    async with within(2):
        update = await client.update()
    assert (update["last_message"]["id"], update["unread_count"], update["head_seq"]) == (message["id"], 1, 1)


async def test_a_change_of_name_reaches_those_who_know_the_user(pair: Pair) -> None:
    ann, bob = await pair.people("ann", "bob")
    await ann.chat(bob)
    client = await pair.there(bob).connect()
    await ann.patch("/users/me", display_name="Anna")
    async with within(2):
        changed = await client.next("user_changed")
    assert (changed["user_id"], changed["user"]["display_name"]) == (ann.id, "Anna")


async def test_a_logout_and_a_new_password_end_connections_at_the_other_node(pair: Pair) -> None:
    ann, bob = await pair.people("ann", "bob")
    clients = [await pair.there(person).connect() for person in (ann, bob)]
    for client in clients:
        await client.drain()
    await ann.post("/auth/logout")
    async with within(SOON_S):
        assert await clients[0].closed() == 4403
    assert (await pair.there(ann).request("GET", "/users/me"))[0] == 401
    await bob.login("bob")
    await bob.patch("/users/me", password="a new password", old_password="correct horse battery")
    async with within(SOON_S):
        assert await clients[1].closed() == 4403


async def test_recovery_goes_on_at_another_node_than_before(pair: Pair) -> None:
    ann, bob = await pair.people("ann", "bob")
    chat_id = await ann.chat(bob)
    client = await bob.joined(chat_id)
    for number in range(5):
        await ann.say(chat_id, f"m{number}")
    for _ in range(5):
        seen = await client.next("new_message")
    await client.close()
    for number in range(5, 25):
        await ann.say(chat_id, f"m{number}")
    there = await pair.there(bob).connect()
    answer = await there.done("join_chat", chat_id=chat_id, after_seq=seen["seq"])
    assert (answer["head_seq"], answer["replayed"], answer["gap"]) == (25, 20, False)
    frames = [frame for frame in there.take() if frame["type"] == "new_message"]
    assert [frame["seq"] for frame in frames] == list(range(6, 26))
    await ann.say(chat_id, "live")
    assert (await soon(there, "new_message"))["seq"] == 26


async def test_a_position_that_was_just_acked_elsewhere_is_no_gap(pair: Pair) -> None:
    ann, bob = await pair.people("ann", "bob")
    chat_id = await ann.chat(bob)
    client = await pair.there(bob).joined(chat_id)
    for _ in range(10):
        head = (await ann.say(chat_id, "x"))["seq"]
        answer = await client.done("join_chat", chat_id=chat_id, after_seq=head)
        assert (answer["gap"], answer["head_seq"]) == (False, head)
    answer = await client.done("join_chat", chat_id=chat_id, after_seq=head + 1)
    assert answer["gap"] is True
