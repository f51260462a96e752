"""Pages as a pure function: their bound in bytes, and what they say of the rest."""

from itertools import count

from domain.models import Message
from storage.pages import page_of
from storage.sizes import PageBudget, fitting_messages, json_bytes
from tests.storage.world import START


def message(seq: int, content: str = "x") -> Message:
    return Message(seq, 1, seq, seq, content, 1, START)


def test_reading_stops_where_the_page_ends() -> None:
    read: list[int] = []

    def endless() -> object:
        for seq in count(1):
            read.append(seq)
            yield message(seq, "x" * 1000)

    page = page_of([], 0, endless(), 100, 5000)  # type: ignore[arg-type]
    assert len(page.messages) == 2
    assert page.has_more_after
    assert read == [1, 2, 3]
    assert [found.seq for found in fitting_messages(endless(), 5000)] == [1, 2]  # type: ignore[arg-type]


def test_the_first_always_fits_and_nothing_after_what_did_not() -> None:
    budget = PageBudget(10)
    assert [budget.takes(size) for size in (100, 1, 0)] == [True, False, False]
    budget = PageBudget(10)
    assert [budget.takes(size) for size in (4, 6, 1)] == [True, True, False]
    assert all(PageBudget(None).takes(2**40) for _ in range(3))


def test_sizes_are_those_of_json() -> None:
    assert json_bytes("\x01é😀\\") == len(b'"\\u0001\xc3\xa9\xf0\x9f\x98\x80\\\\"')
