import asyncio
import time

from server.engine import Heartbeat
from tests.engine.peers import until


class Link:
    """Answers pings until it is mute."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.last_seen = self.loop.time()
        self.pinged: list[float] = []
        self.expired: list[float] = []
        self.mute = False

    def ping(self) -> None:
        self.pinged.append(self.loop.time())
        if not self.mute:
            self.last_seen = self.loop.time()

    def expire(self) -> None:
        self.expired.append(self.loop.time())


async def test_pings_keep_their_rhythm() -> None:
    heartbeat, link = Heartbeat(0.05, 0.04), Link()
    started = link.loop.time()
    heartbeat.add(link)
    await until(lambda: len(link.pinged) >= 10)
    # A busy machine is late now and then; times that followed the clock instead of the plan would add up.
    assert 0.5 <= link.pinged[9] - started < 0.75
    assert link.expired == []
    heartbeat.stop()


async def test_those_due_a_little_later_are_pinged_together_with_the_first() -> None:
    heartbeat, links, turns = Heartbeat(1.0, 0.5), [Link() for _ in range(4)], [0]

    def count_turns() -> None:
        turns[0] += 1
        links[0].loop.call_soon(count_turns)

    pinged_in: list[int] = []
    for link in links:
        link.ping = lambda: pinged_in.append(turns[0])  # type: ignore[method-assign]
        heartbeat.add(link)
        time.sleep(0.00005)
    count_turns()
    await until(lambda: len(pinged_in) >= len(links))
    assert set(pinged_in) == {pinged_in[0]}
    heartbeat.stop()


async def test_the_mute_expires_and_only_he() -> None:
    heartbeat, link, mute = Heartbeat(0.05, 0.04), Link(), Link()
    mute.mute = True
    started = link.loop.time()
    heartbeat.add(link)
    heartbeat.add(mute)
    await until(lambda: mute.expired)
    assert 0.085 <= mute.expired[0] - started < 0.3
    assert link.expired == []
    heartbeat.stop()


async def test_a_timeout_longer_than_the_interval() -> None:
    heartbeat, link = Heartbeat(0.02, 0.1), Link()
    link.mute = True
    heartbeat.add(link)
    await until(lambda: link.expired)
    assert 5 <= len(link.pinged) <= 7
    heartbeat.stop()


async def test_the_removed_hear_nothing_more() -> None:
    heartbeat, link, other = Heartbeat(0.02, 0.02), Link(), Link()
    heartbeat.add(link)
    heartbeat.add(link)
    heartbeat.add(other)
    assert len(heartbeat) == 2
    heartbeat.remove(link)
    heartbeat.remove(link)
    await until(lambda: len(other.pinged) >= 3)
    assert link.pinged == []
    heartbeat.remove(other)
    assert len(heartbeat) == 0
    heartbeat.add(link)
    await until(lambda: len(link.pinged) >= 2)
    heartbeat.stop()


async def test_overdue_is_known_before_the_sweep() -> None:
    heartbeat, link = Heartbeat(0.02, 0.05), Link()
    link.mute = True
    assert not heartbeat.overdue(link)
    heartbeat.add(link)
    assert not heartbeat.overdue(link)
    await until(lambda: link.pinged)
    assert not heartbeat.overdue(link)
    time.sleep(0.06)  # nothing may run meanwhile
    assert heartbeat.overdue(link)
    link.last_seen = link.loop.time()
    assert not heartbeat.overdue(link)
    heartbeat.stop()


async def test_a_loop_held_up_expires_nobody_who_answered() -> None:
    """The answers wait in the sockets: they are read before anybody is judged."""
    heartbeat, link = Heartbeat(0.05, 0.1), Link()
    link.mute = True
    heartbeat.add(link)
    await until(lambda: link.pinged)
    time.sleep(0.5)  # the loop is held up
    link.loop.call_later(0.01, setattr, link, "last_seen", link.loop.time() + 60)
    await asyncio.sleep(0.4)
    assert link.expired == []
    heartbeat.stop()
