"""Pages of invites."""

import pytest

from domain.invites import Invite
from handlers.commands.invites import page_of
from handlers.wire.errors import ChatError
from tests.storage.world import at


def invites(*seconds: int) -> list[Invite]:
    """Made at these times, in the order of lists."""
    return [Invite(f"code{index}", 1, 1, at(time), None, 0) for index, time in enumerate(seconds)]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6, 100])
@pytest.mark.parametrize("seconds", [(), (1,), (1, 2, 3, 4, 5), (1, 1, 1, 1, 1), (1, 1, 2, 2, 2, 3)])
def test_pages_together_are_the_list(seconds: tuple[int, ...], limit: int) -> None:
    everything = invites(*seconds)
    found: list[Invite] = []
    cursor: str | None = None
    while True:
        page, cursor = page_of(everything, cursor, limit)
        found += page
        if cursor is None:
            break
        assert len(page) == limit
        assert "code" not in cursor
    assert found == everything


def test_an_invite_that_ends_between_two_pages_hides_no_other() -> None:
    everything = invites(1, 2, 3, 4)
    _, cursor = page_of(everything, None, 2)
    assert page_of(everything[1:], cursor, 2) == (everything[2:], None)
    assert page_of([], cursor, 2) == ([], None)


@pytest.mark.parametrize("cursor", ["", "x", "5", "MSAw"])
def test_a_cursor_of_nobody_is_invalid(cursor: str) -> None:
    with pytest.raises(ChatError) as error:
        page_of(invites(1), cursor, 1)
    assert error.value.code == "invalid"
