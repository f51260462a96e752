"""Mistakes that are easily made with several nodes: what the operator is told, and what still works."""

import asyncio

import pytest

from tests.cluster.fixtures import StartCluster
from tests.cluster.waiting import until

pytestmark = pytest.mark.cluster

LEASE_S = 4


async def test_two_nodes_with_one_address(start_cluster: StartCluster) -> None:
    """NODE_URL in a file of settings that all nodes read."""
    cluster = await start_cluster(2, NODE_URL="http://127.0.0.1:9", NODE_LEASE_S=str(LEASE_S))
    one, two = cluster.nodes

    async def both_said_so() -> bool:
        return all("NODE_URL: another node that lives has the same" in node.log for node in (one, two))

    await until(both_said_so, 5 * LEASE_S)
    ann, bob = await cluster.people("ann", "bob")
    chat_id = await ann.chat(bob)
    client = await two.host(bob).joined(chat_id)
    message = await ann.say(chat_id, "you hear me")
    assert (await client.next("new_message"))["message"] == message
    await asyncio.sleep(LEASE_S / 2)
    assert all(node.log.count("NODE_URL: another") == 1 for node in (one, two))
