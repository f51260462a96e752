import random

from hypothesis import given
from hypothesis import strategies as st

from domain.models import Message
from storage import unread_counts
from storage.ports import UNREAD_LIMIT
from storage.unread_counts import LOOK_BACK, count_mentions, mention_rows, tally
from tests.storage.world import START

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


MENTIONS = st.lists(st.tuples(st.integers(1, 4), st.sets(st.integers(1, 4)), st.booleans()), max_size=30)


@given(MENTIONS, st.dictionaries(st.integers(1, 5), st.integers(0, 35)), st.randoms())
def test_mentions_are_counted_once_a_message(
    sent: list[tuple[int, set[int], bool]], marks: dict[int, int], script: random.Random
) -> None:
    messages = [
        Message(
            seq, 1, seq, seq, "", sender_id, START, mentions=tuple(users - {sender_id}), mentions_all=of_all
        )
        for seq, (sender_id, users, of_all) in enumerate(sent, 1)
    ]
    rows = [row for message in messages for row in mention_rows(message)]
    script.shuffle(rows)
    assert count_mentions(rows, marks) == {
        user_id: sum(
            one.seq > mark and one.sender_id != user_id and (one.mentions_all or user_id in one.mentions)
            for one in messages
        )
        for user_id, mark in marks.items()
    }


def test_counts_of_mentions_stop_at_the_limit() -> None:
    rows = [(seq, 0, 1) for seq in range(1, UNREAD_LIMIT + 3)]
    assert count_mentions(rows, {1: 0, 2: 0, 3: 5}) == {1: 0, 2: UNREAD_LIMIT, 3: UNREAD_LIMIT - 3}


def test_nobody_and_nothing() -> None:
    assert tally([], {}) == {}
    assert count_mentions([], {}) == {}
    assert count_mentions([], {1: 0}) == {1: 0}
    assert tally([], {1: 0, 2: 9}) == {1: 0, 2: 0}
    assert unread_counts.LOOK_BACK > UNREAD_LIMIT
