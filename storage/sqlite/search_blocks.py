"""The index of the words of messages, in blocks of messages with consecutive ids.

A row says at which places of a block a word stands, each place being a character, in any order. A block is written
once, when all of its ids are given out, and its rows are neighbours in the table, in the order of insertion. (One row
for each word of each message would change a page for each word.) The messages behind the last block are few; a search
looks through them, so a send does nothing for the index, and a message is found at once.

An edit or a deletion changes the rows of the words in its own transaction, so that nothing of a deleted message is
left. That is why this is no FTS5 table: before SQLite 3.42 there is no way to take a word out of FTS5's segments, but
to merge the whole index. Besides words there are `#` and the id of the chat, `@` and the id of the sender, and the
marks of `domain.search`.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from unicodedata import unidata_version

import orjson

from domain.frozen import frozen
from domain.search import RULES, index_words

BLOCK_MESSAGES = 1024

FORM = f"{RULES} {unidata_version}"
"""A block of another form has other words than `index_words` finds, and is made anew."""

_FIRST_CHARACTER = 0x400

_ROWS_AT_ONCE = 256
"""Rows in a statement: the writer's thread gives the interpreter lock away at each one."""

_READ = """
SELECT count(*), total(changed_seq),
    json_group_array(json_array(id, chat_id, sender_id, content, extra, created_at)) FILTER (WHERE deleted = 0)
FROM messages WHERE id BETWEEN ? AND ?
"""
_STAMP = "SELECT count(*), total(changed_seq) FROM messages WHERE id BETWEEN ? AND ?"

_OF_MESSAGES = """
SELECT messages.id, chat_id, sender_id, content, extra
FROM json_each(?) AS wanted CROSS JOIN messages ON messages.id = wanted.value
WHERE deleted = 0 AND EXISTS (SELECT 1 FROM search_blocks WHERE block = (messages.id - 1) / ?)
"""
_FORGET = """
UPDATE search_words SET places = without_places(places, ?)
WHERE block = ? AND word IN (SELECT value FROM json_each(?))
"""
_FORGET_WORDS = """
DELETE FROM search_words WHERE block = ? AND word IN (SELECT value FROM json_each(?)) AND places = ''
"""
_REMEMBER = """
INSERT INTO search_words (block, word, places) SELECT ?, value, ? FROM json_each(?) WHERE true
ON CONFLICT (block, word) DO UPDATE SET places = places || excluded.places
"""


@frozen
class Block:
    """What is to be written of a block. `stamp` is another one if any of its messages has changed or is gone."""

    number: int
    stamp: tuple[int, float]
    oldest: int
    newest: int
    rows: Sequence[tuple[str, str]]


def block_of(message_id: int) -> int:
    return (message_id - 1) // BLOCK_MESSAGES


def ids_of(block: int) -> tuple[int, int]:
    """The first and the last id of a block."""
    return block * BLOCK_MESSAGES + 1, (block + 1) * BLOCK_MESSAGES


def character_of(message_id: int) -> str:
    """The place of a message in its block, as a row has it: a character that takes two bytes."""
    return chr(_FIRST_CHARACTER + (message_id - 1) % BLOCK_MESSAGES)


def id_at(block: int, character: str) -> int:
    """The id of the message at a place of a block."""
    return block * BLOCK_MESSAGES + 1 + ord(character) - _FIRST_CHARACTER


def read(db: sqlite3.Connection, number: int) -> Block:
    """Makes a block of its messages; for a reader's thread."""
    count, changed, text = db.execute(_READ, ids_of(number)).fetchone()
    places: defaultdict[str, str] = defaultdict(str)
    times: list[int] = []
    for message_id, chat_id, sender_id, content, extra, created_at in orjson.loads(text):
        character = character_of(message_id)
        for word in _words(chat_id, sender_id, content, extra):
            places[word] += character
        times.append(created_at)
    rows = sorted(places.items())
    return Block(number, (count, changed), min(times, default=0), max(times, default=0), rows)


def write(db: sqlite3.Connection, block: Block) -> bool:
    """Writes a block, in place of an earlier form of it. False if messages have changed since it was read: then nothing
    is written."""
    if db.execute(_STAMP, ids_of(block.number)).fetchone() != block.stamp:
        return False
    db.execute("DELETE FROM search_words WHERE block = ?", (block.number,))
    for start in range(0, len(block.rows), _ROWS_AT_ONCE):
        some = block.rows[start : start + _ROWS_AT_ONCE]
        values = [value for word, places in some for value in (block.number, word, places)]
        rows = ", ".join(["(?, ?, ?)"] * len(some))
        db.execute(f"INSERT INTO search_words (block, word, places) VALUES {rows}", values)  # noqa: S608 -- no input
    db.execute(
        "INSERT OR REPLACE INTO search_blocks (block, form, oldest, newest) VALUES (?, ?, ?, ?)",
        (block.number, FORM, block.oldest, block.newest),
    )
    return True


def forget(db: sqlite3.Connection, message_ids: Iterable[int]) -> None:
    """Takes messages out of the index, before they are changed, deleted or removed."""
    for block, messages in _indexed(db, message_ids).items():
        words = json.dumps(list(set().union(*messages.values())))
        db.execute(_FORGET, ("".join(messages), block, words))
        db.execute(_FORGET_WORDS, (block, words))


def remember(db: sqlite3.Connection, message_id: int) -> None:
    """Puts a message into the index again, after it was changed, if its block is there."""
    for block, messages in _indexed(db, [message_id]).items():
        for character, words in messages.items():
            db.execute(_REMEMBER, (block, character, json.dumps(list(words))))


def without_places(places: str, gone: str) -> str:
    """For `forget`: the places but for those that are gone."""
    return "".join(character for character in places if character not in gone)


def _indexed(
    db: sqlite3.Connection, message_ids: Iterable[int]
) -> Mapping[int, Mapping[str, Collection[str]]]:
    """The words of those of the messages whose blocks are in the index, by block and place."""
    found: defaultdict[int, dict[str, Collection[str]]] = defaultdict(dict)
    wanted = json.dumps(list(message_ids))
    for message_id, *message in db.execute(_OF_MESSAGES, (wanted, BLOCK_MESSAGES)).fetchall():
        found[block_of(message_id)][character_of(message_id)] = _words(*message)
    return found


def _words(chat_id: int, sender_id: int, content: str, extra: str | None) -> Collection[str]:
    names = file_names(extra)
    words = index_words(content, names, has_file=bool(names))
    words.add(f"#{chat_id}")
    words.add(f"@{sender_id}")
    return words


def file_names(extra: str | None) -> Sequence[str]:
    """The names of the files in the column `extra` of a message, one for each file."""
    if extra is None:
        return ()
    attachments: Sequence[Mapping[str, Any]] = orjson.loads(extra).get("attachments", ())
    return [str(attachment.get("name", "")) for attachment in attachments]
