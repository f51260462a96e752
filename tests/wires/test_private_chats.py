"""A private chat appears to the other person with its first message, on every wire, and never before."""

import pytest

from domain.models import Draft
from tests.clients.client import Client
from tests.clients.people import Person
from tests.conftest import Server

pytestmark = pytest.mark.wires


async def private(person: Person, other: Person) -> int:
    return await person.chat(other, chat_type="private")


async def heard(client: Client) -> list[tuple[str, int]]:
    """Events of chats since the last call."""
    return [(frame["type"], frame["chat_id"]) for frame in await client.drain() if "chat_id" in frame]


@pytest.mark.stores
async def test_the_first_message_comes_after_chat_added(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    plain, follower = await bob.connect(), await bob.connect(subscribe="all")
    await follower.done("ping")
    chat_id = await private(ann, bob)
    anns = await ann.joined(chat_id)
    for client in (plain, follower):
        for command in ("join_chat", "read_messages"):
            assert (await client.command(command, chat_id=chat_id))["code"] == "not_found"
        refused = await client.command("send_message", chat_id=chat_id, content="who is there?")
        assert refused["code"] == "not_found"
        refused = await client.command("typing", chat_id=chat_id, is_typing=True)
        assert refused["code"] == "not_found"
    await anns.done("typing", chat_id=chat_id, is_typing=True)
    await anns.done("read_messages", chat_id=chat_id)
    await ann.patch("/users/me", display_name="Anna")
    for client in (plain, follower):
        assert await client.updates() == []
        await client.nothing_more()
    sent = await anns.done("send_message", chat_id=chat_id, content="hi")
    added, message = await follower.next(), await follower.next()
    assert (added["type"], added["chat_id"], added["head_seq"]) == ("chat_added", chat_id, 0)
    assert (message["type"], message["seq"], message["message"]) == ("new_message", 1, sent["message"])
    added = await plain.next("chat_added")
    assert (added["chat_id"], added["head_seq"]) == (chat_id, 0)
    assert (await plain.update())["last_message"] == sent["message"]
    assert (await plain.done("join_chat", chat_id=chat_id, after_seq=0))["replayed"] == 1
    await anns.done("send_message", chat_id=chat_id, content="again")
    for client in (plain, follower):
        assert (await client.next("new_message"))["message"]["content"] in ("hi", "again")
        await client.nothing_more("chat_added")


async def test_an_unseen_chat_carries_no_presence(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await private(ann, bob)
    bobs, anns = await bob.connect(), await ann.joined(chat_id)
    await bobs.done("status", status="busy")
    await anns.done("status", status="away")
    for client in (anns, bobs):
        await client.nothing_more("user_status", "user_offline")
    await ann.say(chat_id, "hi")
    status = await anns.next("user_status")
    assert (status["user_id"], status["status"]) == (bob.id, "busy")
    await bobs.done("status", status="online")
    status = await anns.next("user_status")
    assert (status["user_id"], status["status"]) == (bob.id, "online")


async def test_who_asks_for_it_gets_chat_added_and_its_room(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await private(ann, bob)
    anns = await ann.joined(chat_id)
    plain, follower = await bob.connect(), await bob.connect(subscribe="all")
    await follower.done("ping")
    body = {"chat_type": "private", "member_ids": [ann.id]}
    status, chat = await bob.request("POST", "/chats", json=body)
    assert (status, chat["id"], chat["role"], chat["seq"]) == (200, chat_id, "member", 0)
    for client in (plain, follower):
        added = await client.next("chat_added")
        assert (added["chat_id"], added["head_seq"]) == (chat_id, 0)
    assert (await anns.next("user_status"))["user_id"] == bob.id
    assert (await bob.request("POST", "/chats", json=body))[0] == 200
    await ann.say(chat_id, "hi")
    assert await heard(follower) == [("new_message", chat_id)]
    assert await heard(plain) == []


async def test_an_unseen_chat_goes_without_a_word(server: Server) -> None:
    ann, bob = await server.person("ann"), await server.person("bob", display_name="Боб")
    chat_id = await private(ann, bob)
    anns, bobs = await ann.connect(), await bob.connect(subscribe="all")
    await bobs.done("ping")
    await ann.delete(f"/chats/{chat_id}")
    removed = await anns.next("chat_removed")
    assert (removed["chat_id"], removed["reason"], removed["name"]) == (chat_id, "deleted", "Боб")
    assert await heard(bobs) == []


@pytest.mark.stores
@pytest.mark.wires("raw", "socketio")
async def test_a_chat_that_is_not_in_memory_appears_with_its_first_message(server: Server) -> None:
    """As at another node: the message is there before anybody here knows the chat."""
    ann, bob = await server.people("ann", "bob")
    chat_id = await private(ann, bob)
    await server.restart()
    plain, follower = await bob.connect(), await bob.connect(subscribe="all")
    await follower.done("ping")
    context = server.chat_app.context
    assert context.directory.peek(chat_id) is None
    await context.store.messages.append(Draft(chat_id, ann.id, "hi", context.clock.now()))
    for client in (plain, follower):
        added = await client.next("chat_added")
        assert (added["chat_id"], added["head_seq"]) == (chat_id, 0)
    assert (await follower.next("new_message"))["seq"] == 1
    await ann.say(chat_id, "again")
    assert (await follower.next("new_message"))["seq"] == 2
    assert await heard(plain) == []


@pytest.mark.wires("raw")
async def test_who_was_away_at_the_first_message_recovers_from_0(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await private(ann, bob)
    await ann.say(chat_id, "hi")
    await ann.say(chat_id, "are you there?")
    (chat,) = (await bob.get("/chats"))["chats"]
    assert (chat["id"], chat["seq"], chat["unread_count"], chat["read_seq"]) == (chat_id, 2, 2, 0)
    bobs = await bob.connect()
    assert (await bobs.done("join_chat", chat_id=chat_id, after_seq=0))["replayed"] == 2
    assert [frame["seq"] for frame in await bobs.drain() if frame["type"] == "new_message"] == [1, 2]
