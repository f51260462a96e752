"""Which messages may have been edited, by what was published."""

from handlers.hooks.edits import MESSAGES_MAX, Edits


def test_nothing_is_known_at_first() -> None:
    assert Edits().may_have_been(1, 5, 6)


def test_an_unbroken_run_tells_edits_from_reactions() -> None:
    edits = Edits()
    for seq, edited_id in ((5, None), (6, 1), (7, None), (8, None)):
        edits.published(seq, edited_id)
    assert edits.may_have_been(1, 5, 8)
    assert not edits.may_have_been(1, 6, 8)
    assert not edits.may_have_been(2, 4, 8)


def test_what_was_before_the_run_or_comes_after_it_is_not_known() -> None:
    edits = Edits()
    edits.published(5, None)
    assert edits.may_have_been(1, 3, 5)
    assert edits.may_have_been(1, 4, 6)
    assert not edits.may_have_been(1, 4, 5)


def test_a_hole_begins_a_new_run() -> None:
    edits = Edits()
    edits.published(5, 1)
    edits.published(7, None)
    assert edits.may_have_been(2, 5, 7)
    assert not edits.may_have_been(1, 6, 7)


def test_few_are_remembered_and_none_is_forgotten_silently() -> None:
    edits = Edits()
    for seq in range(1, MESSAGES_MAX + 3):
        edits.published(seq, seq)
    assert edits.may_have_been(1, 0, 1)
    assert edits.may_have_been(5000, 1, MESSAGES_MAX)
    assert not edits.may_have_been(5000, 2, MESSAGES_MAX)
    assert edits.may_have_been(3, 2, MESSAGES_MAX)
