from hypothesis import given
from hypothesis import strategies as st

from storage import unread_counts
from storage.ports import UNREAD_LIMIT
from storage.unread_counts import LOOK_BACK, tally

SENDERS = st.lists(st.integers(1, 3), max_size=40)


@given(SENDERS, st.dictionaries(st.integers(1, 4), st.integers(0, 45)))
def test_of_all_messages_it_is_exact(senders: list[int], marks: dict[int, int]) -> None:
    newest = [(seq, sender) for seq, sender in enumerate(senders, 1)][::-1]
    exact = {
        user: sum(seq > mark and sender != user for seq, sender in newest) for user, mark in marks.items()
    }
    assert tally(newest, marks) == exact


def test_of_the_newest_it_counts_for_those_whose_count_they_give() -> None:
    newest = [(seq, 1 if seq % 4 else 2) for seq in range(LOOK_BACK + 100, 100, -1)]
    oldest = newest[-1][0]
    marks = {1: 0, 2: 0, 3: oldest + 1500, 4: oldest}
    counts = tally(newest, marks)
    assert counts == {1: None, 2: UNREAD_LIMIT, 3: LOOK_BACK - 1501, 4: UNREAD_LIMIT}
    assert tally(newest, {1: oldest}) == {1: LOOK_BACK // 4 - (oldest % 4 == 0)}


def test_nobody_and_nothing() -> None:
    assert tally([], {}) == {}
    assert tally([], {1: 0, 2: 9}) == {1: 0, 2: 0}
    assert unread_counts.LOOK_BACK > UNREAD_LIMIT
