import pytest

from server.engine import AsyncServer, FanOut
from tests.engine.links import Link
from tests.engine.peers import until


@pytest.fixture
async def two_links() -> tuple[FanOut, Link, Link]:
    """Two links in one room."""
    server = AsyncServer(async_mode="aiohttp", buffer_limit_bytes=100, volatile_limit_bytes=10)
    links = Link("a"), Link("b")
    for link in links:
        server.fan_out.enter(server.attach_link(link), "room")
    return server.fan_out, *links


TwoLinks = tuple[FanOut, Link, Link]


async def test_a_reply_goes_out_with_the_event_and_after_it(two_links: TwoLinks) -> None:
    fan_out, a, b = two_links
    fan_out.post("event1.", None, room="room")
    fan_out.reply(a, b"ack1.")
    fan_out.post("event2.", None, room="room")
    fan_out.reply(a, b"ack2.")
    assert a.line.written == []
    await until(lambda: b.line.written)
    assert a.line.written == [b"event1.event2.ack1.ack2."]
    assert b.line.written == [b"event1.event2."]
    assert a.wire is a.line


async def test_a_reply_alone(two_links: TwoLinks) -> None:
    fan_out, a, _ = two_links
    fan_out.reply(a, b"ack")
    await until(lambda: a.line.written == [b"ack"])


async def test_a_direct_write_comes_after_the_replies(two_links: TwoLinks) -> None:
    fan_out, a, b = two_links
    fan_out.reply(a, b"ack")
    fan_out.flush("b")
    assert a.line.written == []
    fan_out.flush("a")
    assert a.line.written == [b"ack"]
    assert b.line.written == []


async def test_a_peer_that_has_gone_meanwhile(two_links: TwoLinks) -> None:
    fan_out, a, _ = two_links
    fan_out.reply(a, b"ack")
    a.wire = None
    fan_out.post("event", None, room="room")
    fan_out.flush()
    assert a.line.written == []
    assert a.wire is None


async def test_a_peer_that_does_not_read(two_links: TwoLinks) -> None:
    fan_out, a, b = two_links
    fan_out.post("event", None, room="room")
    fan_out.reply(a, b"ack")
    a.line.unsent = 101
    fan_out.flush()
    assert (a.line.written, a.overflows) == ([], 1)
    assert b.line.written == [b"event"]
