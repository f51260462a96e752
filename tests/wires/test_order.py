"""Order: commands take effect in the order sent, and all connections of a room receive the same order."""

import asyncio
from typing import Any

import pytest

from tests.clients.client import Client
from tests.clients.clock import ManualClock
from tests.clients.people import Person
from tests.conftest import Serve, Server

pytestmark = [pytest.mark.wires, pytest.mark.stores]


async def test_commands_of_one_connection_take_effect_in_the_order_sent(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    client = await ann.connect()
    for number in range(20):
        await client.send({"type": "send_message", "chat_id": chat_id, "content": "x", "id": f"s{number}"})
        await client.send({"type": "read_messages", "chat_id": chat_id, "id": f"r{number}"})
    for number in range(20):
        sent, read = await client.answer_to(f"s{number}"), await client.answer_to(f"r{number}")
        assert read["up_to"] == sent["message"]["id"]


async def send_a_hundred(client: Client, name: str, *chat_ids: int) -> list[dict[str, Any]]:
    """Sends to the chats in turn without waiting. Returns the messages of the acks, each of its own command."""
    for number in range(100):
        chat_id = chat_ids[number % len(chat_ids)]
        await client.send(
            {"type": "send_message", "chat_id": chat_id, "content": f"{name} {number}", "id": number}
        )
    acks = [await client.answer_to(number) for number in range(100)]
    assert [ack["message"]["content"] for ack in acks] == [f"{name} {number}" for number in range(100)]
    assert all(ack["seq"] == ack["message"]["seq"] for ack in acks)
    return [ack["message"] for ack in acks]


async def received(client: Client) -> list[dict[str, Any]]:
    """The messages of all `new_message` up to now, in their order."""
    return [frame["message"] for frame in await client.drain() if frame["type"] == "new_message"]


async def stored(person: Person, chat_id: int) -> list[dict[str, Any]]:
    page = await person.get(f"/chats/{chat_id}/messages", limit=200)
    return list(page["messages"])


async def test_a_hundred_sends_of_one_connection_are_stored_published_and_acked_in_order(
    server: Server,
) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_ids = [await ann.chat(bob) for _ in range(3)]
    anns, bobs = await ann.joined(*chat_ids), await bob.joined(*chat_ids)
    await anns.drain()
    sent = await send_a_hundred(anns, "ann", *chat_ids)
    events = await received(bobs)
    for chat_id in chat_ids:
        own = [message for message in sent if message["chat_id"] == chat_id]
        assert [message["seq"] for message in own] == list(range(1, len(own) + 1))
        assert [message for message in events if message["chat_id"] == chat_id] == own
        assert await stored(bob, chat_id) == own


async def test_two_connections_of_one_user_do_not_disturb_each_other(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    clients = {name: await ann.joined(chat_id) for name in ("first", "second")}
    await asyncio.gather(*(send_a_hundred(client, name, chat_id) for name, client in clients.items()))
    history = await stored(ann, chat_id)
    assert [message["seq"] for message in history] == list(range(1, 201))
    for name in clients:
        own = [message["content"] for message in history if message["content"].startswith(name)]
        assert own == [f"{name} {number}" for number in range(100)]


async def test_different_commands_take_effect_in_the_order_sent(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    watcher, client = await bob.joined(chat_id), await ann.connect()
    first = (await client.done("send_message", chat_id=chat_id, content="0"))["message"]["id"]
    for number in range(1, 20):
        await client.send({"type": "edit_message", "message_id": first, "content": f"{number}"})
        await client.send({"type": "send_message", "chat_id": chat_id, "content": f"after {number}"})
    await client.send({"type": "delete_message", "message_id": first})
    await client.send({"type": "edit_message", "message_id": first, "content": "too late"})
    assert (await client.next("error"))["code"] == "not_found"
    frames = [frame for frame in await watcher.drain() if "seq" in frame]
    assert [frame["seq"] for frame in frames] == list(range(1, 41))
    names = ["new_message", *["message_updated", "new_message"] * 19, "message_deleted"]
    assert [frame["type"] for frame in frames] == names
    assert [frame["content"] for frame in frames[1:-1:2]] == [str(number) for number in range(1, 20)]


async def test_joining_and_leaving_keep_their_place_among_sends(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    client = await ann.connect()
    for _ in range(20):
        await client.send({"type": "join_chat", "chat_id": chat_id})
        await client.done("send_message", chat_id=chat_id, content="heard")
        await client.next("new_message")
        await client.send({"type": "leave_chat", "chat_id": chat_id})
        await client.done("send_message", chat_id=chat_id, content="unheard")
    await client.nothing_more("new_message")


async def test_an_error_after_its_sender_has_gone_reaches_nobody(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob, chat_type="channel")
    watchers = [await ann.joined(chat_id), await bob.joined(chat_id)]
    leaving = await bob.connect()
    for number in range(20):
        await leaving.send({"type": "send_message", "chat_id": chat_id, "content": f"may not {number}"})
    await leaving.close()
    await ann.say(chat_id, "after all that was sent before")
    for watcher in watchers:
        await watcher.next("new_message")
        await watcher.nothing_more("error", "new_message")


async def test_a_join_and_what_follows_it_need_no_waiting(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    await ann.say(chat_id, "before")
    for after_seq, contents in ((None, ["x"]), (0, ["before", "x", "x"])):
        client = await ann.connect()
        await client.send({"type": "join_chat", "chat_id": chat_id, "after_seq": after_seq, "id": "j"})
        await client.send({"type": "send_message", "chat_id": chat_id, "content": "x", "id": "s"})
        await client.answer_to("j")
        await client.answer_to("s")
        assert [message["content"] for message in await received(client)] == contents


async def test_nothing_of_the_room_comes_after_the_ack_of_a_leave(serve: Serve) -> None:
    server = await serve(messages_per_s=0)
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    anns, bobs = await ann.connect(), await bob.joined(chat_id)
    for number in range(300):
        await anns.send({"type": "send_message", "chat_id": chat_id, "content": "x", "id": number})
        if number % 50 == 25:
            await bobs.done("leave_chat", chat_id=chat_id)
            bobs.take()
            await anns.answer_to(number)
            await bobs.nothing_more()
            await bobs.done("join_chat", chat_id=chat_id)


async def test_typing_and_a_leave_in_a_row_show_and_end_it(serve: Serve) -> None:
    server = await serve(clock=ManualClock())
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    anns, bobs = await ann.connect(), await bob.joined(chat_id)
    await anns.send({"type": "typing", "chat_id": chat_id, "is_typing": True})
    await anns.send({"type": "leave_chat", "chat_id": chat_id})
    assert [(await bobs.next("typing"))["is_typing"] for _ in range(2)] == [True, False]


async def test_everybody_in_a_room_sees_the_same_order_once(serve: Serve) -> None:
    server = await serve(messages_per_s=0)
    people = await server.people("ann", "bob", "carl")
    chat_id = await people[0].chat(*people[1:])
    clients = [await person.joined(chat_id) for person in people for _ in range(2)]
    for client in clients:
        await client.done("join_chat", chat_id=chat_id)  # joined twice, published once
        await client.drain()

    async def write(client: Any) -> None:
        ids = []
        for number in range(30):
            ack = await client.done("send_message", chat_id=chat_id, content=str(number))
            ids.append(ack["message"]["id"])
        await client.done("edit_message", message_id=ids[0], content="edited")
        await client.done("delete_message", message_id=ids[1])

    await asyncio.gather(*(write(client) for client in clients))
    histories = []
    for client in clients:
        frames = [frame for frame in await client.drain() if "seq" in frame]
        assert [frame["seq"] for frame in frames] == list(range(1, 6 * 32 + 1))
        histories.append([{**frame, "timestamp": None} for frame in frames])
    assert all(history == histories[0] for history in histories)


async def test_what_an_event_says_can_be_read_when_it_comes(server: Server) -> None:
    """Stored before it is published: who hears of a change finds it over REST."""
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    bobs, writer = await bob.joined(chat_id), await ann.connect()
    for number in range(20):
        await writer.send({"type": "send_message", "chat_id": chat_id, "content": str(number)})
        message = (await bobs.next("new_message"))["message"]
        assert await bob.get(f"/messages/{message['id']}") == message
        assert (await bob.get(f"/chats/{chat_id}"))["last_message"] == message
