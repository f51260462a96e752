"""What a node spreads: the events of its own rows, in one frame for a batch, with the bytes its own clients get."""

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from domain.changes import MemberRemoved, MessageCreated, MessageDeleted, MessageEdited
from domain.models import Message
from domain.pins import MessagePinned
from domain.reactions import ReactionAdded
from handlers.live.publisher import Publisher
from handlers.wire.json import loads
from server.nodes.bus import Bus
from server.nodes.bus_frames import Frame, pack, unpack
from server.nodes.bus_spreader import BusSpreader
from tests.handlers.scene import RecordingHub, Scene
from tests.storage.world import START

CHAT, JOINED, SENDER = 1, 1, 2


class TwoDialects(RecordingHub):
    def emit_encoded(self, event: str, payload: Any, *, room: str) -> Any:
        (blob,) = super().emit_encoded(event, payload, room=room)
        return b"raw" + blob, b"socketio" + blob

    def emit_blobs(self, blobs: Any, *, room: str) -> None:
        raw, socketio = blobs
        assert (raw[:3], socketio[:8]) == (b"raw", b"socketio")
        super().emit_blobs([raw[3:]], room=room)


class FrameBus:
    def __init__(self) -> None:
        self.is_up = True
        self.frames: list[Frame] = []

    def publish(self, hint: int, look: bool = False, messages: Any = (), topics: Any = ()) -> None:
        self.frames += unpack(pack("a", len(self.frames), hint, look, messages, topics))


class Server:
    """A chat app with a bus, and one client in the room of the chat."""

    def __init__(self) -> None:
        self.scene = Scene(TwoDialects())
        self.bus = FrameBus()
        self.spreader = BusSpreader(self.scene.hub, cast(Bus, self.bus))
        self.publisher = Publisher(self.scene.app.context, self.scene.app.end, self.spreader)

    def publish(self, *rows: tuple[int, Any], others: tuple[Any, ...] = (), hint: int = 9) -> None:
        """Publishes rows of this node, and changes of others, in one batch as the store does."""
        self.spreader.begin(rows, hint)
        self.publisher([*others, *(change for _, change in rows)])
        self.spreader.flush()

    @property
    def events(self) -> list[tuple[str, Any]]:
        return self.scene.hub.events[f"c{JOINED}"]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    server.scene.chat(CHAT, JOINED, SENDER)
    await server.scene.connect(JOINED, CHAT)
    server.scene.forget_events()
    yield server
    server.publisher.stop()
    await server.scene.close()


def message(seq: int, **more: Any) -> Message:
    return Message(100 + seq, CHAT, seq, seq, f"text {seq}", SENDER, START, **more)


async def test_a_batch_is_one_frame_with_the_bytes_that_clients_here_get(server: Server) -> None:
    created, edited = MessageCreated(message(1)), MessageEdited(message(2))
    pinned, reacted = MessagePinned(message(4), JOINED, START), ReactionAdded(message(5), JOINED, "👍")
    server.publish((11, created), (12, edited), (13, MessageDeleted(message(3))), (14, pinned), (15, reacted))
    (frame,) = server.bus.frames
    assert (frame.hint, frame.look) == (9, False)
    assert [(one.chat_id, one.n, one.seq, one.sender_id, one.new) for one in frame.messages] == [
        (CHAT, 11, 1, SENDER, True),
        (CHAT, 12, 2, SENDER, False),
        (CHAT, 13, 3, SENDER, False),
        (CHAT, 14, 4, SENDER, False),
        (CHAT, 15, 5, SENDER, False),
    ]
    said = [loads(one.blobs[0][3:]) for one in frame.messages]
    assert [name for name, _ in said] == [
        *("new_message", "message_updated", "message_deleted", "message_pinned", "reaction_added"),
    ]
    assert [(name, payload) for name, payload in said] == [
        (name, loads(server.scene.hub.emit_encoded("", payload, room="")[0][3:])[1])
        for name, payload in server.events
    ]


async def test_rows_of_others_are_not_spread(server: Server) -> None:
    server.publish((2, MessageCreated(message(2))), others=(MessageCreated(message(1)),))
    (frame,) = server.bus.frames
    assert [one.n for one in frame.messages] == [2]
    assert [payload["seq"] for _, payload in server.events] == [1, 2]
    server.publish(others=(MessageCreated(message(3)),))
    assert len(server.bus.frames) == 1


async def test_other_rows_have_the_others_look(server: Server) -> None:
    server.publish((1, MessageCreated(message(1))), (2, MemberRemoved(CHAT, SENDER)))
    (frame,) = server.bus.frames
    assert (frame.look, [one.n for one in frame.messages]) == (True, [1])


async def test_without_a_connection_nothing_is_encoded_for_others(server: Server) -> None:
    server.bus.is_up = False
    server.publish((1, MessageCreated(message(1))))
    assert server.bus.frames == []
    assert [name for name, _ in server.events] == ["new_message"]
    server.spreader.tell("topic", 1, {})
    assert server.bus.frames == []


async def test_a_batch_that_published_nothing_leaves_nothing_for_the_next(server: Server) -> None:
    """The store does not publish a row a second time, though it has told of it."""
    server.spreader.begin([(1, MessageCreated(message(1)))], 8)
    server.publish((2, MessageCreated(message(2))))
    assert [(frame.hint, [one.n for one in frame.messages]) for frame in server.bus.frames] == [(9, [2])]


async def test_topics_go_at_once(server: Server) -> None:
    server.spreader.tell("presence", 3, {"7": "away"})
    assert [frame.topics for frame in server.bus.frames] == [[("presence", 3, b'{"7":"away"}')]]


async def test_what_another_node_spreads_is_published_as_if_it_were_made_here(server: Server) -> None:
    other = Server()
    other.publish((1, MessageCreated(message(1))))
    (frame,) = other.bus.frames
    context = server.scene.app.context
    sender = await server.scene.connect(SENDER)
    context.typing.type(CHAT, sender)
    server.scene.forget_events()
    (one,) = frame.messages
    server.publisher.hand_out(one.chat_id, one.seq, one.sender_id, one.blobs, new=one.new)
    assert [name for name, _ in server.events] == ["typing", "new_message"]
    chat = context.directory.peek(CHAT)
    assert chat is not None
    assert chat.head_seq == 1
    await server.scene.settle()
    assert "chat_updated" in server.scene.hub.names(f"c{SENDER}")
    other.publisher.stop()
    await other.scene.close()
