"""A page of history, made of the messages on both sides of a position."""

from collections.abc import Iterable, Iterator

from domain.models import Message, Page
from storage.sizes import PageBudget, message_bytes

END = 2**62
"""Greater than every position."""


class _Side:
    """The messages on one side of the border, read outwards from it, no further than the page reaches."""

    def __init__(self, messages: Iterable[Message], limit: int) -> None:
        self._rest: Iterator[Message] = iter(messages)
        self._limit = limit
        self.taken: list[Message] = []
        self.has_more = False
        self.is_done = False

    def step(self, budget: PageBudget) -> None:
        """Takes one more message, or notes why there is none to take."""
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
    """The border of a page, the most messages it has below the border, and the most from the border on."""
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
    """A page of at most these numbers of messages and bytes, but of one message at least if there is any.

    `below` has the messages below the border, the highest first, and `above` those from the border on; each may have
    one more than its limit, which shows that there is more. Messages are taken from both in turns, `above` first, so if
    the bytes run out, the messages next to the border are in the page. No message is read that the page does not need.
    """
    budget = PageBudget(max_bytes)
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
