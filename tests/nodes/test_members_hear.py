"""Members hear of what other nodes do to their chats, whatever their own node has in memory."""

import asyncio
import itertools
from collections import Counter

import pytest

from tests.cluster.fixtures import StartCluster

pytestmark = pytest.mark.cluster


async def test_a_chat_that_is_made_at_one_node_and_joined_at_another_at_once(
    start_cluster: StartCluster,
) -> None:
    cluster = await start_cluster(2)
    two = cluster.nodes[1]
    ann, bob, carl = await cluster.people("ann", "bob", "carl")
    anns, bobs = await two.host(ann).connect(), await two.host(bob).connect()
    for _ in range(5):
        chat_id = await ann.chat(bob)
        await anns.done("join_chat", chat_id=chat_id)
        await two.host(ann).say(chat_id, "Hello")
        assert (await bobs.next("chat_added"))["chat_id"] == chat_id
        await anns.next("chat_added")
        await ann.post(f"/chats/{chat_id}/members", user_id=carl.id)
        await bobs.nothing_more("chat_added")
        await anns.nothing_more("chat_added")


async def test_members_at_every_node_get_the_end_of_an_account(start_cluster: StartCluster) -> None:
    """Joined or not, and before the chat tells that the user is gone."""
    cluster = await start_cluster(2)
    ann, bob = await cluster.people("ann", "bob")
    chats = [await ann.chat(bob) for _ in range(3)]
    clients = [
        client
        for node in cluster.nodes
        for client in (await node.host(ann).connect(), await node.host(ann).joined(*chats))
    ]
    for client in clients:
        await client.drain()
    status, _, errors = await cluster.nodes[0].command_line("user", "delete", "bob")
    assert status == 0, errors
    await asyncio.sleep(2)
    for client in clients:
        seen = [frame for frame in await client.drain() if frame["type"] in ("user_changed", "chat_changed")]
        told = [frame["user"] for frame in seen if frame["type"] == "user_changed"]
        assert told, "nobody is told nothing"
        assert all((user["id"], user["active"]) == (bob.id, False) for user in told)
        assert all(user != other for user, other in itertools.pairwise(told)), "each state once"
        assert seen[0]["type"] == "user_changed"
        gone = {frame["chat_id"] for frame in seen if frame["type"] == "chat_changed"}
        assert gone == set(chats)


async def test_a_user_with_connections_to_two_nodes_gets_each_event_once_at_each(
    start_cluster: StartCluster,
) -> None:
    cluster = await start_cluster(2)
    ann, bob = await cluster.people("ann", "bob")
    plain = [await node.host(bob).connect() for node in cluster.nodes]
    following = [await node.host(bob).connect(subscribe="all") for node in cluster.nodes]
    for client in (*plain, *following):
        await client.drain()
    chat_id = await ann.chat()
    there = cluster.nodes[1].host(ann)
    await there.post(f"/chats/{chat_id}/members", user_id=bob.id)
    for number in range(6):
        await (ann, there)[number % 2].say(chat_id, f"{number}")
    await there.patch(f"/chats/{chat_id}", name="Renamed")
    await ann.delete(f"/chats/{chat_id}/members/{bob.id}")
    await asyncio.sleep(2)
    for client in plain:
        names = [frame["type"] for frame in await client.drain()]
        assert names[0] == "chat_added"
        assert names[-1] == "chat_removed"
        assert Counter(names) == {"chat_added": 1, "chat_changed": 2, "chat_removed": 1}
    for client in following:
        frames = await client.drain()
        assert [frame["seq"] for frame in frames if frame["type"] == "new_message"] == [1, 2, 3, 4, 5, 6]
        assert Counter(frame["type"] for frame in frames) == {
            "chat_added": 1,
            "new_message": 6,
            "chat_changed": 2,
            "chat_removed": 1,
        }
