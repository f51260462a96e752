"""When a hook is tried again, and when the server gives up."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.decisions.deliveries import GIVEN_UP_AFTER, delay_s, done, failed
from domain.hooks import Delivery

AT = datetime(2025, 11, 23, 10, tzinfo=UTC)


def wait_s(delivery: Delivery, at: datetime) -> float:
    assert delivery.next_try_at is not None
    return (delivery.next_try_at - at).total_seconds()


def test_the_waits_double_up_to_five_minutes() -> None:
    assert [delay_s(attempts) for attempts in range(1, 12)] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert delay_s(10**9) == 300


def test_a_first_failure_begins_the_count() -> None:
    delivery = failed(Delivery(position=7), AT, "what was wrong")
    assert delivery == Delivery(7, 1, AT, "what was wrong", AT + timedelta(seconds=1))


def test_later_failures_keep_the_time_of_the_first() -> None:
    first = failed(Delivery(position=7), AT, "one")
    second = failed(first, AT + timedelta(seconds=1), "two")
    assert (second.attempts, second.failing_since, second.last_error) == (2, AT, "two")
    assert wait_s(second, AT + timedelta(seconds=1)) == 2


def test_a_success_forgets_all_failures() -> None:
    assert done(8) == Delivery(position=8)


@pytest.mark.parametrize(("asked_s", "waits_s"), [(30, 30), (0, 1), (0.25, 1), (7200, 7200), (1e9, 86400)])
def test_the_receiver_says_when_to_come_back(asked_s: float, waits_s: float) -> None:
    assert wait_s(failed(Delivery(), AT, "x", retry_after_s=asked_s), AT) == waits_s


def test_a_final_failure_stops_before_the_message() -> None:
    delivery = failed(Delivery(position=7), AT, "gone", final=True)
    assert delivery == Delivery(7, 1, AT, "gone", None, stopped=True)


def test_a_hook_that_fails_for_a_day_is_stopped() -> None:
    """The last try is at the end of the day, and no later."""
    delivery, now, tries = Delivery(position=3), AT, 0
    while not delivery.stopped:
        delivery = failed(delivery, now, "down")
        now = delivery.next_try_at or now
        tries += 1
    assert now - AT == GIVEN_UP_AFTER
    assert delivery.position == 3
    assert delivery.last_error == "down"
    assert 290 < tries < 310


def test_a_server_that_was_down_for_days_tries_once_more() -> None:
    delivery = failed(Delivery(), AT, "x")
    assert failed(delivery, AT + timedelta(days=3), "x").stopped
