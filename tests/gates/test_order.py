"""Order: commands take effect as they were sent, and everybody in a room sees the same."""

import asyncio
from typing import Any

from tests.clients.clock import ManualClock
from tests.conftest import Serve, Server


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


async def test_a_join_and_what_follows_it_need_no_waiting(server: Server) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    await ann.say(chat_id, "before")
    for after_seq, told in ((None, ["x"]), (0, ["before", "x", "x"])):
        client = await ann.connect()
        await client.send({"type": "join_chat", "chat_id": chat_id, "after_seq": after_seq, "id": "j"})
        await client.send({"type": "send_message", "chat_id": chat_id, "content": "x", "id": "s"})
        await client.answer_to("j")
        await client.answer_to("s")
        frames = [frame for frame in await client.drain() if frame["type"] == "new_message"]
        assert [frame["message"]["content"] for frame in frames] == told


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


async def test_a_sign_and_a_leave_in_a_row_show_and_end_it(serve: Serve) -> None:
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
        await client.done("join_chat", chat_id=chat_id)  # joined twice, told once
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


async def test_an_event_is_told_when_what_it_tells_can_be_read(server: Server) -> None:
    """Stored before it is told: whoever hears of a change finds it over REST."""
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    bobs, writer = await bob.joined(chat_id), await ann.connect()
    for number in range(20):
        await writer.send({"type": "send_message", "chat_id": chat_id, "content": str(number)})
        told = (await bobs.next("new_message"))["message"]
        assert await bob.get(f"/messages/{told['id']}") == told
        assert (await bob.get(f"/chats/{chat_id}"))["last_message"] == told
