"""What one connection sends without waiting is stored in the order sent, and every ack is the right one."""

import asyncio
from typing import Any

import pytest

from tests.clients.people import Person
from tests.conftest import Serve, Server
from tests.socketio.conftest import TRANSPORTS, Look, connected, joined
from tests.socketio.node import Node, NodeClient
from tests.socketio.windows import Event, Window

SENDS = 100


async def send_all(window: Window, chat_id: int, name: str) -> list[int]:
    """The numbers of the acks to come."""
    return [
        await window.start("send_message", {"chat_id": chat_id, "content": f"{name} {number}"})
        for number in range(SENDS)
    ]


async def assert_in_order(window: Window, calls: list[int], person: Person, chat_id: int, name: str) -> None:
    """Every ack tells of its own message, and the numbers of the messages are in the order sent."""
    answers = [await window.answer_to(call) for call in calls]
    assert all(answer["ok"] for answer in answers)
    contents = [answer["message"]["content"] for answer in answers]
    assert contents == [f"{name} {number}" for number in range(SENDS)]
    seqs = [answer["seq"] for answer in answers]
    assert seqs == sorted(set(seqs))
    page = await person.get(f"/chats/{chat_id}/messages", limit=200)
    stored = [message for message in page["messages"] if message["content"].startswith(name)]
    assert stored == [answer["message"] for answer in answers]


@pytest.mark.parametrize("kind", [*TRANSPORTS, "python", "python polling"])
async def test_sends_that_wait_for_nothing(server: Server, look: Look, kind: str) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    window = await joined(await look(kind, ann), chat_id)
    calls = await send_all(window, chat_id, kind)
    await assert_in_order(window, calls, ann, chat_id, kind)
    told = [event.payload["seq"] for event in await window.drain()]
    assert told == list(range(1, SENDS + 1))


async def test_two_connections_of_one_user_do_not_disturb_each_other(server: Server, node: Node) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    clients = {
        name: await joined(await connected(node, ann, TRANSPORTS[name]), chat_id)
        for name in ("websocket", "polling")
    }
    calls = await asyncio.gather(*(send_all(client, chat_id, name) for name, client in clients.items()))
    for (name, client), own in zip(clients.items(), calls, strict=True):
        await assert_in_order(client, own, ann, chat_id, name)
    told = [await client.drain() for client in clients.values()]
    assert told[0] == told[1]
    assert [event.payload["seq"] for event in told[0]] == list(range(1, 2 * SENDS + 1))


async def test_the_order_is_kept_through_an_upgrade_while_others_write(serve: Serve, node: Node) -> None:
    server = await serve(messages_per_s=0)
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    written = asyncio.create_task(_write(bob, chat_id))
    clients = [await node.open(server.url, ann.token, **TRANSPORTS["upgrade"]) for _ in range(5)]
    upgraded = await asyncio.gather(
        *(_send_until_upgraded(client, chat_id, f"client {n} of") for n, client in enumerate(clients))
    )
    written.cancel()
    for number, (client, calls, head_seq) in enumerate(upgraded):
        contents = []
        for call in calls:
            answer = await client.answer_to(call)
            contents.append(answer["message"]["content"])
        assert contents == [f"client {number} of {sent}" for sent in range(len(calls))]
        told = [event.payload["seq"] for event in await client.drain() if event.name == "new_message"]
        assert told == list(range(head_seq + 1, head_seq + 1 + len(told)))
        mine = [
            seen.payload["message"]["content"]
            for seen in client.everything
            if isinstance(seen, Event) and seen.name == "new_message"
        ]
        assert [content for content in mine if content.startswith(f"client {number} ")] == contents


async def _write(person: Person, chat_id: int) -> None:
    number = 0
    while True:
        number += 1
        await person.say(chat_id, f"meanwhile {number}")


async def _send_until_upgraded(
    client: NodeClient, chat_id: int, name: str
) -> tuple[NodeClient, list[int], int]:
    """The numbers of the acks to come of what was sent before, during and after; the head at the join."""
    head_seq = (await client.done("join_chat", chat_id=chat_id))["head_seq"]
    upgrade = asyncio.create_task(client.sign("upgrade"))
    calls: list[int] = []
    after = 10
    while after:
        after -= upgrade.done()
        payload: dict[str, Any] = {"chat_id": chat_id, "content": f"{name} {len(calls)}"}
        calls.append(await client.start("send_message", payload))
        await asyncio.sleep(0)
    assert (await upgrade)["transport"] == "websocket"
    return client, calls, head_seq


async def test_different_commands_take_effect_in_the_order_sent(
    server: Server, node: Node, transport: dict[str, Any]
) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    watcher = await bob.joined(chat_id)
    client = await connected(node, ann, transport)
    first = (await client.done("send_message", chat_id=chat_id, content="0"))["message"]["id"]
    for number in range(1, 20):
        await client.emit("edit_message", {"message_id": first, "content": f"{number}"})
        await client.emit("send_message", {"chat_id": chat_id, "content": f"after {number}"})
    await client.emit("delete_message", {"message_id": first})
    await client.emit("edit_message", {"message_id": first, "content": "too late"})
    assert (await client.next("error")).payload["code"] == "not_found"
    told = [frame for frame in await watcher.drain() if "seq" in frame]
    assert [frame["seq"] for frame in told] == list(range(1, 41))
    names = ["new_message", *["message_updated", "new_message"] * 19, "message_deleted"]
    assert [frame["type"] for frame in told] == names
    assert [frame["content"] for frame in told[1:-1:2]] == [str(number) for number in range(1, 20)]


async def test_joining_and_leaving_keep_their_place_among_sends(
    server: Server, node: Node, transport: dict[str, Any]
) -> None:
    ann = await server.person("ann")
    chat_id = await ann.chat()
    client = await connected(node, ann, transport)
    for _ in range(20):
        await client.start("join_chat", {"chat_id": chat_id})
        sent = await client.start("send_message", {"chat_id": chat_id, "content": "hello"})
        await client.answer_to(sent)
        await client.next("new_message")
        await client.start("leave_chat", {"chat_id": chat_id})
        unseen = await client.start("send_message", {"chat_id": chat_id, "content": "unseen"})
        await client.answer_to(unseen)
    await client.nothing_more("new_message")
