"""Reads a page of the messages that a search finds.

Segments are read newest first, some at a time and more each time, until the page is full and no other segment can add
to it. One statement asks for many segments, and answers in one row: a reader's thread gives the interpreter lock away
at each row of each statement, and while the event loop is busy it waits to get the lock back.

A search ends before its page is full when it has taken `COST_MAX_S`: a phrase of frequent words may be in none of a
million messages that have the words. The next page goes on behind the last message that was looked at.
"""

import json
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import orjson

from domain.models import Message
from domain.search import cut, matches
from storage.cursor import BEYOND
from storage.search import COST_MAX_S, Place, SearchRequest, page_of, place_of
from storage.sqlite import chat_list
from storage.sqlite.resting import Rests
from storage.sqlite.rows import message_of
from storage.sqlite.search_segments import ROWS, file_names, id_at, ids_of, rows_of, segments_made

_SEGMENTS_AT_FIRST = 4
_MORE_EACH_TIME = 4

_SEGMENTS_AT_ONCE_MAX = 64
"""The rows of so many segments are in memory at the same time: of messages of 10,000 characters, up to 30 MB."""

_ORDERED_AT_ONCE = 1_024
"""The messages of segments are put in order when there are so many, or more in one segment."""

_CONTENTS_AT_ONCE = 128
"""How many contents are in memory at the same time, up to 60 KB each as JSON."""

_WORDS_MAX = 8
"""How many words of a query the index is asked for, the longest; messages are compared with the whole query anyway."""

_CHATS_MAX = 16
"""Of a user with more chats, all messages with the words are looked up; else only those in the user's chats."""

_SEGMENTS = """
SELECT segment, newest FROM search_segments WHERE segment < ? AND oldest <= ? ORDER BY newest DESC, segment DESC
"""

# The + keeps SQLite from going through all messages of the chats.
_HERE = """
deleted = 0 AND +chat_id IN (SELECT value FROM json_each(:chats)) AND (:sender IS NULL OR sender_id = :sender)
AND (created_at, chat_id, seq) < (:at, :chat, :seq)
"""
_PLACES = f"""
SELECT json_group_array(json_array(created_at, chat_id, seq, messages.id)) FROM {{}} AND {_HERE}
"""  # noqa: S608 -- no input
_NOT_INDEXED = _PLACES.format("messages WHERE messages.id BETWEEN :first AND :last")
_OF_IDS = _PLACES.format("json_each(:ids) AS found CROSS JOIN messages WHERE messages.id = found.value")
# CROSS JOIN: in the order of the ids.
_EACH = "FROM json_each(?) AS found CROSS JOIN messages ON messages.id = found.value"
_CONTENTS = (
    f"SELECT json_group_array(json_array(created_at, chat_id, seq, messages.id, content, extra)) {_EACH}"
)
_MESSAGES = f"SELECT messages.* {_EACH}"

_NEVER = -BEYOND
"""Before every message."""

_Group = tuple[Sequence[int], int]
"""Ids of messages in the order of a page, and when the newest was created of all that come behind them."""


def page(
    db: sqlite3.Connection, user_id: int, request: SearchRequest, after: Place
) -> tuple[Sequence[Message], str | None]:
    """See `storage.ports.Search.messages`. All segments are in the index but the last few."""
    until_s = time.thread_time() + COST_MAX_S
    chat_ids = [
        one for one in chat_list.ids_of(db, user_id) if request.chat_id is None or one == request.chat_id
    ]
    if not chat_ids:
        return (), None
    search = _Search(db, request, chat_ids, after, until_s)
    search.run()
    return search.page()


def _growing(count: int) -> Iterator[slice]:
    size, start = _SEGMENTS_AT_FIRST, 0
    while start < count:
        yield slice(start, start + size)
        start += size
        size = min(size * _MORE_EACH_TIME, _SEGMENTS_AT_ONCE_MAX)


class _Search:
    """`_found` has the first messages of those that were looked at, one more than fit on the page. `_ended` is where
    the search has ended because of its cost: everything before it was looked at."""

    def __init__(
        self,
        db: sqlite3.Connection,
        request: SearchRequest,
        chat_ids: Sequence[int],
        after: Place,
        until_s: float,
    ) -> None:
        self._db = db
        self._request = request
        self._query = request.query
        self._most = request.limit + 1
        self._after = after
        self._until_s = until_s
        self._where = {
            "chats": json.dumps(chat_ids),
            "sender": request.sender_id,
            "at": after.at,
            "chat": after.chat_id,
            "seq": after.seq,
        }
        words = [*self._query.required()[:_WORDS_MAX]]
        if request.sender_id is not None:
            words.append(f"@{request.sender_id}")
        if request.chat_id is not None:
            words.append(f"#{request.chat_id}")
        self._words = words
        few = request.chat_id is None and len(chat_ids) <= _CHATS_MAX
        self._chats = [f"#{one}" for one in chat_ids] if few else []
        self._prefix = cut(self._query.prefix)
        self._patterns = []
        if self._prefix:
            self._patterns.append(re.compile(f"\n{re.escape(self._prefix)}[^\t]*\t([^\n]*)"))
        if self._chats:
            any_chat = "|".join(self._chats)
            self._patterns.append(re.compile(f"\n(?:{any_chat})\t([^\n]*)"))
        self._found: list[Message] = []
        self._ended: Place | None = None
        self._rests = Rests()

    def run(self) -> None:
        """Looks at messages until the page is full or the search has cost too much."""
        for ids, rest_at in self._groups():
            self._look_at(ids, rest_at)
            is_full = len(self._found) == self._most and place_of(self._found[-1]).at > rest_at
            if is_full or self._ended is not None:
                return
            before_rest = Place(rest_at + 1, 0, 0)
            if rest_at > _NEVER and before_rest.key < self._after.key and self._costs_too_much():
                self._ended = before_rest
                return

    def page(self) -> tuple[Sequence[Message], str | None]:
        """What was found, and the cursor of the next page."""
        if self._ended is None:
            return page_of(self._found, self._request)
        before = [message for message in self._found if place_of(message).key >= self._ended.key]
        messages, following = page_of(before, self._request)
        return messages, following or str(self._ended)

    def _costs_too_much(self) -> bool:
        return time.thread_time() > self._until_s

    def _groups(self) -> Iterator[_Group]:
        """The messages that may match: those behind the segments that are made, then those of the segments, newest
        first."""
        made = segments_made(self._db)
        segments = self._db.execute(_SEGMENTS, (made, self._after.at)).fetchall()
        rest_at = [newest for _, newest in segments] + [_NEVER]
        (last,) = self._db.execute("SELECT coalesce(max(id), 0) FROM messages").fetchone()
        yield self._in_order(_NOT_INDEXED, {"first": ids_of(made)[0], "last": last}), rest_at[0]
        for some in _growing(len(segments)):
            numbers = [segment for segment, _ in segments[some]]
            found = self._look_up(numbers)
            ids: list[int] = []
            for index, number in enumerate(numbers, some.start + 1):
                ids += found.get(number, ())
                if len(ids) >= _ORDERED_AT_ONCE or number == numbers[-1]:
                    yield self._in_order(_OF_IDS, {"ids": json.dumps(ids)}) if ids else (), rest_at[index]
                    ids = []

    def _in_order(self, sql: str, values: Mapping[str, Any]) -> Sequence[int]:
        places = orjson.loads(self._db.execute(sql, {**values, **self._where}).fetchone()[0])
        places.sort(reverse=True)
        return [message_id for *_, message_id in places]

    def _look_up(self, segments: Sequence[int]) -> Mapping[int, Sequence[int]]:
        """By segment, the ids of the messages that the index has for the query."""
        values: dict[str, str | int] = {"segments": json.dumps(segments), "end": "\n"}
        for number, word in enumerate(self._words):
            line = f"\n{word}\t"
            values |= {f"word{number}": line, f"row{number}": rows_of(word)[0], f"size{number}": len(line)}
        for number, chat in enumerate(self._chats):
            values[f"chat{number}"] = f"\n{chat}\t"
        prefix_rows = 0
        if self._prefix:
            values["prefix"] = f"\n{self._prefix}"
            first, last = rows_of(self._prefix, begins=True)
            values["first"] = first
            prefix_rows = last - first + 1
        chat_rows = tuple(sorted({rows_of(chat)[0] for chat in self._chats}))
        sql = _lookup(len(self._words), prefix_rows, len(self._chats), chat_rows)
        row = self._db.execute(sql, values).fetchone()
        return {segment: self._in_all(segment, columns) for segment, *columns in orjson.loads(row[0])}

    def _in_all(self, segment: int, columns: Sequence[str]) -> Sequence[int]:
        """The ids of the messages that have all that was looked up, of which there are the places of each word, and
        whole rows for the prefix and for the chats."""
        places = [set(column) for column in columns[: len(self._words)]]
        for column, pattern in zip(columns[len(self._words) :], self._patterns, strict=True):
            places.append(set().union(*pattern.findall(column or "")))
        return [id_at(segment, character) for character in set.intersection(*places)]

    def _look_at(self, ids: Sequence[int], rest_at: int) -> None:
        """Compares messages, which are in order, with the query, until the page is full with them. Ends the search in
        front of the first that is behind the place at which it has cost too much, if what is left comes behind that
        place too."""
        found: list[int] = []
        for at, chat_id, seq, message_id, content, extra in self._contents(ids):
            names = file_names(extra)
            if matches(self._query, content, names, has_file=bool(names)):
                found.append(message_id)
                if len(found) == self._most:
                    break
            if at > rest_at and self._costs_too_much():
                self._ended = Place(at, chat_id, seq)
                break
            self._rests.pause()
        if found:
            messages = map(message_of, self._db.execute(_MESSAGES, (json.dumps(found),)))
            self._found += messages
            self._found.sort(key=lambda one: place_of(one).key, reverse=True)
            del self._found[self._most :]

    def _contents(self, ids: Sequence[int]) -> Iterator[Sequence[Any]]:
        """The place, the id, the content and the column `extra` of each."""
        start, size = 0, self._most
        while start < len(ids):
            some = json.dumps(ids[start : start + size])
            yield from orjson.loads(self._db.execute(_CONTENTS, (some,)).fetchone()[0])
            start += size
            size = _CONTENTS_AT_ONCE


@cache
def _lookup(words: int, prefix_rows: int, chats: int, chat_rows: Sequence[int]) -> str:
    """The statement that gives, of the segments that have all the words, the places of each, then the rows with words
    that begin as asked, and those with chats."""
    columns, joins, conditions = ["wanted.value"], "", list[str]()
    for number in range(words):
        row, word = f"row{number}.words", f":word{number}"
        behind = f"substr({row}, instr({row}, {word}) + :size{number})"
        columns.append(f"substr({behind}, 1, instr({behind}, :end) - 1)")
        joins += " CROSS" + _row(f"row{number}", f":row{number}") + f" AND instr({row}, {word})"
    begun = [f"begun{number}" for number in range(prefix_rows)]
    for number, alias in enumerate(begun):
        joins += " LEFT" + _row(alias, f":first + {number}")
    if begun:
        columns.append(" || ".join(f"coalesce({alias}.words, '')" for alias in begun))
        conditions.append(f"({' OR '.join(f'instr({alias}.words, :prefix)' for alias in begun)})")
    if chats:
        any_chat = " OR ".join(f"instr(words, :chat{number})" for number in range(chats))
        ids = ", ".join(f"wanted.value * {ROWS} + {row}" for row in chat_rows)
        rows = f"FROM search_words WHERE id IN ({ids}) AND ({any_chat})"
        columns.append(f"(SELECT group_concat(words, '') {rows})")
        conditions.append(f"EXISTS (SELECT 1 {rows})")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return (
        f"SELECT json_group_array(json_array({', '.join(columns)}))"  # noqa: S608 -- no input
        f" FROM json_each(:segments) AS wanted{joins}{where}"
    )


def _row(alias: str, number: str) -> str:
    return f" JOIN search_words AS {alias} ON {alias}.id = wanted.value * {ROWS} + {number}"
