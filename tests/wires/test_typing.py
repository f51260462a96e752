"""Typing: published at once, repeated at most once a second, and ended exactly once."""

from typing import Any

import pytest

from tests.clients.clock import ManualClock
from tests.conftest import Serve

pytestmark = pytest.mark.wires


class Scene:
    """Ann types on one of two connections, Bob watches; time stands still."""

    async def set(self, serve: Serve, **settings: Any) -> None:
        self.server = await serve(clock=ManualClock(), **settings)
        self.clock = self.server.clock
        self.ann, self.bob = await self.server.people("ann", "bob")
        self.chat_id = await self.ann.chat(self.bob)
        self.anns = await self.ann.joined(self.chat_id)
        self.other = await self.ann.joined(self.chat_id)
        self.bobs = await self.bob.joined(self.chat_id)
        await self.anns.drain()
        await self.other.drain()

    async def type(self, is_typing: bool = True, client: Any = None, **fields: Any) -> None:
        fields = {"chat_id": self.chat_id, "is_typing": is_typing, **fields}
        await (client or self.anns).done("typing", **fields)

    async def received(self) -> list[bool]:
        """The `is_typing` of all events about Ann that Bob has received since the last call."""
        frames = [frame for frame in await self.bobs.drain() if frame["type"] == "typing"]
        assert all((frame["chat_id"], frame["user_id"]) == (self.chat_id, self.ann.id) for frame in frames)
        assert all(
            frame.keys() == {"type", "chat_id", "user_id", "is_typing", "timestamp"} for frame in frames
        )
        return [frame["is_typing"] for frame in frames]


@pytest.fixture
async def scene(serve: Serve) -> Scene:
    scene = Scene()
    await scene.set(serve)
    return scene


async def test_a_repeat_is_sent_again_when_a_second_has_passed_since_the_last_one_sent(scene: Scene) -> None:
    await scene.type()
    assert await scene.received() == [True]
    for wait, received in (
        (0, []),
        (0.5, []),
        (0.49, []),
        (0.01, [True]),
        (0.99, []),
        (0.01, [True]),
        (2, [True]),
    ):
        scene.clock.advance(wait)
        await scene.type()
        assert await scene.received() == received, wait


async def test_it_ends_3_s_after_the_last_repeat(scene: Scene) -> None:
    await scene.type()
    scene.clock.advance(0.9)
    await scene.type()  # not published again, but it extends the typing
    scene.clock.advance(2.9)
    assert await scene.received() == [True]
    scene.clock.advance(0.1)
    assert await scene.received() == [False]
    scene.clock.advance(60)
    assert await scene.received() == []
    await scene.type()
    assert await scene.received() == [True]


async def test_false_ends_it_once(scene: Scene) -> None:
    await scene.type(False)
    assert await scene.received() == [], "it was not shown"
    await scene.type()
    await scene.type(False)
    await scene.type(False)
    scene.clock.advance(10)
    assert await scene.received() == [True, False]
    await scene.type()
    assert await scene.received() == [True], "after an end it is shown at once"


async def test_a_message_of_the_user_in_the_chat_ends_it_before_it_is_published(scene: Scene) -> None:
    elsewhere = await scene.ann.chat(scene.bob)
    await scene.type()
    await scene.bob.say(scene.chat_id, "by another")
    await scene.ann.say(elsewhere, "in another chat")
    assert await scene.received() == [True]
    await scene.ann.say(scene.chat_id, "over REST")
    frames = [(frame["type"], frame.get("is_typing")) for frame in await scene.bobs.drain()]
    assert frames == [("typing", False), ("new_message", None)]
    scene.clock.advance(10)
    assert await scene.received() == []


async def test_leaving_with_the_typing_connection_ends_it(scene: Scene) -> None:
    await scene.type()
    await scene.other.done("leave_chat", chat_id=scene.chat_id)
    assert await scene.received() == [True], "the other connection was not the typing one"
    await scene.anns.done("leave_chat", chat_id=scene.chat_id)
    assert await scene.received() == [False]
    scene.clock.advance(10)
    assert await scene.received() == []


async def test_typing_needs_no_join_and_leaving_ends_it_all_the_same(scene: Scene) -> None:
    await scene.anns.done("leave_chat", chat_id=scene.chat_id)
    await scene.type()
    assert await scene.received() == [True]
    await scene.anns.done("leave_chat", chat_id=scene.chat_id)
    assert await scene.received() == [False]


async def test_dropping_the_typing_connection_ends_it(scene: Scene) -> None:
    await scene.type()
    await scene.other.close()
    await scene.type(client=scene.anns)
    await scene.anns.close()
    shown, ended = await scene.bobs.next("typing"), await scene.bobs.next("typing")
    assert (shown["is_typing"], ended["is_typing"]) == (True, False)
    scene.clock.advance(10)
    assert await scene.received() == []


async def test_joining_again_does_not_end_it(scene: Scene) -> None:
    await scene.type()
    await scene.anns.done("join_chat", chat_id=scene.chat_id)
    await scene.anns.done("join_chat", chat_id=scene.chat_id, after_seq=0)
    assert await scene.received() == [True]


async def test_the_connection_that_typed_last_is_the_typing_one(scene: Scene) -> None:
    await scene.type()
    await scene.type(client=scene.other)
    await scene.anns.done("leave_chat", chat_id=scene.chat_id)
    assert await scene.received() == [True]
    await scene.other.done("leave_chat", chat_id=scene.chat_id)
    assert await scene.received() == [False]


async def test_a_removal_ends_it_for_those_who_stay(scene: Scene) -> None:
    carl = await scene.server.person("carl")
    await scene.ann.post(f"/chats/{scene.chat_id}/members", user_id=carl.id)
    carls = await carl.connect()
    await carls.done("typing", chat_id=scene.chat_id, is_typing=True)
    assert (await scene.bobs.next("typing"))["is_typing"] is True
    await scene.ann.delete(f"/chats/{scene.chat_id}/members/{carl.id}")
    assert (await scene.bobs.next("typing"))["is_typing"] is False
    scene.clock.advance(10)
    await scene.bobs.nothing_more("typing")
    await carls.nothing_more("typing")


async def test_none_of_the_users_own_connections_hears_it(scene: Scene) -> None:
    await scene.type()
    scene.clock.advance(3)
    await scene.type()
    await scene.type(False)
    await scene.anns.nothing_more("typing")
    await scene.other.nothing_more("typing")
    assert await scene.received() == [True, False, True, False]


async def test_above_the_limit_it_is_ignored_without_an_error(scene: Scene) -> None:
    for _ in range(200):
        await scene.anns.send({"type": "typing", "chat_id": scene.chat_id, "is_typing": True})
    await scene.anns.nothing_more("error")
    await scene.type()
    assert await scene.received() == [True]
    scene.clock.advance(2.9)
    assert await scene.received() == []
    scene.clock.advance(0.1)
    assert await scene.received() == [False]


async def test_an_end_counts_even_above_the_limit(scene: Scene) -> None:
    for _ in range(50):
        await scene.anns.send({"type": "typing", "chat_id": scene.chat_id, "is_typing": True})
    await scene.type(False)
    assert await scene.received() == [True, False]


async def test_typing_is_apart_for_every_chat_and_every_user(scene: Scene) -> None:
    elsewhere = await scene.ann.chat(scene.bob)
    await scene.bobs.done("join_chat", chat_id=elsewhere)
    await scene.type()
    await scene.type(chat_id=elsewhere)
    await scene.type(client=scene.bobs)
    assert (await scene.other.next("typing"))["user_id"] == scene.bob.id
    frames = [frame for frame in await scene.bobs.drain() if frame["type"] == "typing"]
    assert [frame["chat_id"] for frame in frames] == [scene.chat_id, elsewhere]
    await scene.type(False)
    assert await scene.received() == [False]
