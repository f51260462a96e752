"""What is counted is forgotten when it counts no more, however many there are to be counted."""

from handlers.live.limits import SWEEP_SPARE, Limiter
from handlers.policy import Policy
from tests.clients.clock import ManualClock


def test_a_flood_of_addresses_is_not_kept_for_a_minute() -> None:
    """Each comes once; 5 calls a second come back, so a bucket is full again after 0.2 s."""
    clock = ManualClock()
    limiter = Limiter(Policy(), clock)
    most = 0
    for number in range(100_000):
        assert limiter.take("auth_calls", f"address {number}") == 0
        clock.advance(0.001)
        most = max(most, len(limiter._buckets))
    assert most <= SWEEP_SPARE + 1_000


def test_what_still_counts_is_kept() -> None:
    clock = ManualClock()
    limiter = Limiter(Policy(name_changes_per_h=1), clock)
    people = 2 * SWEEP_SPARE
    for user_id in range(people):
        assert limiter.take("name_changes", user_id) == 0
    for user_id in range(people):
        assert limiter.take("name_changes", user_id) > 0
    clock.advance(3600)
    assert limiter.take("name_changes", people) == 0
    assert len(limiter._buckets) == 1
