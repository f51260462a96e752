"""The rules of text, code point by code point where that is possible."""

import sys
from unicodedata import category

import pytest

from domain.text import (
    NAME_GROWTH,
    content_fault,
    email_key,
    has_visible,
    is_visible,
    name_fault,
    name_key,
    trimmed,
)

EVERY_CODE_POINT = [chr(number) for number in range(sys.maxunicode + 1)]
FILLERS = ["\u115f", "\u1160", "\u2800", "\u3164", "\uffa0"]

# One of each category, by name, so that the table below does not depend on what the code asks.
INVISIBLE = {
    "Zs": [" ", "\u00a0", "\u1680", "\u2003", "\u202f", "\u3000"],
    "Zl": ["\u2028"],
    "Zp": ["\u2029"],
    "Cc": ["\x00", "\t", "\n", "\r", "\x1b", "\x7f", "\x85", "\x9f"],
    "Cf": [
        *("\u00ad", "\u061c", "\u180e", "\u200b", "\u200c", "\u200d", "\u200e", "\u202e", "\u2060", "\u2066"),
        *("\ufeff", "\ufff9", "\U000e0001", "\U000e0041", "\u0600"),
    ],
    "Cs": ["\ud800", "\udfff"],
    "Co": ["\ue000", "\uf8ff", "\U000f0000", "\U0010fffd"],
    "Cn": ["\u0378", "\ufdd0", "\uffff", "\U0010ffff"],
    "Mn": ["\u0301", "\ufe0f", "\ufe00", "\u034f", "\U000e0100"],
    "Mc": ["\u0903", "\u302e"],
    "Me": ["\u0488", "\u20dd", "\u20e3"],
}
VISIBLE = {
    "Lu": ["A", "Ж"],
    "Ll": ["a", "é"],
    "Lt": ["ǅ"],
    "Lm": ["ʰ", "\uff9e"],
    "Lo": ["ש", "ع", "中", "한", "\u1100", "\u1161", "\u3131"],
    "Nd": ["7", "٣"],
    "Nl": ["Ⅷ"],
    "No": ["½"],
    "Pc": ["_"],
    "Pd": ["-"],
    "Ps": ["("],
    "Pe": [")"],
    "Pi": ["«"],
    "Pf": ["»"],
    "Po": ["!", "。"],
    "Sm": ["+"],
    "Sc": ["€"],
    "Sk": ["^", "🏽"],
    "So": ["🙂", "©", "🇩", "\ufffc"],
}


def test_the_tables_name_every_category() -> None:
    assert {*INVISIBLE, *VISIBLE} == set(map(category, EVERY_CODE_POINT))
    for table in (INVISIBLE, VISIBLE):
        for kind, characters in table.items():
            assert [category(character) for character in characters] == [kind] * len(characters)


@pytest.mark.parametrize("kind", INVISIBLE)
def test_invisible(kind: str) -> None:
    for character in INVISIBLE[kind]:
        assert not is_visible(character)
        assert not has_visible(character * 3)
        assert has_visible(character + "x")
        assert content_fault(character, 10) == "must have something visible"
        assert content_fault(character + "x", 10) is None


@pytest.mark.parametrize("kind", VISIBLE)
def test_visible(kind: str) -> None:
    for character in VISIBLE[kind]:
        assert is_visible(character)
        assert content_fault(character, 1) is None
        assert name_fault(character, 1) is None


def test_every_code_point_is_as_its_category_says() -> None:
    visible = [character for character in EVERY_CODE_POINT if is_visible(character)]
    assert visible == [
        character
        for character in EVERY_CODE_POINT
        if category(character) in VISIBLE and character not in FILLERS
    ]


@pytest.mark.parametrize("filler", FILLERS)
def test_fillers_are_letters_that_draw_nothing(filler: str) -> None:
    assert category(filler) in VISIBLE
    assert content_fault(filler * 5, 10) == name_fault(filler * 5, 10) == "must have something visible"
    assert content_fault(f"{filler}가", 10) is name_fault(f"{filler}가", 10) is None


@pytest.mark.parametrize(
    "text",
    [
        "👩‍👩‍👧",
        "❤️",
        "1️⃣",
        "🇩🇪",
        "👍🏽",
        "می‌خواهم",
        "क्‍ष",
        "한국어",
        "\u1112\u1161\u11ab",
        "e\u0301",
        "שלום",
        "Z͑ͫ̓a̴l",
        "́́́ x",
    ],
)
def test_what_people_write_is_content_and_name(text: str) -> None:
    assert content_fault(text, 100) is name_fault(text, 100) is None


@pytest.mark.parametrize(
    "text",
    [
        " \t\r\n",
        "\u200b\u200c\u200d",
        "\u0301" * 60,
        "\ufe0f",
        "\u200f\u200e",
        "\u202e\u202c",
        "\u2067\u2069",
        "\U000e0067\U000e007f",
        "\u3164 \u2800",
        "\ufeff",
        "\x00\x1b",
        "\u2028\u2029",
    ],
)
def test_what_shows_nothing_is_neither(text: str) -> None:
    assert content_fault(text, 100) == "must have something visible"
    assert name_fault(text, 100) is not None


def test_content_may_hold_anything_beside_something_visible() -> None:
    for character in (character for some in INVISIBLE.values() for character in some):
        assert content_fault(f"{character}x{character}", 3) is None


def test_a_name_holds_no_control_no_format_but_joiners_and_no_line_break() -> None:
    refused = {
        character
        for character in EVERY_CODE_POINT
        if name_fault(f"x{character}y", 3) == "must not hold control or formatting characters, or line breaks"
    }
    kinds = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert refused == {one for one in EVERY_CODE_POINT if category(one) in kinds} - {"\u200c", "\u200d"}
    accepted = {character for character in EVERY_CODE_POINT if name_fault(f"x{character}y", 3) is None}
    assert accepted == set(EVERY_CODE_POINT) - refused


@pytest.mark.parametrize(
    ("length", "fault"), [(0, True), (1, False), (10, False), (11, True)], ids=["0", "1", "10", "11"]
)
@pytest.mark.parametrize("character", ["x", "🙂", "가", "\U00020000"])
def test_lengths_count_code_points(character: str, length: int, fault: bool) -> None:
    for check in (content_fault, name_fault):
        assert (check(character * length, 10) == "must be 1 to 10 characters") is fault


@pytest.mark.parametrize(
    "space", [" ", "\t", "\n", "\r\n", "\x0b", "\x0c", "\x85", "\u00a0", "\u1680", "\u2000", "\u200a"]
)
def test_names_are_trimmed_of_white_space_at_both_ends(space: str) -> None:
    assert trimmed(f"{space}{space}Anna K{space}") == "Anna K"
    assert trimmed(space * 3) == ""


@pytest.mark.parametrize("space", ["\u2028", "\u2029", "\u202f", "\u205f", "\u3000"])
def test_line_breaks_and_wide_spaces_are_white_space_too(space: str) -> None:
    assert trimmed(f"{space}Anna{space}") == "Anna"


@pytest.mark.parametrize("other", ["\u200b", "\ufeff", "\u2800", "\u3164", "\u200d", "\x00", "\u202e"])
def test_nothing_else_is_trimmed(other: str) -> None:
    assert trimmed(f"{other}Anna{other}") == f"{other}Anna{other}"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Anna", "ANNA"),
        ("Jos\u00e9", "Jose\u0301"),
        ("JOS\u00c9", "jose\u0301"),
        ("Й", "и\u0306"),
        ("한", "\u1112\u1161\u11ab"),
        ("Straße", "STRASSE"),
        ("ﬁn", "FIN"),
        ("Ａｎｎａ", "anna"),
        ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
        ("①", "1"),
        ("ǆ", "DŽ"),
        ("\u212b", "a\u030a"),
        ("ﾊﾟ", "パ"),
        ("ệ", "e\u0302\u0323"),
        ("\u0345\u03b1", "\u03b9\u03b1"),
        ("\u1e9e", "ss"),
        ("ﷺ", "صلى الله عليه وسلم"),
    ],
)
def test_names_that_are_the_same(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("e", "é"), ("Й", "И"), ("a", "а"), ("ı", "i"), ("anna", "anna "), ("a", "b")]
)
def test_names_that_are_not(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


def test_a_key_is_its_own_key_and_no_longer_than_is_said() -> None:
    for character in EVERY_CODE_POINT:
        key = name_key(character)
        assert name_key(key) == key
        assert len(key) <= NAME_GROWTH


def test_email_addresses_only_fold_case() -> None:
    assert email_key("Анна@Mail.RU") == "анна@mail.ru"
    assert email_key("jose\u0301@a.b") != email_key("josé@a.b")
    assert email_key("ａ@a.b") != email_key("a@a.b")
