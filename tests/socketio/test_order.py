"""Order through an upgrade. The order on each wire alone: tests/wires/test_order.py."""

import asyncio
from typing import Any

from tests.clients.people import Person
from tests.conftest import Serve
from tests.socketio.conftest import TRANSPORTS
from tests.socketio.node import Node, NodeClient
from tests.socketio.windows import Event


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
        received = [event.payload["seq"] for event in await client.drain() if event.name == "new_message"]
        assert received == list(range(head_seq + 1, head_seq + 1 + len(received)))
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
    """Returns the numbers of the calls sent before, during and after the upgrade, and the head at the join."""
    head_seq = (await client.done("join_chat", chat_id=chat_id))["head_seq"]
    upgrade = asyncio.create_task(client.notice("upgrade"))
    calls: list[int] = []
    after = 10
    while after:
        after -= upgrade.done()
        payload: dict[str, Any] = {"chat_id": chat_id, "content": f"{name} {len(calls)}"}
        calls.append(await client.start("send_message", payload))
        await asyncio.sleep(0)
    assert (await upgrade)["transport"] == "websocket"
    return client, calls, head_seq
