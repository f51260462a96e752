"""Where the bot is in each chat, in a SQLite file that survives the end of the process at any moment."""

import hashlib
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

LOCK_S = 5.0
"""How long a start waits for another process of the same bot to end."""

_TABLES = """
CREATE TABLE IF NOT EXISTS positions (
    account TEXT, chat_id INTEGER, epoch TEXT NOT NULL, seq INTEGER NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (account, chat_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS begun (account TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_STORE = "INSERT OR REPLACE INTO positions VALUES (?, ?, ?, ?, ?)"


@dataclass(frozen=True)
class Position:
    """Every message of the chat that was created up to `seq` is handled.

    `epoch` says in which history `seq` counts; an empty one is that of the server to which the bot connects next.
    `at` is the time of the message that was handled last. It finds the place again after the server was restored from
    a backup, when numbers mean other changes.
    """

    epoch: str
    seq: int
    at: str


def file_name(username: str, account: str) -> str:
    """A name that bots in one directory do not share, not even those of the same name at other servers."""
    return f"vestnik_{username}_{hashlib.sha256(account.encode()).hexdigest()[:8]}.db"


class Cursor:
    """The positions of one account of a bot. Only one process at a time can have the file open."""

    def __init__(self, path: Path, account: str) -> None:
        self._account = account
        self._database = sqlite3.connect(path, isolation_level=None, timeout=LOCK_S)
        try:
            # A lock that ends with the process: a second process of the same bot would answer side by side with it.
            self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._database.execute("PRAGMA journal_mode = WAL")
            # The end of the process loses nothing. A loss of power may lose the last positions; answers that are
            # repeated then have the same client_id, and the server knows them.
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.executescript(_TABLES)
        except sqlite3.OperationalError as error:
            self._database.close()
            raise OSError(f"{path} cannot be used; does this bot run already? ({error})") from error

    @property
    def has_begun(self) -> bool:
        """Whether this bot has ever been started with this file."""
        return bool(
            self._database.execute("SELECT 1 FROM begun WHERE account = ?", (self._account,)).fetchone()
        )

    def begin(self, positions: dict[int, Position]) -> None:
        """Stores the positions of the first start, all or none."""
        with self._database:
            self._database.execute("BEGIN")
            self._store(positions.items())
            self._database.execute("INSERT OR IGNORE INTO begun VALUES (?)", (self._account,))

    def load(self) -> dict[int, Position]:
        """The positions by chat id."""
        rows = self._database.execute(
            "SELECT chat_id, epoch, seq, at FROM positions WHERE account = ?", (self._account,)
        )
        return {chat_id: Position(epoch, seq, at) for chat_id, epoch, seq, at in rows}

    def store(self, chat_id: int, position: Position) -> None:
        self._store([(chat_id, position)])

    def forget(self, chat_id: int) -> None:
        self._database.execute(
            "DELETE FROM positions WHERE account = ? AND chat_id = ?", (self._account, chat_id)
        )

    def close(self) -> None:
        self._database.close()

    def _store(self, positions: Iterable[tuple[int, Position]]) -> None:
        rows = [(self._account, chat_id, each.epoch, each.seq, each.at) for chat_id, each in positions]
        self._database.executemany(_STORE, rows)
