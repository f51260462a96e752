"""Typing with real nodes that have a bus, and with nodes that have none."""

import asyncio
import time

import pytest

from handlers.policy import TYPING_REPEAT_S, TYPING_SHOWN_S
from tests.cluster.fixtures import StartCluster
from tests.patience import within

pytestmark = pytest.mark.cluster

WITHIN_S = 1.0


class Scene:
    """Ann has a connection to each of two nodes, Bob has joined the chat at both."""

    async def set(self, start_cluster: StartCluster, *, redis: bool) -> "Scene":
        self.cluster = await start_cluster(2, redis=redis)
        ann, bob = await self.cluster.people("ann", "bob")
        self.chat_id = await ann.chat(bob)
        self.anns = [await node.host(ann).joined(self.chat_id) for node in self.cluster.nodes]
        self.bobs = [await node.host(bob).joined(self.chat_id) for node in self.cluster.nodes]
        return self

    async def type(self, node: int, is_typing: bool = True) -> None:
        await self.anns[node].done("typing", chat_id=self.chat_id, is_typing=is_typing)

    async def next(self, node: int) -> bool:
        async with within(WITHIN_S):
            return bool((await self.bobs[node].next("typing"))["is_typing"])

    async def check_over(self) -> None:
        """Nobody gets more of it, and Ann's connections got nothing."""
        await asyncio.sleep(0.3)
        for client in (*self.anns, *self.bobs):
            await client.nothing_more("typing")


async def test_typing_reaches_the_other_node_and_ends_there(start_cluster: StartCluster) -> None:
    scene = await Scene().set(start_cluster, redis=True)
    for ended_at in (0, 1):
        await scene.type(0)
        assert [await scene.next(node) for node in (0, 1)] == [True, True]
        await scene.type(ended_at, is_typing=False)
        assert [await scene.next(node) for node in (0, 1)] == [False, False]
    await scene.check_over()


async def test_a_message_ends_typing_before_it_is_published(start_cluster: StartCluster) -> None:
    scene = await Scene().set(start_cluster, redis=True)
    await scene.type(0)
    assert await scene.next(1) is True
    await scene.anns[1].done("send_message", chat_id=scene.chat_id, content="Hello")
    await asyncio.sleep(WITHIN_S)
    for client in scene.bobs:
        frames = [frame["type"] for frame in await client.drain()]
        signs = ["typing", "new_message"] if client is scene.bobs[1] else ["typing", "typing", "new_message"]
        assert [name for name in frames if name in signs] == signs
    await scene.check_over()


async def test_typing_at_a_killed_node_ends_by_itself(start_cluster: StartCluster) -> None:
    scene = await Scene().set(start_cluster, redis=True)
    await scene.type(0)
    assert await scene.next(1) is True
    begun = time.monotonic()
    await scene.cluster.nodes[0].kill()
    async with asyncio.timeout(TYPING_SHOWN_S + 2 * TYPING_REPEAT_S):
        assert (await scene.bobs[1].next("typing"))["is_typing"] is False
    assert time.monotonic() - begun > TYPING_SHOWN_S - 0.5


async def test_typing_without_a_bus_stays_on_its_node(start_cluster: StartCluster) -> None:
    scene = await Scene().set(start_cluster, redis=False)
    await scene.type(0)
    assert await scene.next(0) is True
    await scene.type(0, is_typing=False)
    assert await scene.next(0) is False
    await scene.check_over()
