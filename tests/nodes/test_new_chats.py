"""A chat that was just made: everybody joins and writes at once, at three nodes."""

import asyncio

import pytest

from tests.clients.copy import Reader
from tests.cluster.fixtures import StartCluster
from tests.cluster.node import Node
from tests.patience import within

pytestmark = pytest.mark.cluster

CHATS = 4
READERS_OF_A_NODE = 3
MESSAGES_OF_A_WRITER = 3


async def test_who_joins_while_the_first_messages_are_written_misses_none(
    start_cluster: StartCluster,
) -> None:
    """A node may hear of messages of the chat before it hears of its creation."""
    cluster = await start_cluster(3)
    people = await cluster.people("writer0", "writer1", "writer2")
    reading = await cluster.person("reader")

    async def write(node: Node, number: int, chat_id: int) -> None:
        writer = node.host(people[number])
        for message in range(MESSAGES_OF_A_WRITER):
            await writer.say(chat_id, f"{number} {message}")

    for _ in range(CHATS):
        chat_id = await people[0].chat(*people[1:], reading)
        readers = [
            Reader("raw", node.host(reading), chat_id)
            for node in cluster.nodes
            for _ in range(READERS_OF_A_NODE)
        ]
        writing = [write(node, number, chat_id) for number, node in enumerate(cluster.nodes)]
        await asyncio.gather(*(reader.settle() for reader in readers), *writing)
        async with within(15):
            for reader in readers:
                while reader.copy.position < len(writing) * MESSAGES_OF_A_WRITER:
                    await reader.settle()
                await reader.check()
                await reader.close()
