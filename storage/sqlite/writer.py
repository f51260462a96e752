"""The one writer: a batch of items in a transaction."""

import sqlite3
from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from domain.changes import Change
from domain.file_changes import FilesRemoved
from domain.frozen import frozen
from storage.batching import Written
from storage.errors import Unavailable
from storage.results import result_of
from storage.runs import Item, ResultT_co, outcome_of, runs
from storage.sqlite import audit_rows
from storage.sqlite.changes import apply
from storage.sqlite.chat_view import SqliteChatView
from storage.sqlite.connection import BUSY_TIMEOUT_S, probe
from storage.sqlite.faults import fault, unavailable
from storage.sqlite.message_view import SqliteMessageView
from storage.sqlite.schema import REMOVED

VACUUM_BYTES_MAX = 32 * 1024 * 1024
"""Up to this size a file is written anew at a stop, which takes about a second: 0.7 s for 20 MB on a busy machine."""

CANNOT_WRITE = "the database cannot be written"


class WriterItem(Item[ResultT_co]):
    """What the writer runs."""

    __slots__ = ()

    @classmethod
    @abstractmethod
    def run_all(cls, writer: "Writer", items: Sequence[Self]) -> "Sequence[ResultT_co | Exception]":
        """Runs items of this class that stand next to each other. The outcome of each is its result, or the `Refusal`
        with which it fails on its own. An item is refused before it has changed anything; any other exception spoils
        the transaction, and is raised."""


@frozen
class Write(WriterItem[ResultT_co]):
    """A write that shares nothing with its neighbours."""

    action: "Callable[[Writer], ResultT_co]"
    weight: int = 0

    @classmethod
    def run_all(cls, writer: "Writer", items: Sequence[Self]) -> "Sequence[ResultT_co | Exception]":
        return [outcome_of(item.action, writer) for item in items]


class Writer:
    """Writes batches; for the writer's thread.

    `unpublished` is for the event loop to read: chat id → head before the changes that are, or are about to be,
    committed and are not yet published.
    """

    def __init__(self, db: sqlite3.Connection, path: Path, unpublished: dict[int, int]) -> None:
        self.db = db
        self.messages = SqliteMessageView(db)
        self.chats = SqliteChatView(self.messages)
        self._path = path
        self._unpublished = unpublished
        self._changes: list[Change] = []

    def write(self, items: Sequence[WriterItem[object]]) -> Written:
        """Writes a batch in one transaction; or, if an item fails, each item in a transaction of its own.

        Raises: `Unavailable` if nothing could be begun or committed.
        """
        try:
            return self._transact(items)
        except Unavailable:
            raise
        except Exception as error:
            if len(items) == 1:
                return Written([fault(error, CANNOT_WRITE, self._path)], ())
            return self._one_by_one(items)

    def probe(self, suspects: Sequence[WriterItem[object]], busy_timeout_s: float) -> None:
        """Commits a small write. Before that, runs `suspects` and undoes them: only they touch the broken page. Raises:
        `Unavailable`."""
        try:
            self.db.execute(f"PRAGMA busy_timeout = {round(busy_timeout_s * 1000)}")
            try:
                if suspects:
                    self.db.execute("PRAGMA shrink_memory")  # else the cache has the page as it was
                    self.db.execute("BEGIN IMMEDIATE")
                    for item in suspects:
                        type(item).run_all(self, [item])
                    self.messages.write_heads()
                    self._undo()
                probe(self.db)
            finally:
                self._undo()
                self.db.execute(f"PRAGMA busy_timeout = {round(BUSY_TIMEOUT_S * 1000)}")
        except sqlite3.Error as error:
            raise unavailable(error, CANNOT_WRITE, self._path) from error

    def save_log(self) -> bool:
        """Copies the whole write-ahead log into the database file; False if a reader prevents it."""
        try:
            busy, pages, copied = self.db.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
        except sqlite3.Error:
            return False
        return not busy and pages == copied

    def close(self) -> None:
        """Closes the database and leaves one file, without a log beside it.

        `secure_delete` overwrites what is deleted, but not the copies that SQLite leaves in free places of pages when
        it moves rows from page to page. So a file that is not large is written anew if something was removed from it
        since it was written anew, also by servers that were killed.
        """
        with suppress(sqlite3.Error, OSError):
            if self._has_removed() and self._path.stat().st_size <= VACUUM_BYTES_MAX:
                self.db.execute("PRAGMA temp_store = MEMORY")
                self.db.execute("VACUUM")
                self.db.execute("DELETE FROM meta WHERE key = ?", (REMOVED,))
        with suppress(sqlite3.Error):
            self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.db.close()

    def _has_removed(self) -> bool:
        return self.db.execute("SELECT 1 FROM meta WHERE key = ?", (REMOVED,)).fetchone() is not None

    # For items

    def carry_out(self, outcome: object) -> Any:
        """Makes the change if that is what was decided; the result for the caller."""
        return self.apply(outcome) if isinstance(outcome, Change) else outcome

    def apply(self, change: Change) -> Any:
        """Makes a change that was decided on in this transaction; the result for the caller."""
        apply(self.messages, change)
        audit_rows.write_change(self.db, change)
        self.publish(change)
        return result_of(change)

    def publish(self, change: Change) -> None:
        """The subscribers get this after the commit."""
        self._changes.append(change)

    # The transaction

    def _transact(self, items: Sequence[WriterItem[object]]) -> Written:
        self._begin()
        try:
            outcomes: list[object] = []
            for kind, run in runs(items):
                outcomes += kind.run_all(self, run)
            self.messages.write_heads()
        except BaseException:
            self._undo()
            raise
        if self.messages.freed:
            self.publish(FilesRemoved(self.messages.freed))
        self._commit()
        written = Written(outcomes, self._changes)
        self.messages.begin()
        self._changes = []
        return written

    def _one_by_one(self, items: Sequence[WriterItem[object]]) -> Written:
        outcomes: list[object] = []
        changes: list[Change] = []
        for item in items:
            try:
                alone = self._transact([item])
            except Unavailable as error:
                # Begin or commit fails, and would fail for the other items too, each after a wait.
                outcomes += [error.again() for _ in items[len(outcomes) :]]
                break
            except Exception as error:
                outcomes.append(fault(error, CANNOT_WRITE, self._path))
            else:
                outcomes += alone.outcomes
                changes += alone.changes
        return Written(outcomes, changes)

    def _begin(self) -> None:
        try:
            self.db.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            self._undo()
            raise unavailable(error, CANNOT_WRITE, self._path) from error

    def _commit(self) -> None:
        # Before the commit: from the moment a reader can see a new head, the loop can see that it is unpublished.
        for chat_id, before in self.messages.heads_before.items():
            self._unpublished.setdefault(chat_id, before)
        try:
            self.db.execute("COMMIT")
        except sqlite3.Error as error:
            self._undo()
            raise unavailable(error, "the database could not commit", self._path) from error

    def _undo(self) -> None:
        with suppress(sqlite3.Error):
            if self.db.in_transaction:  # some errors have rolled back already
                self.db.execute("ROLLBACK")
        self.messages.reset()
        self._changes = []
