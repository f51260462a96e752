"""Mentions reach the clients of another node, in events and in counts."""

import pytest

from tests.clients.client import Client
from tests.nodes.conftest import Pair
from tests.patience import within

pytestmark = pytest.mark.cluster


async def told(client: Client, unread_count: int, unread_mentions: int) -> None:
    """Returns when a `chat_updated` says so, which comes within 2 s."""
    async with within(2):
        while True:
            update = await client.update()
            if (update["unread_count"], update["unread_mentions"]) == (unread_count, unread_mentions):
                return


async def test_unread_mentions_at_the_other_node(pair: Pair) -> None:
    ann, bob = await pair.people("ann", "bob")
    chat_id = await ann.chat(bob)
    bob_there = pair.there(bob)
    client, joined = await bob_there.connect(), await bob_there.joined(chat_id)
    message = await ann.say(chat_id, "@bob")
    assert message["mentions"] == [bob.id]
    assert (await joined.next("new_message"))["message"] == message
    await told(client, 1, 1)
    await ann.patch(f"/messages/{message['id']}", content="nobody")
    await told(client, 1, 0)
    await ann.patch(f"/messages/{message['id']}", content="@all")
    await told(client, 1, 1)
    assert (await bob_there.get(f"/messages/{message['id']}/history"))["versions"][0]["content"] == "@bob"
    read = await bob.post(f"/chats/{chat_id}/read")
    assert (read["unread_mentions"], read["read_seq"]) == (0, 1)
    await told(client, 0, 0)
    summary = await bob_there.get(f"/chats/{chat_id}")
    assert (summary["unread_count"], summary["unread_mentions"]) == (0, 0)
