"""Outgoing hooks on two nodes: each delivery by one of them, and the other takes over."""

import asyncio
import random
from typing import Any

import pytest

from tests.clients.metrics import TOKEN, scrape
from tests.clients.people import Person
from tests.cluster.cluster import Cluster
from tests.cluster.fixtures import StartCluster
from tests.cluster.node import Node
from tests.guarantees.test_hooks_killed import Writer, make_hook
from tests.hooks.received import Received, stored_messages
from tests.hooks.receiver import Answer, Receiver, receiving
from tests.patience import within

pytestmark = pytest.mark.cluster

LEASE_S = 4


async def two_nodes(start_cluster: StartCluster, **options: Any) -> Cluster:
    return await start_cluster(
        2, WEBHOOK_PRIVATE="on", METRICS_TOKEN=TOKEN, NODE_LEASE_S=str(LEASE_S), **options
    )


async def holders(cluster: Cluster) -> list[Node]:
    """The nodes that deliver the hook."""
    found = []
    for node in cluster.nodes:
        if node.is_running:
            scraped = await scrape(node.http, node.url)
            if sum(sample.value for sample in scraped.families["vestnik_hooks"].samples):
                found.append(node)
    return found


async def the_holder(cluster: Cluster) -> Node:
    async with within(20):
        while len(found := await holders(cluster)) != 1:
            await asyncio.sleep(0.05)
    return found[0]


def other_than(cluster: Cluster, node: Node) -> Node:
    return next(other for other in cluster.nodes if other is not node)


@pytest.mark.parametrize("redis", [False, True])
async def test_each_message_is_delivered_once_whichever_node_it_was_sent_to(
    start_cluster: StartCluster, redis: bool
) -> None:
    cluster = await two_nodes(start_cluster, redis=redis)
    async with receiving() as receiver:
        ann = await cluster.person("ann")
        there = cluster.nodes[1].host(ann)
        chat_id = await ann.chat()
        await make_hook(ann, chat_id, receiver.url)
        for number in range(20):
            await (ann, there)[number % 2].say(chat_id, str(number))
        await receiver.count(20)
        assert receiver.contents == [str(number) for number in range(20)]
        await there.say(chat_id, "last")
        async with within(2):
            await receiver.count(21)
        assert receiver.at_once_max == 1
        assert len(await holders(cluster)) == 1


@pytest.mark.parametrize("kills", [True, False])
async def test_the_other_node_takes_over(start_cluster: StartCluster, kills: bool) -> None:
    """What was acked before is delivered, and the receiver's next answer counts."""
    cluster = await two_nodes(start_cluster)
    async with receiving() as receiver:
        ann = await cluster.person("ann")
        chat_id = await ann.chat()
        await make_hook(ann, chat_id, receiver.url)
        await ann.say(chat_id, "one")
        await receiver.count(1)
        holder = await the_holder(cluster)
        other = other_than(cluster, holder)
        receiver.answers(Answer(hang=True))
        await holder.host(ann).say(chat_id, "two")
        await receiver.count(2)
        receiver.answers(Answer())
        if kills:
            await holder.kill()
        else:
            assert await holder.stop() == 0
        await other.host(ann).say(chat_id, "three")
        async with asyncio.timeout(LEASE_S + 15):
            await receiver.until(lambda: receiver.contents == ["one", "two", "two", "three"])
        await holder.start()
        await holder.ready()
        await holder.host(ann).say(chat_id, "four")
        await receiver.count(5)
        assert receiver.contents[4:] == ["four"]
        assert await holders(cluster) == [other]


async def test_a_node_that_was_suspended_delivers_nothing_that_the_other_has_delivered(
    start_cluster: StartCluster,
) -> None:
    cluster = await two_nodes(start_cluster)
    async with receiving() as receiver:
        ann = await cluster.person("ann")
        chat_id = await ann.chat()
        await make_hook(ann, chat_id, receiver.url)
        await ann.say(chat_id, "one")
        await receiver.count(1)
        holder = await the_holder(cluster)
        other = other_than(cluster, holder)
        holder.pause()
        for content in ("two", "three"):
            await other.host(ann).say(chat_id, content)
        async with asyncio.timeout(LEASE_S + 15):
            await receiver.count(3)
        holder.resume()
        await holder.ready()
        for number in range(5):
            await holder.host(ann).say(chat_id, str(number))
        await receiver.count(8)
        assert receiver.contents == ["one", "two", "three", *map(str, range(5))]


async def test_what_another_node_does_to_a_hook_counts(start_cluster: StartCluster) -> None:
    cluster = await two_nodes(start_cluster)
    async with receiving() as receiver:
        ann = await cluster.person("ann")
        chat_id = await ann.chat()
        hook = await make_hook(ann, chat_id, receiver.url)
        await ann.say(chat_id, "one")
        await receiver.count(1)
        there = other_than(cluster, await the_holder(cluster)).host(ann)
        await there.patch(f"/hooks/{hook['id']}", paused=True)
        await asyncio.sleep(1)
        await there.say(chat_id, "two")
        await asyncio.sleep(0.5)
        assert receiver.contents == ["one"]
        await there.patch(f"/hooks/{hook['id']}", paused=False)
        async with within(2):
            await receiver.count(2)
        await there.delete(f"/hooks/{hook['id']}")
        await asyncio.sleep(1)
        await there.say(chat_id, "three")
        await asyncio.sleep(0.5)
        assert receiver.contents == ["one", "two"]


async def kill_in_turn(cluster: Cluster, receiver: Receiver, kills: int, seed: object) -> None:
    """Kills one node after the other under load, each time one that lives; the other goes on."""
    dice = random.Random(f"nodes {seed}")
    ann = await cluster.person("ann")
    chat_id = await ann.chat()
    hook = await make_hook(ann, chat_id, receiver.url)
    received = Received(receiver, dice)
    for _ in range(kills):
        node = dice.choice(cluster.nodes)
        writers = [Writer(each.host(ann), chat_id, dice) for each in cluster.nodes]
        writing = [asyncio.create_task(writer.write()) for writer in writers]
        await asyncio.sleep(dice.uniform(0.5, LEASE_S + 3))
        await node.kill()
        received.life += 1
        await asyncio.sleep(dice.uniform(0, LEASE_S))
        for task in writing:
            task.cancel()
        await asyncio.gather(*writing, return_exceptions=True)
        await node.start()
        await node.ready()
        received.life += 1
    received.good = True
    await said_last(ann, chat_id, received)
    messages = await stored_messages(ann, chat_id)
    received.check(hook["secret"], messages, hook["user_id"], alone=False)
    assert len(received.deliveries) > kills


async def said_last(person: Person, chat_id: int, received: Received) -> None:
    """Says a last word, and waits for it as long as others come before it: many wait after the kills."""
    await person.say(chat_id, "the end")
    while not received.said("the end"):
        came = len(received.deliveries)
        async with asyncio.timeout(60):
            while len(received.deliveries) == came:
                await asyncio.sleep(0.02)


@pytest.mark.long
async def test_nodes_that_are_killed_in_turn(start_cluster: StartCluster) -> None:
    cluster = await two_nodes(start_cluster)
    async with receiving() as receiver:
        await kill_in_turn(cluster, receiver, 2, "short")


@pytest.mark.long
async def test_nodes_that_are_killed_dozens_of_times(start_cluster: StartCluster) -> None:
    cluster = await two_nodes(start_cluster)
    async with receiving() as receiver:
        await kill_in_turn(cluster, receiver, 12, "long")
