"""Writes how long searches take on a SQLite store with many messages: `python -m benchmarks.search 1000000`.

The messages are inserted directly, into a file in the temporary directory, and indexed as those of an earlier version.
Words are drawn with Zipf frequencies; a tenth of the messages is Russian.
"""

import asyncio
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from statistics import median, quantiles

from domain.search import parse
from storage.errors import NotIndexed
from storage.search import SearchRequest
from storage.sqlite import SqliteStore
from storage.sqlite.connection import connect
from storage.sqlite.schema import upgrade

CHATS = 1_000
VOCABULARY = 50_000
WORDS = 10
CHATS_OF = {1: range(1, 2), 2: range(1, 51), 3: range(1, CHATS + 1)}
"""By user id, the chats they are in. Chat 1 has one message in a thousand."""

RUNS = 15
_AT_ONCE = 10_000


def words(dice: random.Random) -> Sequence[str]:
    """Words by frequency, the most frequent first."""
    letters = ("etaoinshrdlcumwfgypbvk", "оеаинтсрвлкмдпуяыьгзб")
    made = dict[str, None]()
    while len(made) < VOCABULARY:
        alphabet = letters[dice.random() < 0.1]
        made["".join(dice.choices(alphabet, k=dice.randint(2, 9)))] = None
    return list(made)


def rows(dice: random.Random, vocabulary: Sequence[str], count: int) -> Iterator[tuple[object, ...]]:
    weights = list(accumulate(1 / rank for rank in range(1, len(vocabulary) + 1)))
    heads = [0] * (CHATS + 1)
    for number in range(1, count + 1):
        chat_id = dice.randint(1, CHATS)
        heads[chat_id] += 1
        seq = heads[chat_id]
        content = " ".join(dice.choices(vocabulary, cum_weights=weights, k=WORDS))
        yield (
            number,
            chat_id,
            seq,
            seq,
            dice.randint(1, 3),
            content,
            "text",
            1_700_000_000_000_000 + number,
            seq,
        )


def fill(path: Path, vocabulary: Sequence[str], count: int) -> None:
    dice = random.Random(2)
    db = connect(path)
    upgrade(db)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("BEGIN")
    insert = (
        "INSERT INTO messages (id, chat_id, seq, changed_seq, sender_id, content, message_type, created_at, run_seq)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    )
    db.executemany(insert, rows(dice, vocabulary, count))
    for chat_id in range(1, CHATS + 1):
        db.execute(
            "INSERT INTO chats (id, name, chat_type, created_at, created_by, member_count, activity, head_seq)"
            " SELECT ?, 'x', 'group', 0, 1, 3, 0, count(*) FROM messages WHERE chat_id = ?",
            (chat_id, chat_id),
        )
    for user_id, chat_ids in CHATS_OF.items():
        db.executemany(
            "INSERT INTO members (chat_id, user_id, role, joined_at, read_seq) VALUES (?, ?, 'member', 0, 0)",
            [(chat_id, user_id) for chat_id in chat_ids],
        )
    db.execute("COMMIT")
    db.close()


def queries(vocabulary: Sequence[str]) -> dict[str, str]:
    latin = [word for word in vocabulary if word.isascii()]
    long = [word for word in latin if len(word) > 5]
    return {
        "the most frequent word": f'"{latin[0]}"',
        "a frequent word": f'"{latin[100]}"',
        "a rare word": f'"{long[-100]}"',
        "a word that nobody wrote": "zzzzzzzz",
        "two frequent words": f'{latin[10]} "{latin[20]}"',
        "a frequent and a rare word": f'{latin[10]} "{long[-200]}"',
        "a phrase": f'"{latin[5]} {latin[9]}"',
        "the beginning of a word, one letter": "t",
        "two letters": "ti",
        "four letters": long[1000][:4],
        "two words, the second begun": f"{latin[50]} {long[500][:3]}",
    }


async def indexed(store: SqliteStore) -> float:
    """Waits until all messages are indexed, and returns how long that took."""
    began_s = time.perf_counter()
    while True:
        try:
            await store.search.messages(1, SearchRequest(parse("zzzzzzzz"), 20))
        except NotIndexed:
            await asyncio.sleep(0.5)
        else:
            return time.perf_counter() - began_s


def show(line: str) -> None:
    sys.stdout.write(line + "\n")


async def measure(store: SqliteStore, vocabulary: Sequence[str]) -> None:
    every: list[float] = []
    for user_id, chat_ids in CHATS_OF.items():
        show(f"a user with {len(chat_ids)} of {CHATS} chats: found, p50 ms, p95 ms")
        for title, text in queries(vocabulary).items():
            times_ms: list[float] = []
            for _ in range(RUNS):
                began_s = time.perf_counter()
                found, cursor = await store.search.messages(user_id, SearchRequest(parse(text), 20))
                times_ms.append((time.perf_counter() - began_s) * 1000)
            every += times_ms
            more = "+" if cursor else ""
            show(
                f"  {title:40} {len(found):3}{more:1} {median(times_ms):8.1f} {quantiles(times_ms, n=20)[-1]:8.1f}"
            )
    show(f"all: p50 {median(every):.1f} ms, p95 {quantiles(every, n=20)[-1]:.1f} ms")


async def main(count: int) -> None:
    vocabulary = words(random.Random(1))
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "vestnik.db"
        fill(path, vocabulary, count)
        size = path.stat().st_size
        store = await SqliteStore.open(path)
        show(f"{count} messages indexed in {await indexed(store):.1f} s")
        await measure(store, vocabulary)
        await store.close()
        with sqlite3.connect(path) as db:
            (distinct,) = db.execute("SELECT count(*) FROM search_words").fetchone()
        more = path.stat().st_size - size
        show(f"{size / count:.0f} bytes a message, {more / count:.0f} more with the index of {distinct} rows")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
