"""`chat_added` and `chat_removed`: where a chat stands, why it is gone, and under which name it was known."""

from typing import Any

import pytest

from tests.clients.client import Client
from tests.clients.shapes import is_time
from tests.conftest import Server

pytestmark = pytest.mark.wires


async def removed(client: Client) -> tuple[int, str, str | None]:
    frame = await client.next("chat_removed")
    assert frame.keys() == {"type", "chat_id", "reason", "name", "timestamp"}
    assert is_time(frame["timestamp"])
    return frame["chat_id"], frame["reason"], frame["name"]


async def test_a_member_leaves_or_is_removed(server: Server) -> None:
    ann, bob, carl = await server.people("ann", "bob", "carl")
    chat_id = await ann.chat(bob, carl, name="Обед")
    bobs, carls = [await bob.connect(), await bob.joined(chat_id)], await carl.connect()
    await bob.delete(f"/chats/{chat_id}/members/{bob.id}")
    for client in bobs:
        assert await removed(client) == (chat_id, "left", "Обед")
    await ann.delete(f"/chats/{chat_id}/members/{carl.id}")
    assert await removed(carls) == (chat_id, "removed", "Обед")


async def test_the_last_member_leaves(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat(name="Diary")
    client = await ann.joined(chat_id)
    await ann.delete(f"/chats/{chat_id}/members/{ann.id}")
    assert await removed(client) == (chat_id, "left", "Diary")


@pytest.mark.parametrize("chat_type", ["group", "channel"])
async def test_a_chat_is_deleted_under_the_name_it_had_last(server: Server, chat_type: str) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob, chat_type=chat_type, name="Old")
    await ann.patch(f"/chats/{chat_id}", name="New")
    clients = [await ann.joined(chat_id), await bob.connect()]
    await ann.delete(f"/chats/{chat_id}")
    for client in clients:
        assert await removed(client) == (chat_id, "deleted", "New")


@pytest.mark.parametrize("known", [True, False])
async def test_a_private_chat_was_known_by_the_name_of_the_other_member(server: Server, known: bool) -> None:
    ann, bob = await server.person("ann", display_name="Anna"), await server.person("bob", display_name="Боб")
    chat_id = await ann.chat(bob, chat_type="private")
    await ann.say(chat_id, "hi")
    anns, bobs = await ann.connect(), await bob.connect()
    if not known:
        server.chat_app.context.identities.forget_all()
    await ann.delete(f"/chats/{chat_id}")
    assert await removed(anns) == (chat_id, "deleted", "Боб")
    assert await removed(bobs) == (chat_id, "deleted", "Anna")


async def test_a_chat_that_is_added_says_where_it_stands(server: Server) -> None:
    ann, bob, carl = await server.people("ann", "bob", "carl")
    follower = await carl.connect(subscribe="all")
    await follower.done("ping")
    clients: list[Any] = [await bob.connect(), await carl.connect(), follower]
    chat_id = await ann.chat(bob)
    added = await clients[0].next("chat_added")
    assert added.keys() == {"type", "chat_id", "head_seq", "timestamp"}
    assert (added["chat_id"], added["head_seq"]) == (chat_id, 0)
    message = await ann.say(chat_id, "0")
    await ann.patch(f"/messages/{message['id']}", content="1")
    await ann.post(f"/chats/{chat_id}/members", user_id=carl.id)
    for client in clients[1:]:
        assert (await client.next("chat_added"))["head_seq"] == 2
    await ann.say(chat_id, "2")
    assert (await follower.next("new_message"))["seq"] == 3
