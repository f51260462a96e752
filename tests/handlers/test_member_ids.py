"""Ids of members in memory: both forms are sets."""

import random

import pytest

from handlers.live.member_ids import FEW, SortedIds, compact


@pytest.mark.parametrize("seed", range(10))
def test_sorted_ids_are_a_set(seed: int) -> None:
    dice = random.Random(seed)
    start = [dice.randrange(1, 60) for _ in range(dice.randrange(50))]
    ids, model = SortedIds(set(start)), set(start)
    for _ in range(300):
        user_id = dice.choice([dice.randrange(1, 60), 2**53 - 1])
        if dice.random() < 0.5:
            ids.add(user_id)
            model.add(user_id)
        else:
            ids.discard(user_id)
            model.discard(user_id)
        assert list(ids) == sorted(model)
        assert len(ids) == len(model)
        assert [one in ids for one in range(61)] == [one in model for one in range(61)]


def test_the_form_follows_the_number() -> None:
    few = compact(dict.fromkeys(range(FEW)))
    assert isinstance(few, set)
    assert compact(few) is few
    few.add(FEW)
    many = compact(few)
    assert isinstance(many, SortedIds)
    assert compact(many) is many
    many.discard(0)
    assert compact(many) == set(range(1, FEW + 1))
