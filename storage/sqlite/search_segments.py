"""The index of the words of messages, in segments of messages with consecutive ids.

A segment has up to 128 rows, one for each beginning of a word. Each line of a row is a word and, behind a tab, the
places of the messages that have it, each place being a character for private use. Besides words there are `#` and the
id of the chat, `@` and the id of the sender, and the marks of `domain.search`.

A segment is written once, when all of its ids are given out. The messages behind the last segment are few, and a search
looks through them. So a send does nothing for the index, and a message is found at once.

An edit or a deletion takes the places of the message out of its segment, in its own transaction and whatever its words
were; a word without another place goes with them. That is why this is no FTS5 table: before SQLite 3.42 the only way to
take a word out of FTS5's segments is to merge the whole index. And that is why words have no rows of their own: SQLite
moves small rows of an index between pages, and leaves copies behind that `secure_delete` does not see.
"""

import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any
from unicodedata import unidata_version

import orjson

from domain.frozen import frozen
from domain.search import RULES, index_words
from storage.sqlite.resting import Rests

SEGMENT_MESSAGES = 1024

FORM = f"{RULES} {unidata_version}"
"""A segment of another form has other words than `index_words` finds, and is made anew."""

ROWS = 128
"""Row numbers that belong to each segment."""

_FIRST_CHARACTER = 0xE000
_FIRST_LETTERS, _SECOND_LETTERS = 32, 4

_WITHOUT_PLACE = re.compile(r"\n[^\t]*\t(?=\n)")
_LINE = re.compile(r"\n([^\t]*)\t([^\n]*)(?=\n)")

_READ = """
SELECT count(*), total(changed_seq),
    json_group_array(json_array(id, chat_id, sender_id, content, extra, created_at)) FILTER (WHERE deleted = 0)
FROM messages WHERE id BETWEEN ? AND ?
"""
_STAMP = "SELECT count(*), total(changed_seq) FROM messages WHERE id BETWEEN ? AND ?"
_MADE = "SELECT coalesce(min(segment) FILTER (WHERE form <> ?), count(*)) FROM search_segments"
_FORGET = "UPDATE search_words SET words = without_places(words, ?) WHERE id BETWEEN ? AND ? AND ({})"
_FORGOTTEN_AT_ONCE = 32
_MESSAGE = """
SELECT chat_id, sender_id, content, extra FROM messages
WHERE id = ? AND EXISTS (SELECT 1 FROM search_segments WHERE segment = ?)
"""
_REMEMBER = """
INSERT INTO search_words (id, words) VALUES (:row, with_place(char(10), :place, :words))
ON CONFLICT (id) DO UPDATE SET words = with_place(words, :place, :words)
"""


@frozen
class Segment:
    """What is to be written of a segment. `stamp` is another one if any of its messages has changed or is gone."""

    number: int
    stamp: tuple[int, float]
    oldest: int
    newest: int
    rows: Sequence[tuple[int, str]]


def segment_of(message_id: int) -> int:
    return (message_id - 1) // SEGMENT_MESSAGES


def ids_of(segment: int) -> tuple[int, int]:
    """The first and the last id of a segment."""
    return segment * SEGMENT_MESSAGES + 1, (segment + 1) * SEGMENT_MESSAGES


def segments_made(db: sqlite3.Connection) -> int:
    """How many segments from the first on are in the index and up to date: they are made one after the other, and made
    anew in the same order."""
    (made,) = db.execute(_MADE, (FORM,)).fetchone()
    return int(made)


def rows_of(word: str, *, begins: bool = False) -> tuple[int, int]:
    """The first and the last row of a segment in which the word is, or words that begin so."""
    row = ord(word[0]) % _FIRST_LETTERS * _SECOND_LETTERS
    if len(word) == 1 and begins:
        return row, row + _SECOND_LETTERS - 1
    row += ord(word[1]) % _SECOND_LETTERS if len(word) > 1 else 0
    return row, row


def character_of(message_id: int) -> str:
    """The place of a message in its segment."""
    return chr(_FIRST_CHARACTER + (message_id - 1) % SEGMENT_MESSAGES)


def id_at(segment: int, character: str) -> int:
    """The id of the message at a place of a segment."""
    return segment * SEGMENT_MESSAGES + 1 + ord(character) - _FIRST_CHARACTER


def read(db: sqlite3.Connection, number: int) -> Segment:
    """Makes a segment of its messages; for a reader's thread."""
    count, changed, text = db.execute(_READ, ids_of(number)).fetchone()
    places: defaultdict[str, str] = defaultdict(str)
    times: list[int] = []
    character_before = _FIRST_CHARACTER - ids_of(number)[0]
    rests = Rests()
    for message_id, chat_id, sender_id, content, extra, created_at in orjson.loads(text):
        character = chr(message_id + character_before)
        for word in _words(chat_id, sender_id, content, extra):
            places[word] += character
        times.append(created_at)
        rests.pause()
    rows = [(number * ROWS + row, text) for row, text in _texts(places).items()]
    return Segment(number, (count, changed), min(times, default=0), max(times, default=0), sorted(rows))


def write(db: sqlite3.Connection, segment: Segment) -> bool:
    """Writes a segment, in place of an earlier form of it. Writes nothing and returns False if messages have changed
    since it was read."""
    if db.execute(_STAMP, ids_of(segment.number)).fetchone() != segment.stamp:
        return False
    db.execute("DELETE FROM search_words WHERE id BETWEEN ? AND ?", _all_rows(segment.number))
    values = [value for row in segment.rows for value in row]
    if values:
        rows = ", ".join(["(?, ?)"] * len(segment.rows))
        db.execute(f"INSERT INTO search_words (id, words) VALUES {rows}", values)  # noqa: S608 -- no input
    db.execute(
        "INSERT OR REPLACE INTO search_segments (segment, form, oldest, newest) VALUES (?, ?, ?, ?)",
        (segment.number, FORM, segment.oldest, segment.newest),
    )
    return True


def forget(db: sqlite3.Connection, message_ids: Iterable[int]) -> None:
    """Takes messages out of the index, if they are in it."""
    gone: defaultdict[int, str] = defaultdict(str)
    for message_id in message_ids:
        gone[segment_of(message_id)] += character_of(message_id)
    for segment, places in gone.items():
        for start in range(0, len(places), _FORGOTTEN_AT_ONCE):
            some = places[start : start + _FORGOTTEN_AT_ONCE]
            db.execute(_forget_sql(len(some)), (some, *_all_rows(segment), *some))


def remember(db: sqlite3.Connection, message_id: int) -> None:
    """Puts a message into the index, if its segment is there and the message is not in it."""
    segment = segment_of(message_id)
    found = db.execute(_MESSAGE, (message_id, segment)).fetchone()
    if found is None:
        return
    by_row: defaultdict[int, list[str]] = defaultdict(list)
    for word in _words(*found):
        by_row[rows_of(word)[0]].append(word)
    for row, words in by_row.items():
        values = {
            "row": segment * ROWS + row,
            "place": character_of(message_id),
            "words": json.dumps(words),
        }
        db.execute(_REMEMBER, values)


def add_functions(db: sqlite3.Connection) -> None:
    """Gives the writer's connection what `forget` and `remember` call."""
    db.create_function("without_places", 2, without_places, deterministic=True)
    db.create_function("with_place", 3, with_place, deterministic=True)


def without_places(row: str, gone: str) -> str:
    """A row without these places, and without the words that have no other."""
    left = row
    for place in gone:
        left = left.replace(place, "")
    return row if len(left) == len(row) else _WITHOUT_PLACE.sub("", left)


def with_place(row: str, place: str, words: str) -> str:
    """A row with a place at each word of a JSON array."""
    lines = dict(_LINE.findall(row))
    for word in json.loads(words):
        lines[word] = lines.get(word, "") + place
    return "".join(f"\n{word}\t{places}" for word, places in lines.items()) + "\n"


def file_names(extra: str | None) -> Sequence[str]:
    """The names of the files in the column `extra` of a message, one for each file."""
    if extra is None:
        return ()
    attachments: Sequence[Mapping[str, Any]] = orjson.loads(extra).get("attachments", ())
    return [str(attachment.get("name", "")) for attachment in attachments]


@cache
def _forget_sql(count: int) -> str:
    return _FORGET.format(" OR ".join(["instr(words, ?)"] * count))


def _all_rows(segment: int) -> tuple[int, int]:
    return segment * ROWS, (segment + 1) * ROWS - 1


def _texts(places: Mapping[str, str]) -> Mapping[int, str]:
    """The text of each row."""
    rows = _RowsByBeginning()
    lines: defaultdict[int, list[str]] = defaultdict(list)
    for word, characters in places.items():
        lines[rows[word[:2]]].append(f"{word}\t{characters}")
    return {row: "\n" + "\n".join(some) + "\n" for row, some in lines.items()}


class _RowsByBeginning(dict[str, int]):
    """The row of a word by its first two letters."""

    def __missing__(self, beginning: str) -> int:
        row = self[beginning] = rows_of(beginning)[0]
        return row


def _words(chat_id: int, sender_id: int, content: str, extra: str | None) -> Collection[str]:
    names = file_names(extra) if extra else ()
    words = index_words(content, names, has_file=bool(names))
    words.add(f"#{chat_id}")
    words.add(f"@{sender_id}")
    return words
