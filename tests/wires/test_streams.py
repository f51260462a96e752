"""Streams: the newest content, at most every 200 ms, until the message comes or nobody may or wants to go on."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers import moderation
from handlers.policy import STREAM_EVERY_S, STREAM_SHOWN_S, STREAMS_PER_USER
from tests.clients.clock import ManualClock
from tests.clients.people import Person
from tests.clients.shapes import assert_error_frame
from tests.conftest import Serve

pytestmark = pytest.mark.wires

NAME = "answer-1"


class Scene:
    """Ann owns the chat and watches; Bob streams; time stands still."""

    chat_id: int

    async def set(self, serve: Serve, *, chat_type: str = "group", **settings: Any) -> None:
        self.server = await serve(clock=ManualClock(), **settings)
        self.clock = self.server.clock
        self.ann, self.bob = await self.server.people("ann", "bob")
        self.chat_id = await self.ann.chat(self.bob, chat_type=chat_type)
        if chat_type == "channel":
            await self.ann.patch(f"/chats/{self.chat_id}/members/{self.bob.id}", role="admin")
        self.anns = await self.ann.joined(self.chat_id)
        self.bobs = await self.bob.joined(self.chat_id)
        await self.anns.drain()

    async def stream(self, content: str, client: Any = None, **fields: Any) -> None:
        fields = {"chat_id": self.chat_id, "stream_id": NAME, "content": content, **fields}
        await (client or self.bobs).done("stream_message", **fields)

    async def received(self, client: Any = None, *, stream_id: str = NAME) -> list[str | None]:
        """The contents of all events of Bob's stream since the last call."""
        frames = [frame for frame in await (client or self.anns).drain() if frame["type"] == "message_stream"]
        named = (self.chat_id, self.bob.id, stream_id)
        for frame in frames:
            assert frame.keys() == {"type", "chat_id", "user_id", "stream_id", "content", "timestamp"}
            assert (frame["chat_id"], frame["user_id"], frame["stream_id"]) == named
        return [frame["content"] for frame in frames]


@pytest.fixture
async def scene(serve: Serve) -> Scene:
    scene = Scene()
    await scene.set(serve)
    return scene


# --- what is seen -----------------------------------------------------------------------------------------------------


async def test_the_room_gets_the_newest_content_at_most_every_200_ms(scene: Scene) -> None:
    await scene.stream("It")
    assert await scene.received() == ["It"], "the first one comes at once"
    await scene.stream("It is")
    await scene.stream("It is a")
    scene.clock.advance(STREAM_EVERY_S - 0.001)
    await scene.stream("It is a fox")
    assert await scene.received() == []
    scene.clock.advance(0.001)
    assert await scene.received() == ["It is a fox"]
    scene.clock.advance(60 * STREAM_EVERY_S)
    assert await scene.received() == [], "nothing is sent again by itself"
    await scene.stream("It is a fox")
    assert await scene.received() == ["It is a fox"], "a repeat keeps the stream open for clients too"


async def test_the_whole_room_gets_it_and_nobody_else(scene: Scene) -> None:
    other = await scene.bob.joined(scene.chat_id)
    unjoined = await scene.ann.connect()
    await scene.stream("It")
    assert await scene.received() == await scene.received(scene.bobs) == await scene.received(other) == ["It"]
    await unjoined.nothing_more("message_stream")
    await scene.anns.done("leave_chat", chat_id=scene.chat_id)
    scene.clock.advance(1)
    await scene.stream("It is")
    assert (await scene.received(), await scene.received(other)) == ([], ["It is"])


async def test_content_may_be_empty_and_as_long_as_a_message(scene: Scene) -> None:
    for content in ("", " \n", "ы" * 10_000):
        await scene.stream(content)
        assert await scene.received() == [content]
        scene.clock.advance(1)
    frame = await scene.bobs.command(
        "stream_message", chat_id=scene.chat_id, stream_id=NAME, content="ы" * 10_001
    )
    assert_error_frame(frame, "invalid", "content", id=frame["id"])
    assert await scene.received() == []


async def test_nothing_of_it_is_stored(scene: Scene) -> None:
    path = f"/chats/{scene.chat_id}"
    unjoined = await scene.ann.connect()
    before = await scene.ann.get(path)
    await scene.stream("It")
    scene.clock.advance(2)
    assert await scene.ann.get(path) == before
    assert (await scene.ann.get(f"{path}/messages"))["messages"] == []
    assert await unjoined.updates() == []
    assert (await unjoined.done("join_chat", chat_id=scene.chat_id, after_seq=0))["replayed"] == 0
    await scene.server.restart()
    anns = await scene.ann.joined(scene.chat_id)
    await anns.nothing_more("message_stream")


async def test_streams_are_apart_by_chat_user_and_name(scene: Scene) -> None:
    elsewhere = await scene.ann.chat(scene.bob)
    await scene.anns.done("join_chat", chat_id=elsewhere)
    await scene.stream("one")
    await scene.stream("two", stream_id="answer-2")
    await scene.stream("of Ann", client=scene.anns)
    await scene.stream("there", chat_id=elsewhere)
    scene.clock.advance(STREAM_EVERY_S)
    seen = [
        (frame["chat_id"], frame["user_id"], frame["stream_id"], frame["content"])
        for frame in await scene.anns.drain()
        if frame["type"] == "message_stream"
    ]
    assert sorted(seen) == [
        (scene.chat_id, scene.ann.id, NAME, "of Ann"),
        (scene.chat_id, scene.bob.id, NAME, "one"),
        (scene.chat_id, scene.bob.id, "answer-2", "two"),
        (elsewhere, scene.bob.id, NAME, "there"),
    ]
    await scene.ann.say(scene.chat_id, "of Ann", client_id=NAME)
    await scene.bob.say(elsewhere, "there", client_id=NAME)
    scene.clock.advance(1)
    await scene.stream("one more")
    assert await scene.received() == ["one more"]


async def test_who_joins_meanwhile_gets_the_present_content(scene: Scene) -> None:
    await scene.stream("It")
    await scene.stream("It is a fox")  # not published yet
    for options in ({}, {"after_seq": 0}):
        client = await scene.ann.connect()
        await client.done("join_chat", chat_id=scene.chat_id, **options)
        assert await scene.received(client) == ["It is a fox"]
    follower = await scene.ann.connect(subscribe="all")
    assert await scene.received(follower) == ["It is a fox"]
    scene.clock.advance(STREAM_EVERY_S)
    assert await scene.received(follower) == ["It is a fox"]
    await scene.bob.say(scene.chat_id, "It is a fox.", client_id=NAME)
    late = await scene.ann.connect()
    await late.done("join_chat", chat_id=scene.chat_id)
    await late.nothing_more("message_stream")


# --- who may, and how much --------------------------------------------------------------------------------------------


async def test_it_needs_membership_but_no_join(scene: Scene) -> None:
    await scene.bobs.done("leave_chat", chat_id=scene.chat_id)
    await scene.stream("It")
    assert await scene.received() == ["It"]
    eve = await (await scene.server.person("eve")).connect()
    frame = await eve.command("stream_message", chat_id=scene.chat_id, stream_id=NAME, content="x")
    assert_error_frame(frame, "not_found", id=frame["id"])
    assert await scene.received() == []


async def test_in_a_channel_only_those_stream_who_write(serve: Serve) -> None:
    scene = Scene()
    await scene.set(serve, chat_type="channel")
    await scene.stream("It")
    assert await scene.received() == ["It"]
    carl = await scene.server.person("carl")
    await scene.ann.post(f"/chats/{scene.chat_id}/members", user_id=carl.id)
    carls = await carl.connect()
    call = {"chat_id": scene.chat_id, "stream_id": "x", "content": "x"}
    frame = await carls.command("stream_message", **call)
    assert_error_frame(frame, "forbidden", id=frame["id"])
    path = f"/chats/{scene.chat_id}/members/{carl.id}"
    await scene.ann.patch(path, role="admin")
    await carls.done("stream_message", **call)
    await scene.ann.patch(path, role="member")
    frame = await carls.command("stream_message", **call)
    assert_error_frame(frame, "forbidden", id=frame["id"])


async def test_who_has_no_voice_does_not_stream(scene: Scene) -> None:
    await mute(scene)
    frame = await scene.bobs.command("stream_message", chat_id=scene.chat_id, stream_id=NAME, content="x")
    assert_error_frame(frame, "forbidden", id=frame["id"])
    assert await scene.received() == []


async def test_a_user_has_at_most_five_streams(scene: Scene) -> None:
    elsewhere = await scene.ann.chat(scene.bob)
    other = await scene.bob.connect()
    for number in range(STREAMS_PER_USER):
        chat_id = scene.chat_id if number % 2 else elsewhere
        await scene.stream(
            "x", client=(scene.bobs, other)[number % 2], stream_id=str(number), chat_id=chat_id
        )
    sixth = {"chat_id": scene.chat_id, "stream_id": "5", "content": "x"}
    frame = await other.command("stream_message", **sixth)
    assert_error_frame(frame, "conflict", id=frame["id"])
    await scene.stream("more", stream_id="1")
    await scene.stream("of Ann", client=scene.anns)
    await scene.bob.say(scene.chat_id, "1", client_id="1")
    await other.done("stream_message", **sixth)


async def test_above_20_calls_a_second_they_are_ignored_without_an_error(scene: Scene) -> None:
    for number in range(1, 31):
        await scene.stream(str(number))
    scene.clock.advance(STREAM_EVERY_S)
    assert await scene.received() == ["1", "20"]
    await scene.stream("after 4 more tokens")
    scene.clock.advance(STREAM_EVERY_S)
    assert await scene.received() == ["after 4 more tokens"]


async def test_the_limit_is_a_setting(serve: Serve) -> None:
    scene = Scene()
    await scene.set(serve, streams_per_s=0)
    for number in range(1, 101):
        await scene.stream(str(number))
    scene.clock.advance(STREAM_EVERY_S)
    assert await scene.received() == ["1", "100"]


# --- how it ends ------------------------------------------------------------------------------------------------------


async def test_the_message_of_the_stream_ends_it_without_another_event(scene: Scene) -> None:
    await scene.stream("It")
    await scene.stream("It is a fox")
    ack = await scene.bobs.done("send_message", chat_id=scene.chat_id, content="It is a fox.", client_id=NAME)
    scene.clock.advance(60)
    frames = await scene.anns.drain()
    assert [(frame["type"], frame.get("content")) for frame in frames] == [
        ("message_stream", "It"),
        ("new_message", None),
    ]
    assert frames[1]["message"] == ack["message"]
    assert ack["message"]["client_id"] == NAME


async def test_a_message_over_rest_ends_it_too(scene: Scene) -> None:
    await scene.stream("It")
    await scene.bob.say(scene.chat_id, "It is a fox.", client_id=NAME)
    scene.clock.advance(60)
    assert [frame["type"] for frame in await scene.anns.drain()] == ["message_stream", "new_message"]


async def test_other_messages_do_not_end_it(scene: Scene) -> None:
    elsewhere = await scene.ann.chat(scene.bob)
    await scene.stream("It")
    await scene.bob.say(scene.chat_id, "another", client_id="another")
    await scene.bob.say(scene.chat_id, "without a name")
    await scene.ann.say(scene.chat_id, "by another user", client_id=NAME)
    await scene.bob.say(elsewhere, "in another chat", client_id=NAME)
    scene.clock.advance(STREAM_EVERY_S)
    await scene.stream("It is")
    assert await scene.received() == ["It", "It is"]


async def test_a_repeat_of_the_message_ends_it_with_an_event(scene: Scene) -> None:
    """There is no new message, so clients hear of the end in no other way."""
    message = await scene.bob.say(scene.chat_id, "It is a fox.", client_id=NAME)
    await scene.stream("It")
    ack = await scene.bobs.done("send_message", chat_id=scene.chat_id, content="again", client_id=NAME)
    assert (ack["duplicate"], ack["message"]["id"]) == (True, message["id"])
    assert await scene.received() == ["It", None]
    scene.clock.advance(60)
    assert await scene.received() == []


async def test_it_ends_15_s_after_the_last_call(scene: Scene) -> None:
    await scene.stream("It")
    scene.clock.advance(STREAM_SHOWN_S - 1)
    await scene.stream("It is")
    scene.clock.advance(STREAM_SHOWN_S - 0.001)
    assert await scene.received() == ["It", "It is"]
    scene.clock.advance(0.001)
    assert await scene.received() == [None]
    scene.clock.advance(60)
    assert await scene.received() == []
    await scene.stream("It")
    assert await scene.received() == ["It"], "the name may be used again"


async def test_a_lost_connection_does_not_end_it(scene: Scene) -> None:
    await scene.stream("It")
    await scene.bobs.close()
    scene.clock.advance(STREAM_SHOWN_S - 1)
    again = await scene.bob.connect()
    await scene.stream("It is", client=again)
    scene.clock.advance(STREAM_SHOWN_S - 1)
    assert await scene.received() == ["It", "It is"]


async def mute(scene: Scene) -> None:
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    await scene.ann.patch(f"/chats/{scene.chat_id}/members/{scene.bob.id}", muted_until=until)


async def remove(scene: Scene) -> None:
    await scene.ann.delete(f"/chats/{scene.chat_id}/members/{scene.bob.id}")


async def leave(scene: Scene) -> None:
    await scene.bob.delete(f"/chats/{scene.chat_id}/members/{scene.bob.id}")


async def ban(scene: Scene) -> None:
    await scene.ann.post(f"/chats/{scene.chat_id}/bans", user_id=scene.bob.id)


async def delete_chat(scene: Scene) -> None:
    await scene.ann.delete(f"/chats/{scene.chat_id}")


async def log_out(scene: Scene) -> None:
    await scene.bob.post("/auth/logout")


async def ban_account(scene: Scene) -> None:
    await moderation.ban(scene.server.chat_app.context.store, "bob")


async def delete_account(scene: Scene) -> None:
    await moderation.delete(scene.server.chat_app.context.store, "bob")


ENDS = (mute, remove, leave, ban, delete_chat, log_out, ban_account, delete_account)


@pytest.mark.stores
@pytest.mark.parametrize("end", ENDS)
async def test_who_may_no_longer_write_streams_no_longer(
    scene: Scene, end: Callable[[Scene], Awaitable[None]]
) -> None:
    await scene.stream("It")
    await scene.stream("It is a secret")
    await end(scene)
    assert await scene.received() == ["It", None], "what was due is not published"
    scene.clock.advance(60)
    await scene.anns.nothing_more("message_stream")


async def test_who_loses_the_right_to_write_in_a_channel_streams_no_longer(serve: Serve) -> None:
    scene = Scene()
    await scene.set(serve, chat_type="channel")
    path = f"/chats/{scene.chat_id}/members/{scene.bob.id}"
    await scene.stream("It")
    await scene.ann.patch(path, role="owner")
    assert await scene.received() == ["It"]
    await scene.ann.patch(path, role="member")
    assert await scene.received() == [None]


async def test_who_is_made_a_member_of_a_group_goes_on(scene: Scene) -> None:
    path = f"/chats/{scene.chat_id}/members/{scene.bob.id}"
    await scene.ann.patch(path, role="admin")
    await scene.stream("It")
    await scene.ann.patch(path, role="member")
    assert await scene.received() == ["It"]


async def test_a_block_in_a_private_chat_ends_it(scene: Scene) -> None:
    scene.chat_id = await scene.bob.chat(scene.ann, chat_type="private", name=None)
    await scene.bob.say(scene.chat_id, "hi")
    await scene.anns.done("join_chat", chat_id=scene.chat_id)
    await scene.stream("It")
    assert await scene.received() == ["It"]
    await scene.ann.request("PUT", f"/users/{scene.bob.id}/block")
    assert await scene.received() == [None]
    frame = await scene.bobs.command("stream_message", chat_id=scene.chat_id, stream_id=NAME, content="x")
    assert_error_frame(frame, "forbidden", id=frame["id"])


async def test_only_the_revoked_session_is_ended(scene: Scene) -> None:
    twin = Person(
        scene.bob.http, scene.bob.url, scene.bob.ws_url, "bob", scene.bob.wire
    )  # the same user, with a session of its own
    twin.id = scene.bob.id
    await twin.login("bob")
    await scene.stream("of the first session")
    clients = await twin.connect()
    await scene.stream("of the second", client=clients, stream_id="second")
    scene.clock.advance(1)
    await scene.anns.drain()
    await scene.bob.post("/auth/logout")
    assert await scene.received() == [None]
    scene.clock.advance(1)
    await scene.stream("goes on", client=clients, stream_id="second")
    assert await scene.received(stream_id="second") == ["goes on"]
    await clients.close()


async def test_after_a_refresh_the_session_of_the_new_token_counts(scene: Scene) -> None:
    twin = Person(scene.bob.http, scene.bob.url, scene.bob.ws_url, "bob", scene.bob.wire)
    await twin.login("bob")
    await scene.bobs.done("refresh_token", token=twin.token)
    await scene.stream("It")
    await twin.post("/auth/logout")
    assert await scene.received() == ["It", None]
