"""Streams by themselves: what a room is sent and when, and what ends a stream."""

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest

from domain.changes import SessionsRevoked
from domain.refusals import TooMany
from handlers.chat_app import Caller
from handlers.live.connections import Connection
from handlers.live.peers import NoPeers
from handlers.live.streams import StreamTracker
from handlers.policy import STREAM_EVERY_S, STREAM_SHOWN_S, STREAMS_PER_USER
from handlers.wire.endings import Ending
from handlers.wire.errors import ChatError
from handlers.wire.json import dumps
from tests.clients.clock import ManualClock
from tests.clients.hub import MemoryHub
from tests.handlers.scene import Scene as AppScene

ANN, BOB, CHAT = 1, 2, 7


class Scene:
    """Ann is in the rooms of chats 7 and 8; Bob streams."""

    def __init__(self) -> None:
        self.clock, self.hub = ManualClock(), MemoryHub("ann", "late")
        self.tracker = StreamTracker(self.hub, self.clock, NoPeers())
        for chat_id in (CHAT, CHAT + 1):
            self.hub.enter("ann", f"chat:{chat_id}")

    def stream(
        self, content: str, name: str = "a", *, chat_id: int = CHAT, user_id: int = BOB, session: str = "s"
    ) -> None:
        self.tracker.update(chat_id, user_id, name, content, session_id=session)

    def seen(self, connection_id: str = "ann") -> list[tuple[str, str | None]]:
        received = self.hub.take(connection_id)
        assert all(name == "message_stream" for name, _ in received)
        return [(payload["stream_id"], payload["content"]) for _, payload in received]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_all_streams_of_a_chat_are_published_in_one_turn(scene: Scene) -> None:
    scene.stream("1")
    assert scene.seen() == [("a", "1")]
    scene.clock.advance(0.05)
    scene.stream("1", "b")
    scene.stream("1", "c")
    scene.stream("2")
    assert scene.seen() == []
    scene.clock.advance(STREAM_EVERY_S - 0.05)
    assert scene.seen() == [("a", "2"), ("b", "1"), ("c", "1")]
    scene.clock.advance(STREAM_EVERY_S)
    scene.stream("2", "b")
    assert scene.seen() == [("b", "2")], (
        "after a pause it comes at once, and what has not changed does not come"
    )


def test_no_stream_is_published_more_often(scene: Scene) -> None:
    for step in range(500):
        scene.stream(str(step))
        scene.clock.advance(0.007)
    times = [payload["timestamp"] for _, payload in scene.hub.inbox["ann"]]
    pauses = {later - sooner for sooner, later in pairwise(times)}
    assert pauses == {timedelta(seconds=STREAM_EVERY_S)}


def test_who_enters_the_room_gets_what_is_newest(scene: Scene) -> None:
    scene.stream("1")
    scene.stream("2")
    scene.stream("there", chat_id=CHAT + 1)
    scene.tracker.show(CHAT, Connection("late", ANN, None, 0))
    scene.tracker.show(CHAT + 2, Connection("late", ANN, None, 0))
    assert scene.seen("late") == [("a", "2")]


def test_a_message_ends_its_stream_silently_and_no_other(scene: Scene) -> None:
    scene.stream("1")
    scene.stream("1", "b")
    scene.tracker.settle(CHAT, BOB, "a")
    scene.tracker.settle(CHAT, ANN, "b")
    scene.tracker.settle(CHAT + 1, BOB, "b")
    scene.clock.advance(STREAM_EVERY_S)
    assert scene.seen() == [("a", "1"), ("b", "1")]
    scene.clock.advance(STREAM_SHOWN_S)
    assert scene.seen() == [("b", None)]
    assert not scene.tracker


@pytest.mark.parametrize("name", ["a", 'with "quotes"', "\\", "ы", "😀", "line\nbreak"])
def test_a_message_of_another_node_ends_its_stream_silently(scene: Scene, name: str) -> None:
    scene.stream("1", name)
    scene.hub.take("ann")
    others = (
        {"content": f'"client_id":"{name}"'},
        {"content": dumps({"client_id": name}).decode(), "client_id": "other"},
        {"content": name, "client_id": f"{name}2"},
        {"client_id": f"2{name}"},
    )
    for message in others:
        scene.tracker.settle_encoded(CHAT, BOB, [dumps({"message": message})])
        assert scene.tracker
    own = [b"a header" + dumps({"message": {"content": "1", "client_id": name}})]
    scene.tracker.settle_encoded(CHAT, ANN, own)
    assert scene.tracker
    scene.tracker.settle_encoded(CHAT, BOB, own)
    assert not scene.tracker
    scene.clock.advance(60)
    assert scene.seen() == []


def test_streams_end_for_a_member_a_chat_a_user_and_a_session(scene: Scene) -> None:
    def open_all() -> None:
        scene.stream("1", "a", session="s1")
        scene.stream("1", "b", session="s2")
        scene.stream("1", "c", chat_id=CHAT + 1, session="s2")
        scene.stream("1", "d", user_id=ANN, session="s2")
        scene.clock.advance(STREAM_EVERY_S)
        scene.hub.take("ann")

    open_all()
    scene.tracker.end_of_member(CHAT, BOB)
    assert scene.seen() == [("a", None), ("b", None)]
    open_all()
    scene.tracker.end_of_chat(CHAT)
    assert sorted(scene.seen()) == [("a", None), ("b", None), ("d", None)]
    open_all()
    scene.tracker.end_of_user(BOB)
    assert sorted(scene.seen()) == [("a", None), ("b", None), ("c", None)]
    open_all()
    scene.tracker.end_of_sessions(BOB, ["s2", "s3"])
    assert sorted(scene.seen()) == [("b", None), ("c", None)]
    scene.tracker.end(CHAT, BOB, "a")
    scene.tracker.end(CHAT, BOB, "a")
    assert scene.seen() == [("a", None)]
    scene.clock.advance(60)
    assert scene.seen() == [("d", None)]
    assert not scene.tracker


def test_the_session_is_that_of_the_last_call(scene: Scene) -> None:
    scene.stream("1", session="s1")
    scene.stream("2", session="s2")
    scene.tracker.end_of_sessions(BOB, ["s1"])
    assert scene.tracker
    scene.tracker.end_of_sessions(BOB, ["s2"])
    assert not scene.tracker


def test_a_user_has_five_at_a_time_and_ended_ones_do_not_count(scene: Scene) -> None:
    for number in range(STREAMS_PER_USER):
        scene.stream("1", str(number), chat_id=CHAT + number % 2)
    with pytest.raises(TooMany):
        scene.stream("1", "more")
    scene.stream("2", "0")
    scene.stream("1", "of Ann", user_id=ANN)
    scene.tracker.settle(CHAT, BOB, "0")
    scene.stream("1", "more")
    with pytest.raises(TooMany):
        scene.stream("1", "0")
    scene.clock.advance(STREAM_SHOWN_S)
    for number in range(STREAMS_PER_USER):
        scene.stream("1", f"again {number}")


def test_nothing_goes_on_after_the_stop(scene: Scene) -> None:
    scene.stream("1")
    scene.stream("2")
    scene.tracker.stop()
    scene.clock.advance(60)
    assert scene.seen() == [("a", "1")]


async def test_who_is_logged_out_while_the_chat_is_being_loaded_begins_no_stream() -> None:
    scene = AppScene()
    scene.chat(CHAT, ANN, BOB)
    connection = await scene.connect(BOB)
    caller = Caller(BOB, "address", "s2", connection)
    scene.store.may_answer.clear()
    call = {"chat_id": CHAT, "stream_id": "a", "content": "It"}
    calling = asyncio.ensure_future(scene.app.run(caller, "stream_message", call))
    await scene.settle()
    await scene.publish(SessionsRevoked(BOB, ["s2"]))
    assert scene.hub.ended == {connection.id: Ending.REVOKED}
    scene.app.context.connections.remove(connection)  # as the engine's hub has it done
    scene.store.may_answer.set()
    with pytest.raises(ChatError, match="the connection has ended"):
        await calling
    assert not scene.app.context.streams
    await scene.close()
