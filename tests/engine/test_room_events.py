"""Events that another process has encoded: each member gets them in its own dialect, and nothing is encoded anew."""

from collections.abc import Sequence
from typing import Any

import pytest

from server.engine import AsyncServer, ReadyEvent, RoomEvent, SocketIODialect, frames
from tests.engine.conftest import Serve
from tests.engine.links import Link

PACKET = '42["n",{"text":"пять"}]'


class Raw:
    """A dialect that the other process knows."""

    def encode(self, event: str, args: Sequence[Any], namespace: str) -> bytes:
        return b"raw:" + event.encode()


RAW = Raw()


class Speaker(Link):
    dialect: Any = RAW

    def __init__(self, sid: str) -> None:
        super().__init__(sid)
        self.queue: list[tuple[str, Sequence[Any], str]] = []

    def enqueue(self, event: str, args: Any, namespace: str) -> None:
        self.queue.append((event, args, namespace))

    def close(self, reason: str) -> None:
        self.closed = True


def ready(server: AsyncServer, namespace: str = "/", packet: str = PACKET) -> ReadyEvent:
    dialect = server.eio.dialect
    return ReadyEvent(namespace, {RAW: b"given", dialect: frames.text(packet.encode())}, dialect)


@pytest.fixture
def server() -> AsyncServer:
    return AsyncServer(async_handlers=False)


def attach(server: AsyncServer, link: Link) -> Link:
    server.fan_out.enter(server.attach_link(link), "r")
    return link


async def test_each_member_gets_the_bytes_of_its_dialect(serve: Serve, server: AsyncServer) -> None:
    peer = await serve(server)
    socket = await peer.direct()
    await socket.send("40")
    server.fan_out.enter(str(await socket.receive())[len('40{"sid":"') : -2], "r")
    raw = attach(server, Speaker("raw"))
    server.fan_out.post_event(ready(server), room="r")
    assert await socket.receive() == PACKET
    assert raw.line.written == [b"given"]


async def test_a_member_that_polls_gets_the_packet(serve: Serve, server: AsyncServer) -> None:
    peer = await serve(server)
    sid = (await peer.open())["sid"]
    await peer.post(sid, "40")
    _, body = await peer.poll(sid)
    server.fan_out.enter(body[len('40{"sid":"') : -2], "r")
    server.fan_out.post_event(ready(server), room="r")
    server.fan_out.post("later", None, room="r")
    assert await peer.poll(sid) == (200, PACKET + '\x1e42["later"]')


async def test_a_link_without_a_wire_gets_the_name_and_the_arguments(server: AsyncServer) -> None:
    waiting = Speaker("waiting")
    attach(server, waiting)
    waiting.wire = None
    server.fan_out.post_event(ready(server), room="r")
    server.fan_out.flush()
    assert waiting.queue == [("n", [{"text": "пять"}], "/")]


async def test_a_dialect_that_the_other_process_does_not_know(server: AsyncServer) -> None:
    stranger = attach(server, Link("stranger"))  # its dialect says the name of the event
    server.fan_out.post_event(ready(server), room="r")
    server.fan_out.flush()
    assert stranger.line.written == [b"n"]


def test_an_event_of_a_namespace(server: AsyncServer) -> None:
    event = ready(server, "/x", '42/x,["n",1,[2]]')
    assert event.packets == ['42/x,["n",1,[2]]']
    assert event.call == ("n", [1, [2]])


async def test_an_event_for_an_empty_room_is_nothing(server: AsyncServer) -> None:
    server.fan_out.post_event(ready(server), room="r")
    assert server.fan_out.posted == 0
    assert not server.fan_out.has_members("r")
    link = attach(server, Speaker("a"))
    assert server.fan_out.has_members("r")
    server.detach_link(link)
    assert not server.fan_out.has_members("r")


async def test_an_event_that_is_encoded_before_it_is_posted_is_not_encoded_again(server: AsyncServer) -> None:
    asked: list[str] = []

    class Counting(SocketIODialect):
        def packets(self, event: str, args: Sequence[Any], namespace: str) -> Any:
            asked.append(event)
            return super().packets(event, args, namespace)

    dialect = Counting(server.packet_class)
    speaker = Speaker("a")
    speaker.dialect = dialect
    attach(server, speaker)
    event = RoomEvent("n", (1,), "/", (), False)
    blob = event.encoded(dialect)
    server.fan_out.post_event(event, room="r")
    server.fan_out.flush()
    assert speaker.line.written == [blob] == [frames.text(b'42["n",1]')]
    assert asked == ["n"]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536])
def test_the_text_of_a_frame(size: int) -> None:
    assert frames.text_of(frames.text(b"x" * size)) == "x" * size


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"\x81",
        frames.binary(b"x"),
        frames.text(b"x") + b"y",
        frames.text(b"x" * 200)[:-1],
        frames.text(b"a") * 2,
    ],
)
def test_what_is_not_one_text_frame(blob: bytes) -> None:
    with pytest.raises(ValueError, match="not one text frame"):
        frames.text_of(blob)
