"""Mentions as clients see them: in messages, their events and replays, and as counts."""

from typing import Any

import pytest

from tests.clients.client import Client
from tests.clients.clock import ManualClock
from tests.clients.shapes import CHAT, MESSAGE, fits
from tests.conftest import Serve, Server

pytestmark = [pytest.mark.wires, pytest.mark.stores]


class Scene:
    """A chat of Ann, who has joined it, and of Bob and Cid. Bob has joined it with one connection of two, Cid has not
    joined it with his one."""

    async def set(self, serve: Serve) -> None:
        self.server: Server = await serve(clock=ManualClock(), messages_per_s=0)
        self.clock = self.server.clock
        self.ann, self.bob, self.cid = await self.server.people("ann", "bob", "cid")
        self.chat_id = await self.ann.chat(self.bob, self.cid)
        self.anns = await self.ann.joined(self.chat_id)
        self.bobs, self.bobs_phone = await self.bob.joined(self.chat_id), await self.bob.connect()
        self.cids = await self.cid.connect()

    async def say(self, content: str) -> Any:
        return (await self.anns.done("send_message", chat_id=self.chat_id, content=content))["message"]

    async def counts(self, client: Client) -> tuple[int, int, int]:
        """What the next `chat_updated` says, a second later: unread messages, those that mention, and the mark."""
        update = await client.update()
        assert update["chat_id"] == self.chat_id
        self.clock.advance(1)
        return update["unread_count"], update["unread_mentions"], update["read_seq"]


@pytest.fixture
async def scene(serve: Serve) -> Scene:
    scene = Scene()
    await scene.set(serve)
    return scene


async def test_a_message_says_whom_it_mentions_wherever_it_is(scene: Scene) -> None:
    message = await scene.say("@Bob, @cid. @nobody @ann")
    assert fits(message, MESSAGE)
    assert (message["mentions"], message["mentions_all"]) == ([scene.bob.id, scene.cid.id], False)
    assert (await scene.bobs.next("new_message"))["message"] == message
    assert await scene.bob.get(f"/messages/{message['id']}") == message
    assert (await scene.bob.get(f"/chats/{scene.chat_id}/messages"))["messages"] == [message]
    ack = await scene.anns.done("edit_message", message_id=message["id"], content="@all, not `@bob`")
    edited = ack["message"]
    assert (edited["mentions"], edited["mentions_all"]) == ([], True)
    assert (await scene.bobs.next("message_updated"))["message"] == edited
    await scene.cids.done("join_chat", chat_id=scene.chat_id, after_seq=0)
    assert (await scene.cids.next("new_message"))["message"] == edited
    over_rest = await scene.ann.say(scene.chat_id, "@CID")
    assert over_rest["mentions"] == [scene.cid.id]
    assert (await scene.cids.next("new_message"))["message"] == over_rest
    plain = await scene.say("hello")
    assert (plain["mentions"], plain["mentions_all"]) == ([], False)


async def test_a_replay_has_whom_a_message_mentions_now(scene: Scene) -> None:
    message = await scene.say("@bob")
    edited = await scene.ann.patch(f"/messages/{message['id']}", content="@cid")
    await scene.cids.done("join_chat", chat_id=scene.chat_id, after_seq=1)
    frame = await scene.cids.next("message_updated")
    assert (frame["message"], frame["message"]["mentions"]) == (edited, [scene.cid.id])


async def test_unread_mentions_in_every_place(scene: Scene) -> None:
    first = await scene.say("@bob")
    assert await scene.counts(scene.bobs_phone) == (1, 1, 0)
    assert await scene.counts(scene.cids) == (1, 0, 0)
    await scene.say("@all")
    assert await scene.counts(scene.bobs_phone) == (2, 2, 0)
    scene.clock.advance(1)
    summary = await scene.bob.get(f"/chats/{scene.chat_id}")
    assert fits(summary, CHAT)
    assert (summary["unread_count"], summary["unread_mentions"]) == (2, 2)
    assert (await scene.bob.get("/chats"))["chats"] == [summary]
    ack = await scene.bobs.done("read_messages", chat_id=scene.chat_id, up_to=first["id"])
    assert (ack["unread_count"], ack["unread_mentions"], ack["read_seq"]) == (1, 1, 1)
    assert await scene.counts(scene.bobs_phone) == (1, 1, 1)
    assert await scene.bob.post(f"/chats/{scene.chat_id}/read") == {
        "unread_count": 0,
        "unread_mentions": 0,
        "up_to": first["id"] + 1,
        "read_seq": 2,
    }
    assert await scene.counts(scene.bobs_phone) == (0, 0, 2)
    assert (await scene.ann.get(f"/chats/{scene.chat_id}"))["unread_mentions"] == 0


async def test_a_change_of_the_mentions_alone_is_told(scene: Scene) -> None:
    """The number of unread messages stays what it was."""
    message = await scene.say("hello")
    assert await scene.counts(scene.cids) == (1, 0, 0)
    for content, mentions in (("@cid", 1), ("@bob", 0), ("@all", 1), ("hello", 0)):
        await scene.anns.done("edit_message", message_id=message["id"], content=content)
        assert await scene.counts(scene.cids) == (1, mentions, 0)


async def test_a_deletion_takes_the_mention_along(scene: Scene) -> None:
    messages = [await scene.say("@cid"), await scene.say("@all @cid")]
    await scene.cids.update()
    scene.clock.advance(1)
    assert await scene.counts(scene.cids) == (2, 2, 0)
    for left, message in zip((1, 0), messages, strict=True):
        await scene.anns.done("delete_message", message_id=message["id"])
        assert await scene.counts(scene.cids) == (left, left, 0)


async def test_who_mentions_all(scene: Scene) -> None:
    channel = await scene.ann.chat(scene.bob, chat_type="channel")
    assert (await scene.ann.say(channel, "@all"))["mentions_all"] is True
    private = await scene.ann.chat(scene.bob, chat_type="private")
    message = await scene.ann.say(private, "@all and @bob")
    assert (message["mentions"], message["mentions_all"]) == ([scene.bob.id], False)
    by_member = await scene.bob.say(scene.chat_id, "@ALL!")
    assert by_member["mentions_all"] is True


async def test_those_who_left_stay_in_what_mentions_them(scene: Scene) -> None:
    message = await scene.say("@bob @cid")
    await scene.ann.delete(f"/chats/{scene.chat_id}/members/{scene.bob.id}")
    assert await scene.cid.get(f"/messages/{message['id']}") == message
    await scene.server.chat_app.context.store.users.delete(scene.cid.id)
    assert await scene.ann.get(f"/messages/{message['id']}") == message
    assert (await scene.say("@bob"))["mentions"] == []
    await scene.ann.post(f"/chats/{scene.chat_id}/members", user_id=scene.bob.id)
    assert (await scene.bob.get(f"/chats/{scene.chat_id}"))["unread_mentions"] == 0
    assert (await scene.say("@bob"))["mentions"] == [scene.bob.id]
    assert (await scene.bob.get(f"/chats/{scene.chat_id}"))["unread_mentions"] == 1
