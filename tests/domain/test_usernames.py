"""Usernames after what people are called elsewhere."""

import pytest

from domain.usernames import is_username, numbered, username_like


@pytest.mark.parametrize(
    ("wanted", "becomes"),
    [
        ("ann", "ann"),
        ("Ann.Lee_1-x", "Ann.Lee_1-x"),
        ("...", "..."),
        ("ann@example.org", "ann"),
        ("Ann  Lee", "Ann_Lee"),
        (" ann\t", "ann"),
        ("José Núñez", "Jose_Nunez"),
        ("Straße", "Strae"),
        ("ａｎｎ", "ann"),
        ("anna-мария", "anna"),
        ("x" * 40, "x" * 32),
        ("ann/../../root", "ann....root"),
        ("<b>ann</b>", "bannb"),
        ("an", "an"),
        ("анна", ""),
        ("@example.org", ""),
        ("\x00\u202e\ud800", ""),
        ("😀", ""),
        ("", ""),
        ("_.-" * 20, ""),
    ],
)
def test_what_is_left_of_a_name(wanted: str, becomes: str) -> None:
    assert username_like(wanted) == becomes


def test_a_name_of_any_length_takes_no_time() -> None:
    assert username_like("a" + "\u0301" * 1_000_000) == "a"


@pytest.mark.parametrize("base", ["a", "ann", "x" * 32, "user"])
@pytest.mark.parametrize("number", [2, 1_000_999])
def test_a_number_makes_it_another_one_that_fits(base: str, number: int) -> None:
    assert is_username(numbered(base, number))
    assert numbered(base, number).startswith(base[:20])
