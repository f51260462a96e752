import pytest

from server.engine.backlog import CHECK_EVERY_S, Backlog
from server.engine.budget import Budget
from server.engine.pace import Pace
from server.engine.scheduler import Scheduler
from tests.engine.clocks import ManualClock

KIB = 1024
LIMIT_BYTES = 1000 * KIB


class Debtor:
    def __init__(self, owner: Budget, unsent_bytes: int) -> None:
        self.pace = Pace(Budget(shared=owner), Scheduler())
        self.unsent_bytes = unsent_bytes
        self.overflows = 0

    def overflow(self) -> None:
        self.overflows += 1


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def backlog(clock: ManualClock) -> Backlog:
    return Backlog(LIMIT_BYTES, clock)


def test_the_most_go_first_until_the_rest_is_within_the_limit(clock: ManualClock, backlog: Backlog) -> None:
    owner = Budget()
    debtors = [Debtor(owner, size * KIB) for size in (300, 500, 400, 100)]
    for debtor in debtors:
        backlog.add(debtor)
    assert not any(debtor.overflows for debtor in debtors)
    clock.turn(CHECK_EVERY_S)
    assert [debtor.overflows for debtor in debtors] == [0, 1, 0, 0]
    backlog.stop()
    assert (len(backlog), clock.waiting) == (0, 0)


def test_owners_are_apart(clock: ManualClock, backlog: Backlog) -> None:
    debtors = [Debtor(Budget(), 900 * KIB) for _ in range(5)]
    for debtor in debtors:
        backlog.add(debtor)
    clock.turn(5 * CHECK_EVERY_S)
    assert not any(debtor.overflows for debtor in debtors)
    assert len(backlog) == 5


def test_a_reader_that_has_caught_up_is_no_longer_checked(clock: ManualClock, backlog: Backlog) -> None:
    debtor = Debtor(Budget(), 100 * KIB)
    backlog.add(debtor)
    clock.turn(CHECK_EVERY_S)
    assert (len(backlog), clock.waiting) == (1, 1)
    debtor.unsent_bytes = 0
    clock.turn(CHECK_EVERY_S)
    assert (len(backlog), clock.waiting) == (0, 0)


def test_without_a_limit_nothing_is_kept(clock: ManualClock) -> None:
    backlog = Backlog(0, clock)
    backlog.add(Debtor(Budget(), 10**9))
    assert (len(backlog), clock.waiting) == (0, 0)


def test_a_reader_that_reads_a_little_and_stops_is_still_checked(
    clock: ManualClock, backlog: Backlog
) -> None:
    """A transport reports a backlog once, until the backlog has come down to the low-water mark."""
    debtor = Debtor(Budget(), 100 * KIB)
    backlog.add(debtor)
    debtor.unsent_bytes = 40 * KIB
    clock.turn(CHECK_EVERY_S)
    debtor.unsent_bytes = 2 * LIMIT_BYTES
    clock.turn(CHECK_EVERY_S)
    assert debtor.overflows == 1
