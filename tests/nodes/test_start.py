"""How nodes start, beside each other and after each other, and how they leave."""

import asyncio
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from tests.cluster.cluster import Cluster
from tests.cluster.fixtures import StartCluster
from tests.cluster.node import Node
from tests.cluster.waiting import until
from tests.patience import within

pytestmark = pytest.mark.cluster

LEASE_S = "2"


async def started(node: Node) -> tuple[int, str]:
    """The exit status of a node that does not start, and the last line of its output."""
    status, _, errors = await node.command_line()
    return status, errors.splitlines()[-1]


async def test_nodes_start_together_on_an_empty_database(start_cluster: StartCluster) -> None:
    cluster = await start_cluster(3, together=True)
    ann = await cluster.person("ann")
    chat_id = await ann.chat()
    clients = [await node.host(ann).joined(chat_id) for node in cluster.nodes]
    for node in cluster.nodes:
        message = await node.host(ann).say(chat_id, node.name)
        for client in clients:
            async with within(1):
                assert (await client.next("new_message"))["message"] == message


async def test_a_node_with_another_key_than_the_living_ones_stops_with_one_line(
    start_cluster: StartCluster,
) -> None:
    cluster = await start_cluster(1, NODE_LEASE_S=LEASE_S)
    other = await cluster.prepare(SECRET_KEY="another key, as long as it has to be for HS256")
    status, line = await started(other)
    assert (status, line) == (
        1,
        "vestnik: SECRET_KEY: the nodes that run on this database have another key; give this one the same",
    )
    assert await cluster.nodes[0].is_ready()


@pytest.mark.parametrize("killed", [True, False])
async def test_another_key_than_that_of_dead_nodes_replaces_it_with_a_warning(
    start_cluster: StartCluster, killed: bool
) -> None:
    cluster = await start_cluster(1, NODE_LEASE_S=LEASE_S)
    ann = await cluster.person("ann")
    await (cluster.nodes[0].kill() if killed else cluster.nodes[0].stop())
    other = await cluster.add(SECRET_KEY="another key, as long as it has to be for HS256")
    assert "SECRET_KEY is another one than before" in other.log
    assert (await other.host(ann).request("GET", "/users/me"))[0] == 401
    await other.stranger("ann").login("ann")


async def test_a_node_that_starts_again_on_its_address_is_alone_at_once(start_cluster: StartCluster) -> None:
    """It does not wait for the lease of the one that was killed, whose port it has."""
    cluster = await start_cluster(1, toxiproxy=True)
    (node,) = cluster.nodes
    ann = await cluster.person("ann")
    await node.kill()
    await node.start()
    client = await ann.connect()
    await node.links["database"].cut()
    for _ in range(6):  # a node that had others would hold this up, and refuse it
        await client.done("ping")
        await asyncio.sleep(0.5)
    await node.links["database"].mend()


async def test_a_node_that_was_killed_is_missed_when_its_lease_is_over(start_cluster: StartCluster) -> None:
    cluster = await start_cluster(2, NODE_LEASE_S=LEASE_S)
    one, two = cluster.nodes
    await two.kill()

    async def is_missed() -> bool:
        return "another node is gone" in one.log

    await until(is_missed, 5)


async def test_a_node_that_stops_says_so_before_its_connections_end(start_cluster: StartCluster) -> None:
    cluster = await start_cluster(2)
    one, two = cluster.nodes
    ann = await cluster.person("ann")
    client = await two.host(ann).connect()
    await client.drain()
    stopping = asyncio.ensure_future(two.stop())
    assert await client.closed() == 1001
    assert await stopping == 0

    async def is_missed() -> bool:
        return "another node is gone" in one.log

    await until(is_missed, 5)


async def add_newer_row(cluster: Cluster, chat_id: int) -> None:
    """Adds a row of a kind that this version does not know to the log of a new chat."""
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(cluster.mongo.url)
    rows = client.get_default_database()["changes"]
    first = await rows.find_one({"_id": f"{chat_id}:1"})
    assert first is not None
    row = {**first, "_id": f"{chat_id}:2", "n": 2, "kind": "of tomorrow", "client_id": "#of tomorrow"}
    await rows.insert_one(row)
    client.close()


async def test_a_node_that_meets_what_only_a_newer_version_knows_leaves(start_cluster: StartCluster) -> None:
    cluster = await start_cluster(1)
    (node,) = cluster.nodes
    ann = await cluster.person("ann")
    chat_id = await ann.chat()
    client = await ann.connect()
    await add_newer_row(cluster, chat_id)
    assert (await ann.request("POST", "/messages", json={"chat_id": chat_id, "content": "x"}))[0] == 503
    assert await client.closed() == 1001
    assert await node.ended(15) == 1
    last = node.log.splitlines()[-1]
    assert (
        last == "vestnik: a newer node writes what this version does not know (of tomorrow): update this node"
    )
