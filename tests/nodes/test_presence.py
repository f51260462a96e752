"""Presence and failed logins with real nodes on one database."""

import asyncio
import time
from typing import Any

import pytest

from tests.clients.client import Client
from tests.cluster.fixtures import StartCluster
from tests.cluster.node import Node

pytestmark = pytest.mark.cluster

PRESENCE = ("user_status", "user_offline")

WITHIN_S = 2.0
"""What others hear of presence and failed logins at other nodes, they hear within this time."""

GRACE_S = 2.0

LEASE_S = 8
"""How long a node that says nothing, suspended or killed, counts as living."""


class Scene:
    """Ann and Bob share a chat, which Bob has joined at each node."""

    async def set(self, start_cluster: StartCluster, nodes: int = 2, **settings: str) -> "Scene":
        self.cluster = await start_cluster(nodes, PRESENCE_GRACE_S=str(GRACE_S), **settings)
        self.nodes = self.cluster.nodes
        self.ann, self.bob = await self.cluster.people("ann", "bob")
        self.chat_id = await self.ann.chat(self.bob)
        self.watchers = {node: await self.watch(node) for node in self.nodes}
        return self

    async def watch(self, node: Node) -> Client:
        return await node.host(self.bob).joined(self.chat_id)

    async def connect(self, node: Node) -> Client:
        return await node.host(self.ann).connect()

    async def seen(self, statuses: list[str], within_s: float = WITHIN_S) -> None:
        """Every watcher is sent these statuses of Ann within a time, and then no others for a while."""
        until = time.monotonic() + within_s
        received: dict[Node, list[str]] = {node: [] for node in self.watchers}
        while any(len(each) < len(statuses) for each in received.values()) and time.monotonic() < until:
            await self._receive(received)
        await asyncio.sleep(0.6)
        await self._receive(received)
        assert {node.name: each for node, each in received.items()} == {
            node.name: statuses for node in self.watchers
        }

    async def _receive(self, received: dict[Node, list[str]]) -> None:
        await asyncio.sleep(0.05)
        for node, watcher in self.watchers.items():
            received[node] += [
                frame.get("status", "offline") for frame in await watcher.drain() if self._is_of_ann(frame)
            ]

    def _is_of_ann(self, frame: dict[str, Any]) -> bool:
        return frame["type"] in PRESENCE and frame["user_id"] == self.ann.id


async def test_others_see_one_user_whichever_nodes_the_user_is_connected_to(
    start_cluster: StartCluster,
) -> None:
    scene = await Scene().set(start_cluster)
    first, second = scene.nodes
    one = await scene.connect(first)
    await scene.seen(["online"])
    two = await scene.connect(second)
    await two.done("status", status="busy")
    await scene.seen(["busy"])
    await one.done("status", status="away")
    await scene.seen([])
    await one.done("status", status="offline")
    await scene.seen(["offline"])
    await two.done("status", status="away")
    await scene.seen(["away"])
    await one.close()
    three = await scene.connect(second)
    await scene.seen(["online"])
    await two.close()
    await three.close()
    await asyncio.sleep(GRACE_S)
    await scene.seen(["offline"], WITHIN_S)
    assert (await second.host(scene.bob).get(f"/users/{scene.ann.id}"))["last_seen_at"] is not None


async def test_a_user_who_reconnects_to_another_node_was_never_gone(start_cluster: StartCluster) -> None:
    scene = await Scene().set(start_cluster)
    client = await scene.connect(scene.nodes[0])
    await scene.seen(["online"])
    for number in range(1, 4):
        await client.close()
        await asyncio.sleep(GRACE_S * 0.8)
        client = await scene.connect(scene.nodes[number % 2])
    await asyncio.sleep(GRACE_S)
    await scene.seen([])


async def test_users_of_a_killed_node_go_offline_and_those_of_a_stopped_one_come_back(
    start_cluster: StartCluster,
) -> None:
    scene = await Scene().set(start_cluster, nodes=3, NODE_LEASE_S=str(LEASE_S))
    first = scene.nodes[0]
    await scene.connect(first)
    await scene.seen(["online"])
    del scene.watchers[first]
    first.pause()
    await scene.seen(["offline"], LEASE_S + 15)
    first.resume()
    await scene.seen(["online"], 5)
    await first.kill()
    await scene.seen(["offline"], LEASE_S + 15)


async def test_a_restart_publishes_nothing_of_users_who_come_back(
    start_cluster: StartCluster,
) -> None:
    scene = await Scene().set(start_cluster)
    first, second = scene.nodes
    await scene.connect(first)
    await scene.seen(["online"])
    del scene.watchers[first]
    await first.stop()
    await asyncio.sleep(1)
    client = await scene.connect(second)
    await first.start()
    await asyncio.sleep(8)
    await scene.seen([])
    await client.close()


async def test_failed_logins_count_over_all_nodes(start_cluster: StartCluster) -> None:
    cluster = await start_cluster(2, RATE_LIMITS="on")
    await cluster.person("ann")
    body = {"username": "ann", "password": "wrong one"}

    async def tried(node: Node) -> int:
        status, _ = await node.stranger("ann").request("POST", "/auth/login", json=body)
        return int(status)

    assert [await tried(cluster.nodes[number % 2]) for number in range(10)] == [401] * 10
    await asyncio.sleep(WITHIN_S)
    assert [await tried(node) for node in cluster.nodes] == [429, 429]


async def test_who_has_hidden_at_one_node_is_hidden_at_every_node_from_the_first_moment(
    start_cluster: StartCluster,
) -> None:
    """At the other node right after the answer, over a second device, and when a node is killed and starts again."""
    scene = await Scene().set(start_cluster)
    first, second = scene.nodes
    here, there = first.host(scene.ann), second.host(scene.ann)
    for _ in range(10):  # the second node has the account in memory, and is asked before it looks by itself
        await there.get("/users/me")
        await here.patch("/users/me", presence="offline")
        client = await scene.connect(second)
        await client.done("status", status="busy")
        await client.close()
        await here.patch("/users/me", presence="away")
        await here.patch("/users/me", presence="offline")
    await asyncio.sleep(GRACE_S)
    one = await scene.connect(first)
    two = await scene.connect(second)
    for node in scene.nodes:
        assert (await node.host(scene.bob).get(f"/users/{scene.ann.id}"))["status"] == "offline"
    await one.close()
    await asyncio.sleep(GRACE_S + 1)
    for watcher in scene.watchers.values():
        told = [frame for frame in await watcher.drain() if scene._is_of_ann(frame)]
        assert {frame.get("status", "offline") for frame in told} <= {"away", "offline"}
    await scene.seen([])
    shown = await second.host(scene.bob).get(f"/users/{scene.ann.id}")
    assert (shown["status"], shown["last_seen_at"]) == ("offline", None)
    await two.drain()
    await here.patch("/users/me", presence="busy")
    await scene.seen(["busy"])
    changed = await two.next("user_changed")
    assert (changed["user"]["presence"], changed["user"]["status"]) == ("busy", "busy")


async def test_a_session_that_is_ended_at_one_node_ends_at_the_other(start_cluster: StartCluster) -> None:
    cluster = await start_cluster(2)
    ann = await cluster.person("ann")
    first, second = cluster.nodes
    phone = second.stranger("ann")
    await phone.login("ann")
    client = await phone.connect()
    sessions = (await first.host(ann).get("/users/me/sessions"))["sessions"]
    (session_id,) = [one["id"] for one in sessions if not one["current"]]
    await first.host(ann).delete(f"/users/me/sessions/{session_id}")
    assert await client.closed() == 4403
    status, _ = await phone.request("GET", "/users/me")
    assert status == 401
