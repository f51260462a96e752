"""Reactions and pins at two nodes: both rooms hear the same, and end with the same."""

import asyncio
import random
from typing import Any

import pytest

from tests.clients.copy import Reader
from tests.clients.people import Person
from tests.nodes.conftest import Pair
from tests.patience import within

pytestmark = pytest.mark.cluster

EMOJI = ("👍", "❤", "🎉")
STEPS = 30


async def test_both_nodes_hear_the_same_and_end_with_the_same(pair: Pair) -> None:
    ann, bob = await pair.people("ann", "bob")
    await _each_reaches_the_room_at_the_other_node(pair, ann, bob)
    await _copies_at_both_nodes_end_as_what_is_stored(pair, ann, bob)


async def _each_reaches_the_room_at_the_other_node(pair: Pair, ann: Person, bob: Person) -> None:
    chat_id = await ann.chat(bob)
    message = await ann.say(chat_id, "hi")
    here, there = await ann.joined(chat_id), await pair.there(bob).joined(chat_id)
    about = {"message_id": message["id"]}
    await there.done("add_reaction", **about, emoji="👍")
    await here.done("add_reaction", **about, emoji="👍")
    await here.done("pin_message", **about)
    await there.done("remove_reaction", **about, emoji="👍")
    await here.done("unpin_message", **about)
    for client in (here, there):
        async with within(3):
            frames: list[Any] = []
            while len(frames) < 5:
                frame = await client.next()
                frames += [frame] if "seq" in frame else []
        assert [(frame["type"], frame["user_id"], frame["seq"]) for frame in frames] == [
            ("reaction_added", bob.id, 2),
            ("reaction_added", ann.id, 3),
            ("message_pinned", ann.id, 4),
            ("reaction_removed", bob.id, 5),
            ("message_unpinned", ann.id, 6),
        ]
    for person in (ann, pair.there(bob)):
        found = await person.get(f"/messages/{message['id']}")
        assert (found["reactions"], found["pinned"], found["changed_seq"]) == ({"👍": [ann.id]}, False, 6)


async def act(person: Person, chat_id: int, ids: list[int], number: int) -> None:
    """Does what comes to mind with the messages, over REST."""
    script = random.Random(number)
    for _ in range(STEPS):
        message_id, emoji = script.choice(ids), script.choice(EMOJI)
        method = script.choice(("POST", "DELETE"))
        match script.randrange(8):
            case 0:
                ids.append((await person.say(chat_id, "more"))["id"])
            case 1:
                status, _ = await person.request("DELETE", f"/messages/{script.choice(ids[-3:])}")
                assert status in (204, 404)
            case 2 | 3:
                status, _ = await person.request(method, f"/messages/{message_id}/pin")
                assert status in (200, 404)
            case _:
                status, _ = await person.request(method, f"/messages/{message_id}/reactions/{emoji}")
                assert status in (200, 404)


async def _copies_at_both_nodes_end_as_what_is_stored(pair: Pair, ann: Person, bob: Person) -> None:
    """Ann acts at both nodes at once, and Bob reads at both; at one of them they are cut off in the middle."""
    chat_id = await ann.chat(bob)
    ids = [(await ann.say(chat_id, f"{number}"))["id"] for number in range(6)]
    readers = [Reader("raw", bob, chat_id), Reader("socketio", pair.there(bob), chat_id)]
    for reader in readers:
        await reader.catch_up()
    acting = asyncio.gather(act(ann, chat_id, ids, 1), act(pair.there(ann), chat_id, ids, 2))
    await asyncio.sleep(0.5)
    readers[1].cut()
    await acting
    await asyncio.sleep(1)  # what one node has acked is in a `head_seq` of the other within a second
    for reader in readers:
        await reader.settle()
        await reader.check()
    assert readers[0].copy.messages == readers[1].copy.messages
    pinned = {message["id"] for message in readers[0].copy.messages.values() if message["pinned"]}
    for person in (ann, pair.there(ann)):
        assert {
            message["id"] for message in (await person.get(f"/chats/{chat_id}/pins"))["messages"]
        } == pinned
    for reader in readers:
        await reader.close()
