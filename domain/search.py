"""Search of messages: the words of a text, what a query asks for, and whether a message has it.

A word is a run of letters, digits and `_`, with the marks that stand on them. Words are compared without case, in the
compatibility form of Unicode (NFKC), Latin and Greek letters without diacritics, ё as е. A store may find messages by
any means that misses none; `matches` decides.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Literal, get_args
from unicodedata import category, is_normalized, name, normalize

from domain.frozen import frozen
from domain.models import Message

Has = Literal["file", "link"]

HAS: Sequence[Has] = get_args(Has)

RULES = 2
"""Rises with each change of what the words of a text are, so that stores make their words anew."""

WORD_CHARS_MAX = 64
"""Stores keep this much of the beginning of a word."""

QUERY_CHARS_MAX = 200

_RUN_CHARS_MAX = 512
"""How much of a run is looked at: the time that normalizing takes grows with the square of a run of marks. No word of
a query is as long."""

_STANDS_FOR_MAX = 4
"""A character that stands for more others, as two Arabic ones for a phrase, counts as the first word of the phrase: a
message of 10,000 characters would become one of 90,000, which take 15 ms."""

_REMEMBERED_MAX = 20_000

_FIELD_END = "\n"
"""Stands between the content and the names of files, so that no phrase goes across."""

_ASCII = bytes(
    ord(chr(code).lower()) if chr(code).isalnum() or chr(code) == "_" else 32 for code in range(128)
)
_ASCII += bytes(128)
"""For `bytes.translate`, which takes a tenth of the time of `str.translate`."""

_RUSSIAN = re.compile(
    "[\x00-\x7f\xab\xbb\u0401\u0410-\u044f\u0451\u2010-\u2027\u2030-\u205e\u2116\u2600-\u26ff\ufe0f\U0001f300-\U0001faff]*"
)
"""Text in which only ё, case and separators need attention: 6 µs for 70 characters instead of 30."""

_RUN = re.compile(r"\w+")

_MARKED = re.compile("(.)[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+", re.DOTALL)

_LETTER_WITH = re.compile(r"LATIN (?:CAPITAL|SMALL) LETTER ([A-Z])(?: WITH .*)?")

_LINK = re.compile(r"\bhttps?://[^\s/?#]", re.IGNORECASE)


class _Table(dict[int, str]):
    """A table for `str.translate` that looks a character up when it first comes, and forgets all when it is full."""

    def __missing__(self, code: int) -> str:
        if len(self) >= _REMEMBERED_MAX:
            self.clear()
        made = self[code] = self.make(chr(code), code)
        return made

    def make(self, character: str, code: int) -> str:
        """What becomes of a character."""
        raise NotImplementedError


class _Separated(_Table):
    """Keeps what words are made of, and makes a space of all else."""

    def make(self, character: str, code: int) -> str:
        keeps = character == "_" or category(character)[0] in "LNM"
        # Variation selectors are marks that follow emoji.
        if not keeps or 0xFE00 <= code <= 0xFE0F:
            return " "
        stands_for = normalize("NFKC", character)
        return character if len(stands_for) <= _STANDS_FOR_MAX else stands_for.split()[0]


class _Folded(_Table):
    """Makes the form in which letters are compared, and a space of what is in no word."""

    def make(self, character: str, code: int) -> str:
        if category(character)[0] not in "LNM" and character != "_":
            return " "
        if _loses_marks(character):
            return "".join(map(_plain, _bare(_bare(character).casefold())))
        return normalize("NFC", character.casefold()).replace("ё", "е")


def _loses_marks(character: str) -> bool:
    return name(character, "").startswith(("LATIN ", "GREEK "))


def _bare(text: str) -> str:
    """Without marks, those inside of letters too."""
    return "".join(one for one in normalize("NFKD", text) if category(one)[0] != "M")


def _plain(letter: str) -> str:
    """The letter that a Latin letter with a stroke or a hook is made of, such as l of ł."""
    found = _LETTER_WITH.fullmatch(name(letter, ""))
    return found[1].lower() if found else letter


_SEPARATED = _Separated()
_FOLDED = _Folded()


def words_of(text: str) -> Iterable[str]:
    """The words of a text in their order."""
    if text.isascii():
        return text.encode().translate(_ASCII).decode().split()
    if _RUSSIAN.fullmatch(text):
        return _RUN.findall(text.lower().replace("ё", "е"))
    return _words(text)


def words_text(text: str) -> str:
    """The words of a text in their order, each between two spaces: ` hello world `; two spaces if there are none."""
    return f" {' '.join(words_of(text))} "


def _words(text: str) -> Iterable[str]:
    runs = " ".join(run[:_RUN_CHARS_MAX] for run in text.translate(_SEPARATED).split())
    if not is_normalized("NFKC", runs):
        runs = normalize("NFKC", runs)
    for word in _without_marks(runs).translate(_FOLDED).split():
        begun = word
        while begun and category(begun[0])[0] == "M":
            begun = begun[1:]
        if begun:
            yield begun


def _without_marks(text: str) -> str:
    """Without the marks that stand beside Latin and Greek letters because there is no letter that has them inside."""
    return _MARKED.sub(lambda found: found[1] if _loses_marks(found[1]) else found[0], text)


def texts_of(content: str, file_names: Iterable[str]) -> str:
    """The words of a message: those of its content, and those of each of its files behind it."""
    text = words_text(content)
    for file_name in file_names:
        text += _FIELD_END + words_text(file_name)
    return text


def file_names_of(message: Message) -> Iterable[str]:
    """The names of the attached files."""
    return (attachment.name for attachment in message.attachments)


def index_words(content: str, file_names: Sequence[str], *, has_file: bool) -> set[str]:
    """What a store finds a message by: its words, cut, and a mark for what it has. See `Query.required`."""
    words = set(words_of(content))
    for file_name in file_names:
        words.update(words_of(file_name))
    if words and max(map(len, words)) > WORD_CHARS_MAX:
        words = set(map(cut, words))
    if has_file:
        words.add(mark("file"))
    if "://" in content and _LINK.search(content):
        words.add(mark("link"))
    return words


def cut(word: str) -> str:
    """The part of a word that stores keep."""
    return word[:WORD_CHARS_MAX]


def mark(has: Has) -> str:
    """The mark of messages that have this. No word begins so."""
    return f"!{has}"


@frozen
class Query:
    """What a message has to have: all the words, a word that begins with `prefix` (empty: nothing), all the phrases,
    each as `words_text` has it, and a file or a link."""

    words: Sequence[str] = ()
    prefix: str = ""
    phrases: Sequence[str] = ()
    has: Has | None = None

    @property
    def is_empty(self) -> bool:
        """Whether every message would do."""
        return not (self.words or self.prefix or self.phrases or self.has)

    def required(self) -> Sequence[str]:
        """Those of `index_words` that each found message has, the longest first, each once."""
        words = {cut(word) for word in self.words}
        words.update(cut(word) for phrase in self.phrases for word in phrase.split())
        marks = [mark(self.has)] if self.has else []
        return [*marks, *sorted(words, key=lambda word: (-len(word), word))]


def parse(text: str, has: Has | None = None) -> Query:
    """The query of a text. Its words are exact but for the last, which may be the beginning of a word; what stands
    between two `"` is a phrase of exact words, and the last one without a partner is ignored."""
    parts = text.split('"')
    if len(parts) % 2 == 0:
        parts[-2:] = [" ".join(parts[-2:])]
    words: list[str] = []
    phrases: list[str] = []
    prefix = ""
    for number, part in enumerate(parts):
        found = words_text(part).split()
        if not found:
            continue
        if prefix:
            words.append(prefix)
        prefix = ""
        if number % 2:
            phrases.append(f" {' '.join(found)} ")
        else:
            *exact, prefix = found
            words += exact
    return Query(tuple(words), prefix, tuple(phrases), has)


def has_letter_or_digit(text: str) -> bool:
    """Whether a query names anything that can be looked for."""
    return any(map(str.isalnum, text))


def matches(query: Query, content: str, file_names: Sequence[str], *, has_file: bool) -> bool:
    """Whether a message with this content and these files has all that the query asks for."""
    if query.has == "file" and not has_file:
        return False
    if query.has == "link" and not _LINK.search(content):
        return False
    if not file_names and not _may_match(query, content):
        return False
    text = texts_of(content, file_names)
    return (
        (not query.prefix or f" {query.prefix}" in text)
        and all(f" {word} " in text for word in query.words)
        and all(phrase in text for phrase in query.phrases)
    )


def _may_match(query: Query, content: str) -> bool:
    """False for most messages that do not match, in a tenth of the time."""
    if content.isascii():
        text = content.lower()
    elif _RUSSIAN.fullmatch(content):
        text = content.lower().replace("ё", "е")
    else:
        return True
    return query.prefix in text and all(word in text for word in query.words)


def matches_message(query: Query, message: Message) -> bool:
    """The same of a message that is not deleted."""
    return matches(query, message.content, list(file_names_of(message)), has_file=bool(message.attachments))
