"""When an outgoing hook is tried again, and when the server gives up."""

from dataclasses import replace
from datetime import datetime, timedelta

from domain.hooks import Delivery

DELAY_MAX_S = 300
"""The longest time between two tries, unless the receiver asks for more."""

DELAY_MIN_S = 1
"""The shortest one, whatever the receiver asks for."""

GIVEN_UP_AFTER = timedelta(hours=24)
"""A hook that has failed for so long is stopped."""


def delay_s(attempts: int) -> int:
    """How long to wait after this number of failures in a row: 1, 2, 4 … 300 s."""
    return DELAY_MAX_S if attempts > 9 else min(1 << (attempts - 1), DELAY_MAX_S)


def done(position: int) -> Delivery:
    """A hook that is done up to this change of the chat, and has not failed since."""
    return Delivery(position)


def failed(
    delivery: Delivery, at: datetime, error: str, *, retry_after_s: float | None = None, final: bool = False
) -> Delivery:
    """The hook after one more failure. `retry_after_s`: when the receiver wants to be asked again, None if it did not
    say so. `final`: trying again is of no use. The last try is at `GIVEN_UP_AFTER`, whatever the receiver says."""
    attempts = delivery.attempts + 1
    since = delivery.failing_since or at
    left = since + GIVEN_UP_AFTER - at
    failing = replace(delivery, attempts=attempts, failing_since=since, last_error=error, next_try_at=None)
    if final or left <= timedelta():
        return replace(failing, stopped=True)
    wait_s = delay_s(attempts) if retry_after_s is None else max(DELAY_MIN_S, retry_after_s)
    return replace(failing, next_try_at=at + min(left, timedelta(seconds=min(wait_s, left.total_seconds()))))
