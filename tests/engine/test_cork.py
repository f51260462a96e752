import pytest

from server.engine import AsyncServer, FanOutManager
from tests.engine.links import Link
from tests.engine.peers import until


@pytest.fixture
async def chat_app() -> tuple[FanOutManager, Link, Link]:
    """Two links in one room."""
    server = AsyncServer(async_mode="aiohttp", buffer_limit_bytes=100, volatile_limit_bytes=10)
    links = Link("a"), Link("b")
    for link in links:
        server.manager.enter(server.attach_link(link), "room")
    return server.manager, *links


ChatApp = tuple[FanOutManager, Link, Link]


async def test_a_reply_goes_out_with_the_event_and_after_it(chat_app: ChatApp) -> None:
    manager, a, b = chat_app
    manager.post("event1.", None, room="room")
    manager.reply(a, b"ack1.")
    manager.post("event2.", None, room="room")
    manager.reply(a, b"ack2.")
    assert a.line.written == []
    await until(lambda: b.line.written)
    assert a.line.written == [b"event1.event2.ack1.ack2."]
    assert b.line.written == [b"event1.event2."]
    assert a.wire is a.line


async def test_a_reply_alone(chat_app: ChatApp) -> None:
    manager, a, _ = chat_app
    manager.reply(a, b"ack")
    await until(lambda: a.line.written == [b"ack"])


async def test_what_is_written_past_the_rooms_comes_after_the_replies(chat_app: ChatApp) -> None:
    manager, a, b = chat_app
    manager.reply(a, b"ack")
    manager.flush("b")
    assert a.line.written == []
    manager.flush("a")
    assert a.line.written == [b"ack"]
    assert b.line.written == []


async def test_somebody_who_has_gone_meanwhile(chat_app: ChatApp) -> None:
    manager, a, _ = chat_app
    manager.reply(a, b"ack")
    a.wire = None
    manager.post("event", None, room="room")
    manager.flush()
    assert a.line.written == []
    assert a.wire is None


async def test_somebody_who_does_not_read(chat_app: ChatApp) -> None:
    manager, a, b = chat_app
    manager.post("event", None, room="room")
    manager.reply(a, b"ack")
    a.line.unsent = 101
    manager.flush()
    assert (a.line.written, a.overflows) == ([], 1)
    assert b.line.written == [b"event"]
