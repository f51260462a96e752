"""The words of texts and of queries, and what matches."""

import time

import pytest

from domain import search
from domain.files import Attachment
from domain.models import Message
from domain.search import (
    Has,
    Query,
    cut,
    has_letter_or_digit,
    index_words,
    matches,
    matches_message,
    parse,
    words_text,
)
from tests.storage.world import START


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""),
        ("Hello, World!", "hello world"),
        ("snake_case kebab-case a.b", "snake_case kebab case a b"),
        ("42 3.14 x2", "42 3 14 x2"),
        ("Ёлка ёж ЁЖ", "елка еж еж"),
        ("е\u0308ж", "еж"),
        ("Йод и\u0306од Ўзбек", "йод йод ўзбек"),
        ("ый \u2764\ufe0f \U0001f600", "ый"),
        ("Crème BRÛLÉE nai\u0308ve", "creme brulee naive"),
        ("Łódź Øl Đ ħ", "lodz ol d h"),
        ("Straße STRASSE", "strasse strasse"),
        ("Ἀθήνα ΑΘΗΝΑ ᾳ σοφός", "αθηνα αθηνα α σοφοσ"),
        ("x\u0301\u0302 q\u0303", "x q"),
        ("İstanbul ıI", "istanbul ıi"),
        ("ﬁne ½ ① x² Ａ", "fine 1 2 1 x2 a"),
        ("№5 ™ ℃", "5"),
        ("日本語が好き。はい", "日本語が好き はい"),
        ("ｶﾞ", "ガ"),
        ("हिन्दी", "हिन्दी"),
        ("\u0301\u0302 a", "a"),
        ("a\ufe0fb", "a b"),
        ("\ufdfa \ufdfb", "صلى جل"),
        ("tab\tline\nend\x00nul", "tab line end nul"),
    ],
)
def test_words(text: str, words: str) -> None:
    assert words_text(text).split() == words.split()


def test_words_stand_between_spaces() -> None:
    assert (words_text("a, b"), words_text("ё б"), words_text("é b")) == (" a b ", " е б ", " e b ")
    assert words_text("!").split() == []


def test_russian_and_other_text_have_the_same_words() -> None:
    """There is a quick way for text that is only Russian; another letter makes it go the long way."""
    text = "Съешь ЕЩЁ этих мягких, «французских» булок — да № 5 выпей-ка_чаю…"
    assert words_text(text) + "中 " == words_text(text + " 中")


def test_runs_of_marks_do_not_take_long() -> None:
    began_s = time.process_time()
    words_text("ы" + "\u0301\u0316" * 5_000)
    words_text("a" + "\u0301\u0316" * 5_000)
    assert time.process_time() - began_s < 1


def test_text_does_not_grow_much() -> None:
    for character in map(chr, range(0x110000)):
        if not 0xD800 <= ord(character) < 0xE000:
            assert len(words_text(character)) <= len(character) * 8, hex(ord(character))


def test_not_all_characters_that_ever_came_are_remembered() -> None:
    for start in range(0x10000, 0x20000, 1000):
        words_text("".join(map(chr, range(start, start + 1000))))
    assert max(len(search._SEPARATED), len(search._FOLDED)) <= search._REMEMBERED_MAX
    assert words_text("é") == " e "


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Foo", Query(prefix="foo")),
        ("foo bar ", Query(("foo",), "bar")),
        ('"foo"', Query(phrases=(" foo ",))),
        ('"foo bar"', Query(phrases=(" foo bar ",))),
        ('"foo bar" baz', Query(prefix="baz", phrases=(" foo bar ",))),
        ('baz "foo bar"', Query(("baz",), phrases=(" foo bar ",))),
        ('a "b" c "d" e', Query(("a", "c"), "e", (" b ", " d "))),
        ('a "b c', Query(("a", "b"), "c")),
        ('a "b" c "d', Query(("a", "c"), "d", (" b ",))),
        ('foo"bar', Query(("foo",), "bar")),
        ('""', Query()),
        ('a ""', Query(prefix="a")),
        ('"', Query()),
        ("a-b", Query(("a",), "b")),
        ("a OR (b*)", Query(("a", "or"), "b")),
        ("!", Query()),
    ],
)
def test_queries(text: str, query: Query) -> None:
    assert parse(text) == query
    assert parse(text).is_empty is (query == Query())


@pytest.mark.parametrize(
    ("text", "has"), [("", False), (" !_", False), ("а", True), ("½", True), ("日", True)]
)
def test_what_can_be_looked_for(text: str, has: bool) -> None:
    assert has_letter_or_digit(text) is has


@pytest.mark.parametrize(
    ("query", "content", "found"),
    [
        ("hello", "Hello", True),
        ("hello", "Othello", False),
        ("hel", "hello", True),
        ('"hel"', "hello", False),
        ("hello world", "world, hello", True),
        ("hello wor", "world, hello", True),
        ('"a b"', "a, b", True),
        ('"a b"', "ab", False),
        ('"a b"', "xa b", False),
        ('"a b"', "a bx", False),
        ("еж", "Ёж", True),
        ("cafe", "café", True),
        ("café", "cafe", True),
        ("и", "й", False),
        ("a", "и a", True),
        ("e", "é", True),
        ("xyz", "日本 abc", False),
    ],
)
def test_what_matches(query: str, content: str, found: bool) -> None:
    assert matches(parse(query), content, (), has_file=False) is found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("report", True),
        ("2025 pdf", True),
        ('"final report"', True),
        ('"text final"', False),
        ("text pd", True),
    ],
)
def test_names_of_files_count(query: str, found: bool) -> None:
    names = ["Final Report.PDF", "2025.txt"]
    assert matches(parse(query), "Text", names, has_file=True) is found


@pytest.mark.parametrize(
    ("content", "has", "found"),
    [
        ("see http://x.org", "link", True),
        ("HTTPS://x", "link", True),
        ("(https://x)", "link", True),
        ("https:// x", "link", False),
        ("xhttp://y", "link", False),
        ("ftp://x", "link", False),
        ("example.org", "link", False),
        ("text", "file", False),
    ],
)
def test_what_a_message_has(content: str, has: Has, found: bool) -> None:
    assert matches(parse("", has), content, (), has_file=False) is found
    assert (f"!{has}" in index_words(content, (), has_file=False)) is found


def test_a_file_without_a_name() -> None:
    message = Message(1, 1, 1, 1, "", 1, START, attachments=[Attachment("x", "", "image/png", 1)])
    assert matches_message(parse("", "file"), message)
    assert not matches_message(parse("x", "file"), message)


def test_index_words_have_what_a_query_requires() -> None:
    long = "x" * 100
    content = f'Say "good night" to {long}, https://example.org'
    words = index_words(content, ["A b.png"], has_file=True)
    query = parse(f'say "{long} https" "good night" "a b" ex', "link")
    assert matches(query, content, ["A b.png"], has_file=True)
    assert set(query.required()) <= words
    assert any(word.startswith(cut(query.prefix)) for word in words)
    assert "!file" in words
    assert max(map(len, words)) == 64


def test_what_is_required_is_named_once_the_longest_first() -> None:
    assert parse('a bbb "a cc" d', "file").required() == ["!file", "bbb", "cc", "a"]
