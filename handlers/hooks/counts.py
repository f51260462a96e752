"""What has happened with outgoing hooks since the start, in plain integers, for metrics."""

from typing import Literal, get_args

from handlers.hooks.posting import Failure, Posted
from storage.histogram import Histogram

Outcome = Literal["taken", "status", Failure]
"""What became of a request: the receiver took it, answered with another status, or did not answer."""

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class HookCounts:
    """Numbers that only grow, but for `sending` and `waiting`; the keys are the server's own words."""

    def __init__(self) -> None:
        self.requests: dict[Outcome, int] = dict.fromkeys(("taken", "status", *get_args(Failure)), 0)
        """By outcome: requests that are over."""
        self.request_s = Histogram(SECONDS)
        """How long requests took that were answered."""
        self.replies = 0
        """Answers of receivers that were posted as messages, repeats included."""
        self.sending = 0
        """Requests that go on now."""
        self.waiting = 0
        """Hooks that wait for others to be answered."""

    def over(self, posted: Posted, taken: bool, took_s: float) -> None:
        """Counts a request that is over."""
        self.sending -= 1
        self.requests["taken" if taken else posted.failure or "status"] += 1
        if posted.status is not None:
            self.request_s.observe(took_s)
