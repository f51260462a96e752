"""Reads a page of the messages that a search finds.

Segments are read newest first, some at a time and more each time, until the page is full and no other segment can add
to it. One statement asks for many segments, and answers in one row: a reader's thread gives the interpreter lock away
at each row of each statement, and while the event loop is busy it waits to get the lock back.
"""

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import orjson

from domain.models import Message
from domain.search import cut, matches, matches_message
from storage.search import Place, SearchRequest, page_of, place_of
from storage.sqlite import chat_list
from storage.sqlite.rows import message_of
from storage.sqlite.search_segments import ROWS, file_names, id_at, ids_of, rows_of, segments_made

_SEGMENTS_AT_FIRST = 4
_MORE_EACH_TIME = 4

_MESSAGES_AT_ONCE = 8_192
"""How many messages that are not indexed are in memory at the same time."""

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
_NOT_INDEXED = f"""
SELECT json_group_array(json_array(id, content, extra)) FROM messages WHERE id BETWEEN :first AND :last AND {_HERE}
"""  # noqa: S608 -- no input
_MESSAGES = f"""
SELECT messages.* FROM json_each(:ids) AS found CROSS JOIN messages ON messages.id = found.value WHERE {_HERE}
ORDER BY created_at DESC, chat_id DESC, seq DESC
"""  # noqa: S608 -- no input


def page(
    db: sqlite3.Connection, user_id: int, request: SearchRequest, after: Place
) -> tuple[Sequence[Message], str | None]:
    """See `storage.ports.Search.messages`. All segments are in the index but the last few."""
    chat_ids = [
        one for one in chat_list.ids_of(db, user_id) if request.chat_id is None or one == request.chat_id
    ]
    if not chat_ids:
        return (), None
    search = _Search(db, request, chat_ids, after)
    made = segments_made(db)
    search.look_behind(made)
    for segments in _growing(db.execute(_SEGMENTS, (made, after.at)).fetchall()):
        if search.is_done(segments[0][1]):
            break
        search.look_into([segment for segment, _ in segments])
    return page_of(search.found, request)


def _growing(segments: Sequence[tuple[int, int]]) -> Iterator[Sequence[tuple[int, int]]]:
    size, start = _SEGMENTS_AT_FIRST, 0
    while start < len(segments):
        yield segments[start : start + size]
        start += size
        size *= _MORE_EACH_TIME


class _Search:
    """`found` has the first messages of those that were looked at, one more than fit on the page."""

    def __init__(
        self, db: sqlite3.Connection, request: SearchRequest, chat_ids: Sequence[int], after: Place
    ) -> None:
        self._db = db
        self._query = request.query
        self._most = request.limit + 1
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
        self.found: list[Message] = []

    def is_done(self, newest: int) -> bool:
        """Whether a message of a segment whose newest one was created then can no longer come into the page."""
        return len(self.found) == self._most and place_of(self.found[-1]).at > newest

    def look_behind(self, made: int) -> None:
        """Looks through the messages behind the segments that are made."""
        (last,) = self._db.execute("SELECT coalesce(max(id), 0) FROM messages").fetchone()
        for first in range(ids_of(made)[0], last + 1, _MESSAGES_AT_ONCE):
            ids = {"first": first, "last": first + _MESSAGES_AT_ONCE - 1}
            row = self._db.execute(_NOT_INDEXED, ids | self._where).fetchone()
            self._add(
                message_id
                for message_id, content, extra in orjson.loads(row[0])
                if matches(self._query, content, names := file_names(extra), has_file=bool(names))
            )

    def look_into(self, segments: Sequence[int]) -> None:
        """Looks up what the index has in these segments."""
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
        self._add(self._in_all(orjson.loads(row[0])))

    def _in_all(self, segments: Iterable[Sequence[Any]]) -> Iterator[int]:
        """The ids of the messages that have all that was looked up, of which there are the places of each word, and
        whole rows for the prefix and for the chats."""
        for segment, *columns in segments:
            places = [set(column) for column in columns[: len(self._words)]]
            for column, pattern in zip(columns[len(self._words) :], self._patterns, strict=True):
                places.append(set().union(*pattern.findall(column or "")))
            for character in set.intersection(*places):
                yield id_at(segment, character)

    def _add(self, message_ids: Iterable[int]) -> None:
        ids = list(message_ids)
        if not ids:
            return
        rows = self._db.execute(_MESSAGES, {"ids": json.dumps(ids), **self._where})
        new: list[Message] = []
        for message in map(message_of, rows):
            if matches_message(self._query, message):
                new.append(message)
                if len(new) == self._most:
                    break
        self.found = sorted([*self.found, *new], key=lambda one: place_of(one).key, reverse=True)
        del self.found[self._most :]


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
