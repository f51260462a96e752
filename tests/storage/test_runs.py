"""How a batch is cut into runs."""

from typing import ClassVar

import pytest

from domain.refusals import NotFound
from storage.runs import Item, outcome_of, runs


class Together(Item[None]):
    pass


class Other(Item[None]):
    pass


class Alone(Item[None]):
    alone: ClassVar[bool] = True


def test_neighbours_of_one_class_are_a_run_unless_each_is_alone() -> None:
    a, b, c, d, e, f = Together(), Together(), Alone(), Alone(), Other(), Together()
    assert list(runs([a, b, c, d, e, f])) == [
        (Together, [a, b]),
        (Alone, [c]),
        (Alone, [d]),
        (Other, [e]),
        (Together, [f]),
    ]
    assert list(runs([])) == []


def test_a_refusal_is_an_outcome_and_a_bug_is_not() -> None:
    refusal = NotFound("chat 1")

    def refuse() -> None:
        raise refusal

    assert outcome_of(divmod, 7, 2) == (3, 1)
    assert outcome_of(refuse) is refusal
    with pytest.raises(ZeroDivisionError):
        outcome_of(divmod, 7, 0)
