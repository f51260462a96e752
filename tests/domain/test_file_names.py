"""Names of files as they are kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.file_names import NAME_BYTES_MAX, UNNAMED, clean_name


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("notes.txt", "notes.txt"),
        ("заметки 1.txt", "заметки 1.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\a.doc", "a.doc"),
        ("a/b\\c", "c"),
        (".htaccess", ".htaccess"),
        ("a\0b\x1f\x7f\x85c", "abc"),
        ("\u202egnp.exe", "gnp.exe"),
        ("a\u2066b\u2069\u061c\u200e\u200f\ufeff.txt", "ab.txt"),
        ("a\u2028b\u2029c", "abc"),
        ("\ud800a\udfff", "a"),
        ("👨\u200d👩\u200d👧.png", "👨\u200d👩\u200d👧.png"),
        ("  a b  ", "a b"),
        ("x" * 300 + ".jpeg", "x" * 250 + ".jpeg"),
        ("ж" * 300, "ж" * 127),
        ("a." + "x" * 300, "a." + "x" * 253),
        ("x" * 254 + " y" * 20, "x" * 254),
        ("." + "x" * 300, "." + "x" * 254),
    ],
)
def test_what_is_kept_of_a_name(given_name: str, kept: str) -> None:
    assert clean_name(given_name) == kept


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        ".",
        "..",
        "...",
        "/",
        "a/",
        "a\\",
        "\0",
        "\u202e",
        "\ud800",
        " . ",
        "\u200d",
        "\u3164",
        ".\u200c.",
    ],
)
def test_what_names_nothing(name: str) -> None:
    assert clean_name(name) == UNNAMED


@given(st.text(st.characters(codec=None), max_size=400))
def test_every_name_can_be_saved_and_shown(name: str) -> None:
    kept = clean_name(name)
    assert 0 < len(kept.encode()) <= NAME_BYTES_MAX
    assert not {"/", "\\", "\0", "\n"} & set(kept)
    assert kept not in (".", "..")
    assert clean_name(kept) == kept
