import math

import pytest

from server.engine.budget import BURST_S, DEBT_MAX_S, SWEEP_EVERY_S, Budget, BudgetPolicy, Budgets, Rate
from tests.engine.clocks import ManualClock

TEN = Rate(frames_per_s=10)


def test_a_burst_passes_and_then_the_rate() -> None:
    budget = Budget(TEN)
    assert [budget.charge(1, 0, now=0) for _ in range(100)] == [0] * 100
    assert budget.charge(1, 0, now=0) == pytest.approx(0.1)
    assert budget.charge(1, 0, now=0.1) == pytest.approx(0.1)
    assert budget.charge(1, 0, now=10) == 0


def test_bytes_count_too() -> None:
    budget = Budget(Rate(frames_per_s=10, bytes_per_s=1000))
    assert budget.charge(50, 5_000, now=0) == 0
    assert budget.charge(0, 1_000, now=0) == pytest.approx(1)


def test_without_a_rate_there_is_no_limit() -> None:
    assert Budget().charge(10**9, 10**12, now=0) == 0
    assert Rate().cost_s(1, 1) == 0


def test_rest_does_not_earn_more_than_the_burst() -> None:
    budget = Budget(TEN)
    assert budget.charge(100, 0, now=1000) == 0
    assert budget.charge(10, 0, now=1000) == pytest.approx(1)


def test_a_shared_budget_counts_what_all_connections_send() -> None:
    shared = Budget(TEN)
    one, other = Budget(Rate(1000), shared), Budget(Rate(1000), shared)
    assert one.charge(100, 0, now=0) == 0
    assert other.charge(20, 0, now=0) == pytest.approx(2)
    assert one.ahead_s(now=0) == pytest.approx(BURST_S + 2)
    assert other.ahead_s(now=5) == pytest.approx(BURST_S - 3)


def test_out_of_patience_on_its_own_account_alone() -> None:
    shared = Budget(TEN)
    hasty = Budget(TEN, shared, max_wait_s=1)
    assert shared.charge(1000, 0, now=0) > 1
    assert hasty.charge(1, 0, now=0) < math.inf
    assert hasty.charge(120, 0, now=0) == math.inf


def test_a_refund() -> None:
    budget = Budget(TEN)
    budget.charge(100, 0, now=0)
    budget.refund(10)
    assert budget.charge(10, 0, now=0) == 0


def test_a_refund_is_no_credit() -> None:
    budget = Budget(TEN)
    budget.refund(1000)
    assert budget.charge(101, 0, now=5) > 0


class TestBudgets:
    def test_an_owner_has_one_whatever_the_connection(self) -> None:
        budgets = Budgets(BudgetPolicy(owner=TEN), ManualClock(0))
        budgets.known(1).charge(100, 0, now=0)
        assert budgets.known(1).charge(1, 0, now=0) > 0
        assert budgets.known(2).charge(1, 0, now=0) == 0

    def test_strangers_of_an_address_share_one(self) -> None:
        budgets = Budgets(BudgetPolicy(stranger=Rate(1000), address=TEN), ManualClock(0))
        budgets.stranger("a").charge(100, 0, now=0)
        assert budgets.stranger("a").charge(1, 0, now=0) > 0
        assert budgets.stranger("b").charge(1, 0, now=0) == 0

    def test_a_debt_outlives_the_connection_and_is_forgotten_when_it_is_paid(self) -> None:
        clock = ManualClock(0)
        budgets = Budgets(BudgetPolicy(owner=TEN), clock)
        budgets.known(1).charge(150, 0, now=SWEEP_EVERY_S - 5)
        for owner in range(2, 100):
            budgets.known(owner)
        clock.turn(SWEEP_EVERY_S + 1)
        budgets.known(100)
        assert len(budgets) == 2
        assert budgets.known(1).ahead_s(clock.now) > 0

    def test_the_owner_of_a_quiet_connection_has_one_budget_all_the_same(self) -> None:
        clock = ManualClock(0)
        budgets = Budgets(BudgetPolicy(owner=TEN), clock)
        quiet = budgets.known(1)
        clock.turn(2 * SWEEP_EVERY_S)
        budgets.known(2)
        assert budgets.known(1).shared is quiet.shared


def test_a_debt_has_an_end() -> None:
    budget = Budget(TEN)
    budget.charge(10**6, 0, now=0)
    assert budget.own_wait_s(now=0) == DEBT_MAX_S
    assert budget.charge(0, 0, now=DEBT_MAX_S) == 0
