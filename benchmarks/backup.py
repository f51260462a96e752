"""Writes how long a backup and its restoration take, and how much memory: `python -m benchmarks.backup 1000000`.

The database is SQLite and is written directly, in the temporary directory: chats of which some are busier than others,
messages of about a line with a `client_id`, a few of them edited, deleted, reacted to, pinned or with a picture. Each
command runs as a process of its own, as its users run it.
"""

import os
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from zlib import crc32

from domain.text import name_key
from storage.sqlite.connection import connect
from storage.sqlite.schema import upgrade

USERS = 2_000
CHATS = 500
MEMBERS = 40
FILES = 500
FILE_BYTES = 100_000

_EPOCH_US = 1_700_000_000_000_000
_WORDS = [
    *("the", "a", "to", "you", "of", "and", "is", "in", "it", "that", "have", "for", "on", "with", "this"),
    *("сегодня", "завтра", "привет", "хорошо", "deploy", "server", "test", "meeting", "lunch", "review"),
]

Row = tuple[object, ...]


def message_rows(dice: random.Random, count: int) -> Iterator[Row]:
    """The messages in the order in which they were sent, in chats that are mixed."""
    heads = [0] * (CHATS + 1)
    for number in range(1, count + 1):
        chat_id = min(int(dice.expovariate(8) * CHATS) + 1, CHATS)
        sender_id = (chat_id * 7 + dice.randrange(MEMBERS)) % USERS + 1
        heads[chat_id] += 1
        seq = changed = heads[chat_id]
        edited = extra = None
        content, deleted, pinned = " ".join(dice.choices(_WORDS, k=12)), 0, 0
        what = dice.random()
        if what < 0.05:
            changed = heads[chat_id] = seq + 1
            if what < 0.01:
                content, deleted = "", 1
            elif what < 0.03:
                extra = '{"reactions": {"\\ud83d\\udc4d": [1, 2, 3]}}'
            else:
                edited = _EPOCH_US + number + 1
        at = _EPOCH_US + number
        yield (
            *(number, chat_id, seq, changed, sender_id, f"client-{number:012}", content, "text", None),
            *(at, edited, deleted, pinned, extra, seq),
        )


def fill(folder: Path, count: int) -> None:
    """Writes the database and its files."""
    dice = random.Random(3)
    db = connect(folder / "vestnik.db")
    upgrade(db)
    for pragma in ("journal_mode = WAL", "synchronous = OFF", "cache_size = -262144"):
        db.execute(f"PRAGMA {pragma}")
    db.execute("BEGIN")
    db.executemany(
        "INSERT INTO users (id, username, display_name, password_hash, created_at, is_bot, username_key,"
        " display_name_key) VALUES (?, ?, ?, 'hash', ?, 0, ?, ?)",
        [
            (one, f"user{one}", f"User {one}", _EPOCH_US, name_key(f"user{one}"), name_key(f"User {one}"))
            for one in range(1, USERS + 1)
        ],
    )
    db.executemany(
        f"INSERT INTO messages VALUES ({', '.join('?' * 14)}, NULL, ?)",  # noqa: S608 -- question marks
        message_rows(dice, count),
    )
    for chat_id in range(1, CHATS + 1):
        db.execute(
            "INSERT INTO chats (id, name, chat_type, created_at, created_by, member_count, activity, head_seq)"
            " SELECT ?, 'chat', 'group', ?, 1, ?, ?, coalesce(max(changed_seq), 0) FROM messages WHERE chat_id = ?",
            (chat_id, _EPOCH_US, MEMBERS, _EPOCH_US, chat_id),
        )
        db.executemany(
            "INSERT INTO members (chat_id, user_id, role, joined_at, read_seq) VALUES (?, ?, 'member', ?, 0)",
            [(chat_id, (chat_id * 7 + one) % USERS + 1, _EPOCH_US) for one in range(MEMBERS)],
        )
    db.execute(
        "INSERT INTO versions SELECT id, content || ' once', NULL FROM messages WHERE edited_at IS NOT NULL"
    )
    _add_files(db, folder / "uploads", dice)
    db.execute("COMMIT")
    db.close()


def _add_files(db: sqlite3.Connection, folder: Path, dice: random.Random) -> None:
    for number in range(FILES):
        file_id = f"upload-{number:06}"
        place = folder / f"{crc32(file_id.encode()) % 256:02x}"
        place.mkdir(parents=True, exist_ok=True)
        (place / file_id).write_bytes(dice.randbytes(FILE_BYTES))
        db.execute(
            "INSERT INTO uploads VALUES (?, 1, 'file', 'text/plain', ?, ?, NULL, NULL, 0, NULL)",
            (file_id, FILE_BYTES, _EPOCH_US),
        )


def run(data_dir: Path, *command: str) -> tuple[float, float, int]:
    """Seconds, seconds of processor time, and the most memory in MiB, of a command of Vestnik. Raises:
    `CalledProcessError`."""
    environment: Mapping[str, str] = {**os.environ, "DATA_DIR": str(data_dir), "DATABASE_URL": ""}
    began_s = time.perf_counter()
    measured = subprocess.run(  # noqa: S603 -- our own words
        [sys.executable, "-c", _MEASURED, *command],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    took_s = time.perf_counter() - began_s
    used = re.search(r"used ([\d.]+) (\d+)", measured.stderr)
    assert used is not None
    return took_s, float(used[1]), int(used[2]) // 1024


_MEASURED = """
import re, resource, sys
from server.cli import main
status = main(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_SELF)
peak = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]
sys.stderr.write(f"used {used.ru_utime + used.ru_stime} {peak}")
sys.exit(status)
"""
"""Not `ru_maxrss`: that is at least what the process had that began this one."""


def show(line: str) -> None:
    sys.stdout.write(line + "\n")


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        source, copy, file = Path(directory) / "a", Path(directory) / "b", Path(directory) / "backup.tar"
        source.mkdir()
        fill(source, count)
        size = (source / "vestnik.db").stat().st_size
        show(f"{count:,} messages, {FILES} files of {FILE_BYTES:,} bytes; the database has {size >> 20} MiB")
        for what, data_dir in (("backup", source), ("restore", copy)):
            took_s, cpu_s, peak_mib = run(data_dir, what, str(file))
            show(
                f"{what:8} {took_s:6.1f} s, {count / took_s:9,.0f} messages/s; {cpu_s:.1f} s of a core; {peak_mib} MiB;"
                f" the file has {file.stat().st_size >> 20} MiB"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
