"""Streams with real nodes that have a bus, and with nodes that have none."""

import asyncio
import time

import pytest

from handlers.policy import STREAM_LINGERS_S, STREAM_SHOWN_S
from tests.cluster.fixtures import StartCluster
from tests.patience import within

pytestmark = pytest.mark.cluster

WITHIN_S = 1.0


class Scene:
    """Bob has a connection to each of two nodes, Ann has joined the chat at both."""

    async def set(self, start_cluster: StartCluster, *, redis: bool) -> "Scene":
        self.cluster = await start_cluster(2, redis=redis)
        self.ann, self.bob = await self.cluster.people("ann", "bob")
        self.chat_id = await self.ann.chat(self.bob)
        self.bobs = [await node.host(self.bob).joined(self.chat_id) for node in self.cluster.nodes]
        self.anns = [await node.host(self.ann).joined(self.chat_id) for node in self.cluster.nodes]
        return self

    async def stream(self, node: int, content: str) -> None:
        await self.bobs[node].done("stream_message", chat_id=self.chat_id, stream_id="a", content=content)

    async def next(self, node: int) -> str | None:
        async with within(WITHIN_S):
            content: str | None = (await self.anns[node].next("message_stream"))["content"]
            return content

    async def check_over(self) -> None:
        await asyncio.sleep(0.5)
        for client in self.anns:
            await client.nothing_more("message_stream")


async def test_a_stream_reaches_the_other_node_and_ends_there(start_cluster: StartCluster) -> None:
    scene = await Scene().set(start_cluster, redis=True)
    await scene.stream(0, "It")
    assert [await scene.next(node) for node in (0, 1)] == ["It", "It"]
    await scene.stream(0, "It is")
    assert [await scene.next(node) for node in (0, 1)] == ["It is", "It is"]
    late = await scene.cluster.nodes[1].host(scene.ann).connect()
    await late.done("join_chat", chat_id=scene.chat_id)
    assert (await late.next("message_stream"))["content"] == "It is"
    await scene.ann.delete(f"/chats/{scene.chat_id}/members/{scene.bob.id}")
    assert [await scene.next(node) for node in (0, 1)] == [None, None]
    await scene.check_over()


@pytest.mark.parametrize("sent_at", [0, 1])
async def test_its_message_ends_it_at_all_nodes_without_another_event(
    start_cluster: StartCluster, sent_at: int
) -> None:
    scene = await Scene().set(start_cluster, redis=True)
    await scene.stream(0, "It")
    assert [await scene.next(node) for node in (0, 1)] == ["It", "It"]
    sent = {"chat_id": scene.chat_id, "content": "It is a fox.", "client_id": "a"}
    await scene.bobs[sent_at].done("send_message", **sent)
    for client in scene.anns:
        assert (await client.next("new_message"))["message"]["client_id"] == "a"
    late = await scene.cluster.nodes[1].host(scene.ann).connect()
    await late.done("join_chat", chat_id=scene.chat_id)
    await late.nothing_more("message_stream")
    await scene.check_over()


async def test_a_stream_of_a_killed_node_ends_by_itself(start_cluster: StartCluster) -> None:
    scene = await Scene().set(start_cluster, redis=True)
    await scene.stream(0, "It")
    assert await scene.next(1) == "It"
    begun = time.monotonic()
    await scene.cluster.nodes[0].kill()
    await asyncio.sleep(STREAM_SHOWN_S - 1)
    await scene.anns[1].nothing_more("message_stream")
    assert (await scene.anns[1].next("message_stream"))["content"] is None
    assert STREAM_SHOWN_S - 0.5 < time.monotonic() - begun < STREAM_SHOWN_S + 3 * STREAM_LINGERS_S


async def test_without_a_bus_a_stream_stays_on_its_node(start_cluster: StartCluster) -> None:
    scene = await Scene().set(start_cluster, redis=False)
    await scene.stream(0, "It")
    assert await scene.next(0) == "It"
    await scene.bobs[1].done("send_message", chat_id=scene.chat_id, content="It is a fox.", client_id="a")
    await asyncio.sleep(2 * WITHIN_S)
    assert [frame["type"] for frame in await scene.anns[0].drain()] == ["new_message"]
    await scene.check_over()
