"""How late the event loop is: the time that everything on it, every connection among it, has to wait."""

from collections.abc import Callable
from time import perf_counter

from handlers.chat_app import Histogram
from server.engine.clock import Clock, LoopClock, Timer

EVERY_S = 0.1
"""How often the loop is measured. A stall is measured from the moment at which the next measurement is due, so the
longest one may have lasted up to this much longer."""

LAG_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

WINDOW_S = 60.0
"""The longest lag is that of the current window and the one before. So it does not depend on who asks, and how often:
whoever asks once a minute sees each stall."""


class LoopLag:
    """Measures how late a timer comes. `lag_s` has all measurements in seconds."""

    def __init__(self, clock: Clock | None = None, now_s: Callable[[], float] = perf_counter) -> None:
        """`now_s` has to be finer than the clock: uvloop's counts whole milliseconds."""
        self._clock: Clock = clock or LoopClock()
        self._now_s = now_s
        self.lag_s = Histogram(LAG_S)
        self._longest_s = self._longest_before_s = 0.0
        self._window_ends_s = self._due_s = 0.0
        self._timer: Timer | None = None

    @property
    def longest_s(self) -> float:
        """The longest lag of the last minute or two."""
        return max(self._longest_s, self._longest_before_s)

    def start(self) -> None:
        self._window_ends_s = self._now_s() + WINDOW_S
        self._wait()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        self._due_s = self._now_s() + EVERY_S
        self._timer = self._clock.call_later(EVERY_S, self._measure)

    def _measure(self) -> None:
        now_s = self._now_s()
        late_s = max(0.0, now_s - self._due_s)
        self.lag_s.observe(late_s)
        if now_s >= self._window_ends_s:
            self._window_ends_s = now_s + WINDOW_S
            self._longest_before_s, self._longest_s = self._longest_s, 0.0
        self._longest_s = max(self._longest_s, late_s)
        self._wait()
