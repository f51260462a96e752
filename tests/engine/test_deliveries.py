"""How a post to a large room is written: to some of its members a turn."""

import asyncio
import random

import pytest

from server.engine import AsyncServer, FanOut, FanOutManager
from tests.engine.links import Link
from tests.engine.peers import until


class Hall:
    """Ten links in one room, which are written to in the order of their names."""

    def __init__(self) -> None:
        self.server = AsyncServer(
            client_manager=FanOutManager(members_per_turn=3), buffer_limit_bytes=100, volatile_limit_bytes=10
        )
        self.fan_out: FanOut = self.server.fan_out
        self.links = [Link(name) for name in "abcdefghij"]
        self.sids = [self.server.attach_link(link) for link in self.links]
        for sid in self.sids:
            self.fan_out.enter(sid, "hall")

    def received(self) -> str:
        """The names of the members that something was written to."""
        return "".join(link.sid for link in self.links if link.line.written)

    def got(self, name: str) -> bytes:
        """Everything that was written to a link."""
        return b"".join(self.link(name).line.written)

    def link(self, name: str) -> Link:
        return next(link for link in self.links if link.sid == name)


@pytest.fixture
async def hall() -> Hall:
    return Hall()


async def test_a_post_is_written_to_a_few_members_a_turn(hall: Hall) -> None:
    hall.fan_out.post("event.", None, room="hall")
    received = []
    while len(hall.received()) < 10:
        await asyncio.sleep(0)
        received.append(hall.received())
    assert received == ["abc", "abcdef", "abcdefghi", "abcdefghij"]


async def test_a_member_with_a_reply_gets_the_post_first(hall: Hall) -> None:
    hall.fan_out.post("event.", None, room="hall")
    hall.fan_out.reply(hall.link("i"), b"ack.")
    await asyncio.sleep(0)
    assert hall.received() == "abci"
    assert hall.link("i").line.written == [b"event.ack."]
    await until(lambda: hall.received() == "abcdefghij")
    assert hall.link("i").line.written == [b"event.ack."]


async def test_a_post_made_during_a_delivery_comes_after_it(hall: Hall) -> None:
    hall.fan_out.post("one.", None, room="hall")
    await asyncio.sleep(0)
    hall.fan_out.post("two.", None, room=hall.sids[9])
    hall.fan_out.reply(hall.link("j"), b"ack.")
    hall.fan_out.post("three.", None, room="hall")
    await until(lambda: all(b"three." in hall.got(link.sid) for link in hall.links))
    assert hall.got("a") == b"one.three."
    assert hall.got("j") == b"one.two.three.ack."


async def test_a_direct_write_comes_at_once_and_after_the_post(hall: Hall) -> None:
    hall.fan_out.post("event.", None, room="hall")
    await asyncio.sleep(0)
    outside = Link("x")
    hall.server.attach_link(outside)
    hall.fan_out.flush("x")
    assert hall.received() == "abc"
    hall.fan_out.flush("j")
    assert hall.received() == "abcdefghij"


async def test_a_post_reaches_members_who_leave_meanwhile_and_not_those_who_enter(hall: Hall) -> None:
    hall.fan_out.post("event.", None, room="hall")
    await asyncio.sleep(0)
    hall.fan_out.leave(hall.sids[9], "hall")
    assert hall.got("j") == b"event."
    hall.fan_out.post("event.", None, room="hall")
    await asyncio.sleep(0)
    late = Link("k")
    hall.fan_out.enter(hall.server.attach_link(late), "hall")
    assert hall.received() == "abcdefghij"
    assert (hall.got("i"), hall.got("j"), late.line.written) == (b"event.event.", b"event.", [])


async def test_a_member_that_goes_or_stalls_costs_the_others_nothing(hall: Hall) -> None:
    hall.fan_out.post("event.", None, room="hall")
    await asyncio.sleep(0)
    hall.link("e").wire = None
    hall.link("g").line.unsent = 101
    await until(lambda: hall.got("j") == b"event.")
    assert hall.received() == "abcdfhij"
    assert [link.sid for link in hall.links if link.overflows] == ["g"]


async def test_a_member_that_ends_and_flushes_in_the_middle_breaks_no_order(hall: Hall) -> None:
    """A link that ends writes what is pending first: everything then goes out at once, and nothing twice."""

    class Ending(Link):
        def overflow(self) -> None:
            super().overflow()
            hall.fan_out.post("gone.", None, room="hall")
            hall.fan_out.flush()

    ending = Ending("m")
    hall.fan_out.enter(hall.server.attach_link(ending), "hall")
    last = Link("z")
    hall.fan_out.enter(hall.server.attach_link(last), "hall")
    ending.line.unsent = 101
    hall.fan_out.post("one.", None, room="hall")
    hall.fan_out.reply(hall.link("b"), b"ack.")
    await until(lambda: b"gone." in b"".join(last.line.written))
    assert b"".join(last.line.written) == b"one.gone."
    assert all(hall.got(link.sid) == b"one.gone." for link in hall.links if link.sid != "b")
    assert hall.got("b") == b"one.ack.gone."


async def test_the_loop_goes_on_in_between(hall: Hall) -> None:
    seen: list[str] = []
    hall.fan_out.post("event.", None, room="hall")
    loop = asyncio.get_running_loop()

    def record() -> None:
        seen.append(hall.received())
        if len(seen) < 4:
            loop.call_soon(record)

    loop.call_soon(record)
    await until(lambda: len(seen) == 4)
    assert seen[0] == "abc"
    assert seen[-1] == "abcdefghij"


async def test_everybody_sees_everything_once_and_in_order_whatever_happens(hall: Hall) -> None:
    """Random posts to the hall, to a corner of it and to single members, replies, and flushes."""
    chance = random.Random(5)
    expected: dict[str, list[bytes]] = {link.sid: [] for link in hall.links}
    for sid in hall.sids[4:]:
        hall.fan_out.enter(sid, "corner")
    replies: dict[str, int] = {}
    for number in range(3000):
        way, nth = chance.randrange(6), chance.randrange(10)
        link, event = hall.links[nth], f"{number}."
        if way == 0:
            hall.fan_out.post(event, None, room="hall")
            to = hall.links
        elif way == 1:
            hall.fan_out.post(event, None, room="corner")
            to = hall.links[4:]
        elif way == 2:
            hall.fan_out.post(event, None, room=hall.sids[nth])
            to = [link]
        elif way == 3:
            hall.fan_out.reply(link, f"r{number}.".encode())
            replies[link.sid] = replies.get(link.sid, 0) + 1
            to = []
        elif way == 4 and chance.random() < 0.1:
            hall.fan_out.flush(link.sid)
            to = []
        else:
            to = []
        for one in to:
            expected[one.sid].append(event.encode())
        if chance.random() < 0.3:
            await asyncio.sleep(0)
    hall.fan_out.flush()
    for link in hall.links:
        got = [part + b"." for part in hall.got(link.sid).split(b".")[:-1]]
        assert [part for part in got if not part.startswith(b"r")] == expected[link.sid]
        received = [int(part[1:-1]) for part in got if part.startswith(b"r")]
        assert received == sorted(received)
        assert len(received) == replies.get(link.sid, 0)
