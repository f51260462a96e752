"""Members hear of what other servers do to their chats, whatever their own server has in memory."""

import pytest

from tests.cluster.fixtures import StartCluster

pytestmark = pytest.mark.cluster


async def test_a_chat_that_is_made_at_one_server_and_joined_at_another_at_once(
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
