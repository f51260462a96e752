import asyncio

import pytest

from server.engine import backlog as backlog_module
from server.engine.backlog import Backlog
from server.engine.budget import Budget
from server.engine.pace import Pace
from server.engine.scheduler import Scheduler
from tests.engine.peers import until

KIB = 1024
LIMIT_BYTES = 1000 * KIB


class Debtor:
    def __init__(self, owner: Budget, unsent_bytes: int) -> None:
        self.pace = Pace(Budget(shared=owner), Scheduler())
        self.unsent_bytes = unsent_bytes
        self.overflows = 0

    def overflow(self) -> None:
        self.overflows += 1


@pytest.fixture(autouse=True)
def soon_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog_module, "LOOK_EVERY_S", 0.001)


async def looked_at(backlog: Backlog) -> None:
    """Returns after a look that begins from now on."""
    timer = backlog._timer
    await until(lambda: backlog._timer is not timer)


async def test_the_most_go_first_until_the_rest_is_within_the_limit() -> None:
    backlog, owner = Backlog(LIMIT_BYTES), Budget()
    debtors = [Debtor(owner, size * KIB) for size in (300, 500, 400, 100)]
    for debtor in debtors:
        backlog.add(debtor)
    await looked_at(backlog)
    assert [debtor.overflows for debtor in debtors] == [0, 1, 0, 0]
    backlog.stop()


async def test_owners_are_apart() -> None:
    backlog = Backlog(LIMIT_BYTES)
    debtors = [Debtor(Budget(), 900 * KIB) for _ in range(5)]
    for debtor in debtors:
        backlog.add(debtor)
    await looked_at(backlog)
    assert not any(debtor.overflows for debtor in debtors)
    assert len(backlog) == 5
    backlog.stop()


async def test_nobody_is_looked_at_who_has_read_what_waited() -> None:
    backlog = Backlog(LIMIT_BYTES)
    debtor = Debtor(Budget(), 100 * KIB)
    backlog.add(debtor)
    await looked_at(backlog)
    debtor.unsent_bytes = 0
    await until(lambda: len(backlog) == 0 and backlog._timer is None)


async def test_without_a_limit_nothing_is_kept() -> None:
    backlog = Backlog(0)
    backlog.add(Debtor(Budget(), 10**9))
    assert len(backlog) == 0
    await asyncio.sleep(0)


async def test_who_reads_a_little_and_stops_is_still_looked_at() -> None:
    """Transports tell of a backlog once, until it has come down to the low water."""
    backlog = Backlog(LIMIT_BYTES)
    debtor = Debtor(Budget(), 100 * KIB)
    backlog.add(debtor)
    debtor.unsent_bytes = 40 * KIB
    await looked_at(backlog)
    debtor.unsent_bytes = 2 * LIMIT_BYTES
    await until(lambda: debtor.overflows == 1)
    backlog.stop()
