"""Which rows of a chat count as published, by what a node knew first of the chat: a hint, a load, or a row."""

from storage.mongo.positions import Position, Positions


def test_a_load_begins_where_the_projection_ends() -> None:
    positions = Positions()
    assert positions.begin(1, 4, 2) == Position(4, 2, 5)
    assert positions.expect(1, 3) == Position(4, 2, 5)


def test_a_load_after_a_hint_lacks_the_rows_that_the_hint_names() -> None:
    positions = Positions()
    assert positions.expect(1, 3) == Position(2, None, 3)
    assert positions.begin(1, 4, 2) == Position(2, None, 3)
    assert positions.advance(1, 3, 1)
    assert positions.get(1) == Position(3, 1, 3)


def test_a_load_begins_before_the_rows_that_it_does_not_find_projected() -> None:
    """Then it publishes them, though the hint names later ones only."""
    positions = Positions()
    positions.expect(1, 9)
    assert positions.begin(1, 4, 2) == Position(4, 2, 5)


def test_a_position_that_has_moved_stays() -> None:
    positions = Positions()
    positions.expect(1, 3)
    positions.advance(1, 3, 1)
    assert positions.begin(1, 2, 0) == Position(3, 1, 3)
    positions.follow(1)
    assert positions.expect(1, 1) == Position(3, 1, 0)
