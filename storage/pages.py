"""A page of history out of what lies on both sides of a border."""

from collections.abc import Iterable, Iterator

from domain.models import Message, Page
from storage.sizes import Budget, message_bytes

END = 2**62
"""Above every position."""


class _Side:
    """One side of the border, read from it outwards, as far as the page reaches."""

    def __init__(self, messages: Iterable[Message], limit: int) -> None:
        self._rest: Iterator[Message] = iter(messages)
        self._limit = limit
        self.taken: list[Message] = []
        self.has_more = False
        self.is_done = False

    def step(self, budget: Budget) -> None:
        """Takes one message on, or finds out why not."""
        message = next(self._rest, None)
        if message is None:
            self.is_done = True
        elif len(self.taken) >= self._limit or not budget.takes(message_bytes(message)):
            self.is_done = self.has_more = True
        else:
            self.taken.append(message)


def sides(
    limit: int, before_seq: int | None, after_seq: int | None, around_seq: int | None
) -> tuple[int, int, int]:
    """The border of a page, and how many messages it has at most below it, and from it on."""
    if after_seq is not None:
        return after_seq + 1, 0, limit
    if around_seq is not None:
        return around_seq, limit // 2, limit - limit // 2
    return END if before_seq is None else before_seq, limit, 0


def page_of(
    below: Iterable[Message],
    below_limit: int,
    above: Iterable[Message],
    above_limit: int,
    max_bytes: int | None,
) -> Page:
    """A page of so many messages and bytes; one message at least, if there is any to take.

    `below` has the messages below the border, the highest first, and `above` those from it on; each one more than its
    limit, which tells whether there is more. They are read in turns, `above` first, and no further than the page
    reaches: where bytes run out, what stands next to the border is in the page.
    """
    budget = Budget(max_bytes)
    lower, upper = _Side(below, below_limit), _Side(above, above_limit)
    while not (lower.is_done and upper.is_done):
        for side in (upper, lower):
            if not side.is_done:
                side.step(budget)
    return Page(
        messages=[*reversed(lower.taken), *upper.taken],
        has_more_before=lower.has_more,
        has_more_after=upper.has_more,
    )
