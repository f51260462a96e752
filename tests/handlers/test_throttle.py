"""Once at once, and then once a while."""

from handlers.live.throttle import Throttle
from tests.clients.clock import ManualClock


def test_at_once_then_at_most_every_second_and_the_last_always() -> None:
    clock, called = ManualClock(), list[tuple[float, int]]()
    throttle = Throttle(clock, 1, lambda key: called.append((clock.monotonic(), key)))
    for _ in range(5):
        throttle.ask(1)
    throttle.ask(2)
    assert called == [(0, 1), (0, 2)]
    clock.advance(0.9)
    throttle.ask(1)
    clock.advance(5)
    assert called[2:] == [(1, 1)]
    assert not throttle._pausing
    assert not throttle._asked
    throttle.ask(2)
    assert called[3:] == [(5.9, 2)]
    throttle.ask(2)
    throttle.stop()
    clock.advance(5)
    assert len(called) == 4
