import pytest

from server.engine import Heartbeat
from tests.engine.clocks import ManualClock


class Link:
    """Answers pings until it is mute."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.last_seen = clock.now
        self.pinged: list[float] = []
        self.expired: list[float] = []
        self.mute = False

    def ping(self) -> None:
        self.pinged.append(self.clock.now)
        if not self.mute:
            self.last_seen = self.clock.now

    def expire(self) -> None:
        self.expired.append(self.clock.now)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(now=0.0)


def test_pings_keep_their_rhythm(clock: ManualClock) -> None:
    """A busy machine is late now and then; times that followed the clock instead of the plan would add up."""
    heartbeat, link = Heartbeat(25, 20, clock), Link(clock)
    heartbeat.add(link)
    for number in range(1, 11):
        clock.turn(number * 25 - 0.1 - clock.now)
        clock.hold_up(0.2)
        clock.turn(0)
    assert link.pinged == pytest.approx([number * 25 + 0.1 for number in range(1, 11)])
    assert link.expired == []


def test_those_due_a_little_later_are_pinged_together_with_the_first(clock: ManualClock) -> None:
    heartbeat, links = Heartbeat(25, 20, clock), [Link(clock) for _ in range(4)]
    for link in links:
        heartbeat.add(link)
        clock.turn(0.05)
    clock.turn(30)
    assert [link.pinged for link in links] == [[25]] * 4
    clock.turn(25)
    assert len({tuple(link.pinged) for link in links}) == 1


def test_the_mute_expires_and_nobody_else(clock: ManualClock) -> None:
    heartbeat, link, mute = Heartbeat(25, 20, clock), Link(clock), Link(clock)
    mute.mute = True
    heartbeat.add(link)
    heartbeat.add(mute)
    clock.turn(49)
    assert (link.expired, mute.expired) == ([], [45])


def test_a_timeout_longer_than_the_interval(clock: ManualClock) -> None:
    heartbeat, link = Heartbeat(2, 10, clock), Link(clock)
    link.mute = True
    heartbeat.add(link)
    clock.turn(12)
    assert link.pinged == [2, 4, 6, 8, 10, 12]
    assert link.expired == [12]


def test_the_removed_are_pinged_no_more(clock: ManualClock) -> None:
    heartbeat, link, other = Heartbeat(2, 2, clock), Link(clock), Link(clock)
    heartbeat.add(link)
    heartbeat.add(link)
    heartbeat.add(other)
    assert len(heartbeat) == 2
    heartbeat.remove(link)
    heartbeat.remove(link)
    clock.turn(6)
    assert (link.pinged, other.pinged) == ([], [2, 4, 6])
    heartbeat.remove(other)
    assert (len(heartbeat), clock.waiting) == (0, 0)
    heartbeat.add(link)
    clock.turn(4)
    assert link.pinged == [8, 10]
    heartbeat.stop()
    assert clock.waiting == 0


def test_overdue_is_known_before_the_sweep(clock: ManualClock) -> None:
    heartbeat, link = Heartbeat(2, 5, clock), Link(clock)
    link.mute = True
    assert not heartbeat.overdue(link)
    heartbeat.add(link)
    assert not heartbeat.overdue(link)
    clock.turn(2)
    assert link.pinged == [2]
    assert not heartbeat.overdue(link)
    clock.hold_up(5)
    assert heartbeat.overdue(link)
    link.last_seen = clock.now
    assert not heartbeat.overdue(link)


@pytest.mark.parametrize("answered", [True, False])
def test_a_loop_held_up_expires_nobody_who_answered(clock: ManualClock, answered: bool) -> None:
    """The answers wait in the sockets: they are read before anybody is judged."""
    heartbeat, link = Heartbeat(2, 5, clock), Link(clock)
    link.mute = True
    heartbeat.add(link)
    clock.turn(2)
    clock.hold_up(6)
    clock.turn(0)
    assert link.expired == []
    if answered:
        link.last_seen = clock.now
    clock.turn(0.3)
    assert bool(link.expired) is not answered
