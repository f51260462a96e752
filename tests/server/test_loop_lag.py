"""Loop lag: how late a timer comes, and the longest lag of the last minute or two."""

import pytest

from server.metrics.loop_lag import EVERY_S, WINDOW_S, LoopLag
from tests.engine.clocks import ManualClock


class Watch:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.lag = LoopLag(self.clock, self.clock.time)
        self.lag.start()

    def stall(self, seconds: float) -> None:
        """Nothing runs for so long after the next measurement was due."""
        self.clock.hold_up(EVERY_S + seconds)
        self.clock.turn(0)


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_a_loop_that_runs_has_no_lag(watch: Watch) -> None:
    watch.clock.turn(10)
    assert sum(watch.lag.lag_s.counts) in (99, 100)
    assert watch.lag.lag_s.total < 1e-9
    assert watch.lag.longest_s < 1e-9


def test_a_stall_is_one_long_lag(watch: Watch) -> None:
    watch.stall(0.7)
    assert watch.lag.longest_s == pytest.approx(0.7)
    watch.stall(0.2)
    assert watch.lag.longest_s == pytest.approx(0.7)
    assert watch.lag.lag_s.total == pytest.approx(0.9)
    assert sum(watch.lag.lag_s.counts) == 2


def test_the_longest_lag_is_kept_for_a_minute_and_forgotten_after_two(watch: Watch) -> None:
    watch.stall(0.7)
    watch.clock.turn(WINDOW_S)
    assert watch.lag.longest_s == pytest.approx(0.7)
    watch.stall(0.3)
    watch.clock.turn(WINDOW_S)
    assert watch.lag.longest_s == pytest.approx(0.3)
    watch.clock.turn(WINDOW_S + 1)
    assert watch.lag.longest_s < 1e-9


def test_it_asks_for_one_timer_at_a_time_and_for_none_when_it_is_stopped(watch: Watch) -> None:
    watch.clock.turn(5)
    assert watch.clock.waiting == 1
    watch.lag.stop()
    assert watch.clock.waiting == 0
    watch.lag.stop()


def test_one_that_was_never_started_measures_nothing() -> None:
    lag = LoopLag(ManualClock())
    lag.stop()
    assert (sum(lag.lag_s.counts), lag.longest_s) == (0, 0.0)
