"""Private chats, blocks and own settings with the two people at different nodes."""

import pytest

from tests.nodes.conftest import Pair
from tests.nodes.test_events import soon
from tests.patience import within

pytestmark = pytest.mark.cluster


async def test_a_private_chat_appears_at_the_other_node_and_a_block_holds_there(pair: Pair) -> None:
    ann, bob = await pair.people("ann", "bob")
    bob_there = pair.there(bob)
    chat_id = await ann.chat(bob, chat_type="private")
    anns, other = await ann.joined(chat_id), await pair.there(ann).connect()
    plain, follower = await bob_there.connect(), await bob_there.connect(subscribe="all")
    assert (await follower.command("join_chat", chat_id=chat_id))["code"] == "not_found"
    assert (await bob_there.get("/chats"))["chats"] == []
    await ann.say(chat_id, "hi")
    assert [chat["id"] for chat in (await bob_there.get("/chats"))["chats"]] == [chat_id]
    for client in (plain, follower):
        added = await soon(client, "chat_added")
        assert (added["chat_id"], added["head_seq"]) == (chat_id, 0)
    assert (await soon(follower, "new_message"))["seq"] == 1
    assert (await soon(anns, "new_message"))["seq"] == 1
    await bob_there.say(chat_id, "hello")
    assert (await soon(anns, "new_message"))["seq"] == 2
    await ann.patch(f"/chats/{chat_id}/me", favorite=True)
    assert (await soon(other, "chat_settings"))["favorite"] is True
    assert (await soon(anns, "chat_settings"))["favorite"] is True
    await ann.request("PUT", f"/users/{bob.id}/block")
    for command, fields in (("send_message", {"content": "why?"}), ("typing", {"is_typing": True})):
        async with within(1):
            while (await follower.command(command, chat_id=chat_id, **fields)).get("code") != "forbidden":
                assert command == "typing", "only typing may be known by memory"
    await ann.request("DELETE", f"/users/{bob.id}/block")
    await follower.done("send_message", chat_id=chat_id, content="thanks")
