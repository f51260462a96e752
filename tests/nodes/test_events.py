"""What happens at one node reaches the clients of the other."""

import asyncio

import pytest

from tests.cluster.fixtures import StartCluster

pytestmark = pytest.mark.cluster


async def test_messages_reach_the_room_at_the_other_node(start_cluster: StartCluster) -> None:
    cluster = await start_cluster(2)
    ann, bob = await cluster.people("ann", "bob")
    there = cluster.nodes[1].host(bob)
    chat_id = await ann.chat(bob)
    client = await there.joined(chat_id)
    loop = asyncio.get_running_loop()
    for number in range(10):
        began = loop.time()
        message = await ann.say(chat_id, f"m{number}")
        acked = loop.time()
        event = await client.next("new_message")
        print(number, "ack", round(acked - began, 3), "event after ack", round(loop.time() - acked, 3))
        assert event["message"]["id"] == message["id"]
    assert 0
