"""Token buckets: bursts, rates and debts."""

import re
from dataclasses import asdict

import pytest

from handlers.live.limits import Limiter, Rate, network_of, rate_of
from handlers.policy import Policy
from handlers.wire.errors import ChatError
from tests.clients.clock import ManualClock

POLICY = Policy(changes_per_s=10, changes_burst=5, queries_per_s=0)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def limiter(clock: ManualClock) -> Limiter:
    return Limiter(POLICY, clock)


def test_a_burst_then_a_rate(limiter: Limiter, clock: ManualClock) -> None:
    assert [limiter.take("changes", 1) for _ in range(7)] == [0] * 5 + [100, 100]
    assert limiter.take("changes", 2) == 0, "another user"
    clock.advance(0.1)
    assert [limiter.take("changes", 1) for _ in range(2)] == [0, 100]
    clock.advance(60)
    assert [limiter.take("changes", 1) for _ in range(6)] == [0] * 5 + [100]


def test_an_expensive_call_delays_the_next_one(limiter: Limiter, clock: ManualClock) -> None:
    limiter.check("changes", 1)
    limiter.spend("changes", 1, 24)
    with pytest.raises(ChatError) as caught:
        limiter.check("changes", 1)
    assert caught.value.retry_after_ms == 2100, "20 tokens of debt, and the one to take"
    clock.advance(2.0)
    assert limiter.take("changes", 1) == 100
    clock.advance(0.1)
    assert limiter.take("changes", 1) == 0


def test_a_look_takes_nothing(limiter: Limiter) -> None:
    for _ in range(20):
        limiter.peek("changes", 1)
    limiter.spend("changes", 1, 5)
    for _ in range(2):
        with pytest.raises(ChatError) as caught:
            limiter.peek("changes", 1)
        assert (caught.value.code, caught.value.retry_after_ms) == ("rate_limited", 100)
    limiter.peek("changes", 2)


def test_without_a_rate_nothing_counts(limiter: Limiter) -> None:
    limiter.spend("queries", 1, 10**9)
    limiter.peek("queries", 1)
    assert limiter.take("queries", 1) == 0


@pytest.mark.parametrize(
    ("limit", "rate"),
    [
        ("messages", Rate(50, 500)),
        ("typing", Rate(10, 10)),
        ("login_failures", Rate(10 / 60, 10)),
        ("name_changes", Rate(10 / 3600, 10)),
    ],
)
def test_a_rate_is_that_of_the_policy_with_its_burst_or_its_number(limit: str, rate: Rate) -> None:
    assert rate_of(Policy(), limit) == rate


def test_a_slow_rate_still_lets_one_through() -> None:
    assert rate_of(Policy(typing_per_s=0.1), "typing") == Rate(0.1, 1)


def test_a_limit_without_a_rate_in_the_policy_fails_at_start() -> None:
    with pytest.raises(ValueError, match="has no rate for the limit 'unheard_of'"):
        rate_of(Policy(), "unheard_of")


def test_an_unlimited_policy_differs_in_limits_alone() -> None:
    limited, unlimited = asdict(Policy()), asdict(Policy().unlimited())
    changed = {name for name in limited if limited[name] != unlimited[name]}
    assert changed == {name for name in limited if re.search("_per_(s|min|h|user|address)$", name)}
    assert {unlimited[name] for name in changed} == {0}


def test_all_rates_can_be_turned_off() -> None:
    limiter = Limiter(Policy().unlimited(), ManualClock())
    for limit in limiter._rates:
        limiter.spend(limit, 1, 10**9)
        assert limiter.take(limit, 1) == 0


def test_only_what_was_taken_is_given_back(limiter: Limiter) -> None:
    limiter.give_back("changes", 1)
    for _ in range(5):
        limiter.check("changes", 1)
    limiter.give_back("changes", 1)
    assert [limiter.take("changes", 1) for _ in range(2)] == [0, 100]
    for _ in range(20):
        limiter.give_back("changes", 1)
    assert [limiter.take("changes", 1) for _ in range(6)] == [0] * 5 + [100]


def test_check_and_take_count_the_same(limiter: Limiter, clock: ManualClock) -> None:
    for _ in range(3):
        limiter.check("changes", 1)
    assert [limiter.take("changes", 1) for _ in range(3)] == [0, 0, 100]
    with pytest.raises(ChatError) as caught:
        limiter.check("changes", 1)
    assert caught.value.retry_after_ms == 100
    clock.advance(0.1)
    limiter.check("changes", 1)
    limiter.check("queries", 1)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8:0:0:ffff::1", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_of_ipv6_the_network_counts(address: str, network: str) -> None:
    assert network_of(address) == network
