"""Reactions and pins at the sockets: who hears what, what changes nothing, and what a client that was away gets."""

from typing import Any

import pytest

from tests.clients.client import Client
from tests.clients.clock import ManualClock
from tests.clients.numbered import NUMBERED_EVENTS
from tests.clients.people import Person
from tests.clients.shapes import MESSAGE, assert_error_frame, fits, is_time
from tests.conftest import Serve, Server

pytestmark = pytest.mark.wires

THUMB, HEART = "👍🏽", "❤"


async def answered(client: Client, name: str, **fields: Any) -> Any:
    """The message in the ack, whose `seq` is that of its last change."""
    ack = await client.done(name, **fields)
    assert fits(ack["message"], MESSAGE)
    assert ack["seq"] == ack["message"]["changed_seq"]
    return ack["message"]


async def heard(client: Client) -> list[Any]:
    """The numbered events that have come, without their times."""
    frames = [frame for frame in await client.drain() if frame["type"] in NUMBERED_EVENTS]
    assert all(is_time(frame.pop("timestamp")) for frame in frames)
    return frames


async def scene(server: Server) -> tuple[Person, Person, int, Any]:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob)
    return ann, bob, chat_id, await ann.say(chat_id, "hi")


@pytest.mark.stores
async def test_the_room_hears_each_change_once(server: Server) -> None:
    ann, bob, chat_id, message = await scene(server)
    anns, bobs = await ann.joined(chat_id), await bob.joined(chat_id)
    about = {"message_id": message["id"]}
    for emoji in (THUMB, THUMB, HEART + "\ufe0f", HEART):
        await answered(bobs, "add_reaction", **about, emoji=emoji)
    now = await answered(anns, "add_reaction", **about, emoji=THUMB)
    assert now == {
        **message,
        "reactions": {THUMB: [bob.id, ann.id], HEART: [bob.id]},
        "changed_seq": 4,
    }
    for _ in range(2):
        now = await answered(bobs, "remove_reaction", **about, emoji=THUMB)
    assert now["reactions"] == {THUMB: [ann.id], HEART: [bob.id]}
    for name in ("pin_message", "pin_message"):
        now = await answered(anns, name, **about)
    assert (now["pinned"], now["edited_at"]) == (True, None)
    now = await answered(anns, "unpin_message", **about)
    assert (
        await answered(anns, "unpin_message", **about) == now == await bob.get(f"/messages/{message['id']}")
    )
    base = {"chat_id": chat_id, **about}
    expected = [
        {"type": "reaction_added", **base, "user_id": bob.id, "emoji": THUMB, "seq": 2},
        {"type": "reaction_added", **base, "user_id": bob.id, "emoji": HEART, "seq": 3},
        {"type": "reaction_added", **base, "user_id": ann.id, "emoji": THUMB, "seq": 4},
        {"type": "reaction_removed", **base, "user_id": bob.id, "emoji": THUMB, "seq": 5},
        {"type": "message_pinned", **base, "user_id": ann.id, "seq": 6},
        {"type": "message_unpinned", **base, "user_id": ann.id, "seq": 7},
    ]
    for client in (anns, bobs):
        assert await heard(client) == expected


@pytest.mark.stores
async def test_who_was_away_gets_the_whole_message(server: Server) -> None:
    ann, bob, chat_id, old = await scene(server)  # 1
    anns = await ann.connect()
    new = await ann.say(chat_id, "new")  # 2
    await answered(anns, "add_reaction", message_id=old["id"], emoji=THUMB)  # 3
    await answered(anns, "pin_message", message_id=old["id"])  # 4
    await answered(anns, "add_reaction", message_id=new["id"], emoji=HEART)  # 5
    gone = await ann.say(chat_id, "gone")  # 6
    await answered(anns, "pin_message", message_id=gone["id"])  # 7
    await ann.delete(f"/messages/{gone['id']}")  # 8
    bobs = await bob.connect()
    ack = await bobs.done("join_chat", chat_id=chat_id, after_seq=1)
    assert (ack["head_seq"], ack["replayed"], ack["gap"]) == (8, 3, False)
    replay = [frame for frame in bobs.take() if frame["type"] in NUMBERED_EVENTS]
    assert [(frame["type"], frame["seq"]) for frame in replay] == [
        ("message_updated", 4),
        ("new_message", 5),
        ("message_deleted", 8),
    ]
    assert replay[0]["message"] == {
        **old,
        "reactions": {THUMB: [ann.id]},
        "pinned": True,
        "changed_seq": 4,
    }
    assert (replay[0]["content"], replay[0]["edited_at"]) == ("hi", None)
    assert replay[1]["message"] == {**new, "reactions": {HEART: [ann.id]}, "changed_seq": 5}
    await answered(anns, "remove_reaction", message_id=old["id"], emoji=THUMB)
    assert (await bobs.next("reaction_removed"))["seq"] == 9
    assert (await bob.get(f"/chats/{chat_id}/pins"))["messages"] == [await bob.get(f"/messages/{old['id']}")]


async def test_who_has_not_joined_hears_of_the_position_alone(serve: Serve) -> None:
    server = await serve(clock=ManualClock())
    ann, bob, chat_id, message = await scene(server)
    await bob.post(f"/chats/{chat_id}/read")
    other_id = await ann.chat(bob, name="Later")
    await ann.say(other_id, "later")
    bobs = await bob.connect()
    anns = await ann.joined(chat_id)
    reacted = await answered(anns, "add_reaction", message_id=message["id"], emoji=THUMB)
    update = await bobs.update()
    assert (update["chat_id"], update["head_seq"], update["unread_count"]) == (chat_id, 2, 0)
    assert update["last_message"] == reacted
    await bobs.nothing_more()
    assert [chat["id"] for chat in (await bob.get("/chats"))["chats"]] == [other_id, chat_id]


async def test_who_may_not_is_told_why(server: Server) -> None:
    ann, bob, eve = await server.people("ann", "bob", "eve")
    channel_id = await ann.chat(bob, chat_type="channel")
    message = await ann.say(channel_id, "news")
    bobs, eves = await bob.joined(channel_id), await eve.connect()
    await answered(bobs, "add_reaction", message_id=message["id"], emoji=THUMB)
    for name in ("pin_message", "unpin_message"):
        assert_error(await bobs.command(name, message_id=message["id"]), "forbidden")
    for name in ("add_reaction", "remove_reaction"):
        assert_error(await eves.command(name, message_id=message["id"], emoji=THUMB), "not_found")
        assert_error(await eves.command(name, message_id=2**53 - 1, emoji=THUMB), "not_found")
    await ann.delete(f"/messages/{message['id']}")
    for name in ("add_reaction", "remove_reaction"):
        assert_error(await bobs.command(name, message_id=message["id"], emoji=THUMB), "not_found")
    for name in ("pin_message", "unpin_message"):
        assert_error(await (await ann.connect()).command(name, message_id=message["id"]), "not_found")


def assert_error(frame: Any, code: str) -> None:
    assert_error_frame(frame, code, id=frame["id"])


async def test_a_blocked_user_does_not_react_in_the_private_chat(server: Server) -> None:
    ann, bob = await server.people("ann", "bob")
    chat_id = await ann.chat(bob, chat_type="private")
    message = await ann.say(chat_id, "hi")
    bobs = await bob.joined(chat_id)
    reacted = await answered(bobs, "add_reaction", message_id=message["id"], emoji=THUMB)
    await answered(bobs, "pin_message", message_id=message["id"])
    await ann.request("PUT", f"/users/{bob.id}/block")
    assert_error(await bobs.command("add_reaction", message_id=message["id"], emoji=HEART), "forbidden")
    assert_error(await bobs.command("remove_reaction", message_id=message["id"], emoji=THUMB), "forbidden")
    again = await answered(bobs, "add_reaction", message_id=message["id"], emoji=THUMB)
    assert again["reactions"] == reacted["reactions"], "a repeat is answered as ever"
    anns = await ann.joined(chat_id)
    await answered(anns, "add_reaction", message_id=message["id"], emoji=THUMB)
    assert [frame["type"] for frame in await heard(bobs)] == [
        "reaction_added",
        "message_pinned",
        "reaction_added",
    ]


async def test_they_count_as_messages_and_never_as_typing(serve: Serve) -> None:
    server = await serve(messages_per_s=0.01, messages_burst=4)
    ann, bob, chat_id, message = await scene(server)
    bobs = await bob.joined(chat_id)
    anns = await ann.joined(chat_id)
    await bobs.done("typing", chat_id=chat_id, is_typing=True)
    for name in ("add_reaction", "add_reaction", "remove_reaction"):
        await answered(bobs, name, message_id=message["id"], emoji=THUMB)
    await bobs.done("send_message", chat_id=chat_id, content="last")
    for name, more in (("add_reaction", {"emoji": THUMB}), ("pin_message", {}), ("unpin_message", {})):
        error = await bobs.command(name, message_id=message["id"], **more)
        assert_error_frame(error, "rate_limited", id=error["id"])
    frames = [(frame["type"], frame.get("is_typing")) for frame in await anns.drain()]
    assert frames == [
        ("typing", True),
        ("reaction_added", None),
        ("reaction_removed", None),
        ("typing", False),
        ("new_message", None),
    ]
