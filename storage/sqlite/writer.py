"""The one who writes: a batch of items, a transaction, and what is known of chats between two transactions."""

import json
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Generic, ParamSpec, Self, TypeVar

from domain.changes import Change
from domain.frozen import frozen
from domain.models import Actor, Permission
from storage.batching import Written
from storage.errors import NotFound, StorageError, Unavailable
from storage.sqlite.connection import BUSY_TIMEOUT_S, probe
from storage.sqlite.faults import fault, unavailable

CANNOT_WRITE = "the database cannot be written"

_KEPT = 100_000
"""How many heads, standings and runs are kept in memory."""

# OR ROLLBACK, as in sends.py: the writer undoes the transaction anyway, and SQLite need not copy the pages that a
# statement touches to undo just that.
_RAISE_HEADS = """
UPDATE OR ROLLBACK chats
SET head_seq = json_extract(raised.value, '$[1]'), activity = max(activity, json_extract(raised.value, '$[2]'))
FROM json_each(?) AS raised WHERE chats.id = json_extract(raised.value, '$[0]')
"""

P = ParamSpec("P")
ResultT = TypeVar("ResultT")
ResultT_co = TypeVar("ResultT_co", covariant=True)


class Item(ABC, Generic[ResultT_co]):
    """A write that waits for its turn."""

    __slots__ = ()

    @property
    def weight(self) -> int:
        """About how many bytes of content it writes."""
        return 0

    @classmethod
    @abstractmethod
    def run_all(cls, writer: "Writer", items: Sequence[Self]) -> "Sequence[ResultT_co | Exception]":
        """Runs items of this class that stand next to each other; the outcome of each, see `Writer.attempt`.

        What an item raises of `storage.errors`, or by `Writer.judge`, it raises before it has changed anything.
        """


@frozen
class Write(Item[ResultT_co]):
    """A write that shares nothing with its neighbours."""

    action: "Callable[[Writer], ResultT_co]"
    weight: int = 0

    @classmethod
    def run_all(cls, writer: "Writer", items: Sequence[Self]) -> "Sequence[ResultT_co | Exception]":
        return [writer.attempt(item.action, writer) for item in items]


class _Refused(Exception):
    """A rule said no. `reason` is what it raised."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(reason)
        self.reason = reason


class Writer:
    """Lives in the writer's thread. Being the only one who writes the file, it may remember what it wrote;
    a transaction that fails makes it forget everything.

    `untold` is for the event loop to read: chat id → head before the changes that are, or are about to be,
    committed without the observer having been told.
    """

    def __init__(self, db: sqlite3.Connection, path: Path, untold: dict[int, int]) -> None:
        self.db = db
        self._path = path
        self._untold = untold
        self._heads: dict[int, int] = {}
        self._standings: dict[tuple[int, int], Actor] = {}
        self._runs: dict[int, tuple[int, int]] = {}  # chat id → who wrote its newest message, and since where
        self._last_message_id: int | None = None
        self._before: dict[int, int] = {}  # of this transaction: chat id → its head before
        self._activity: dict[int, int] = {}  # of this transaction: chat id → time of its newest creation
        self._changes: list[Change] = []

    def write(self, items: Sequence[Item[object]]) -> Written:
        """Writes a batch in one transaction; if an item turns out to be rotten, each in its own.

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

    def probe(self, suspects: Sequence[Item[object]], busy_timeout_s: float) -> None:
        """Commits a small write. `suspects` are tried before that, and undone: only they come upon the page that is
        broken. Raises: `Unavailable`."""
        try:
            self.db.execute(f"PRAGMA busy_timeout = {round(busy_timeout_s * 1000)}")
            try:
                if suspects:
                    self.db.execute("PRAGMA shrink_memory")  # else it finds the page as it was
                    self.db.execute("BEGIN IMMEDIATE")
                    for item in suspects:
                        type(item).run_all(self, [item])
                    self._raise_heads()
                    self._undo()
                probe(self.db)
            finally:
                self._undo()
                self.db.execute(f"PRAGMA busy_timeout = {round(BUSY_TIMEOUT_S * 1000)}")
        except sqlite3.Error as error:
            raise unavailable(error, CANNOT_WRITE, self._path) from error

    def save_log(self) -> bool:
        """Copies all of the write-ahead log into the database file; False if somebody who reads is in the way."""
        try:
            busy, pages, copied = self.db.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
        except sqlite3.Error:
            return False
        return not busy and pages == copied

    def close(self) -> None:
        """Leaves one file behind, without a log beside it."""
        with suppress(sqlite3.Error):
            self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.db.close()

    # For items

    def attempt(self, action: Callable[P, ResultT], *args: P.args, **kwargs: P.kwargs) -> ResultT | Exception:
        """The result of the action, or the exception with which an item fails on its own. Anything else that is
        raised spoils the transaction, and goes on up."""
        try:
            return action(*args, **kwargs)
        except StorageError as error:
            return error
        except _Refused as refused:
            return refused.reason

    def judge(self, rule: Permission, actor: Actor) -> None:
        """Raises, if the rule does, so that its exception reaches the caller of the store."""
        try:
            rule(actor)
        except Exception as reason:
            raise _Refused(reason) from reason

    def actor(self, chat_id: int, user_id: int) -> Actor:
        """Raises: `NotFound` if there is no such chat or the user is not in it."""
        actor = self._standings.get((chat_id, user_id))
        if actor is None:
            row = self.db.execute(
                "SELECT members.role, chats.chat_type FROM members JOIN chats ON chats.id = members.chat_id"
                " WHERE members.chat_id = ? AND members.user_id = ?",
                (chat_id, user_id),
            ).fetchone()
            if row is None:
                raise NotFound(f"chat {chat_id}")
            actor = self._standings[chat_id, user_id] = Actor(user_id, *row)
        return actor

    def head(self, chat_id: int) -> int:
        """The number of the chat's last change, those of this transaction included."""
        head = self._heads.get(chat_id)
        if head is None:
            (head,) = self.db.execute("SELECT head_seq FROM chats WHERE id = ?", (chat_id,)).fetchone()
            self._heads[chat_id] = head
        return int(head)

    def next_seq(self, chat_id: int) -> int:
        """The number for a change that is now being made."""
        head = self.head(chat_id)
        self._before.setdefault(chat_id, head)
        self._heads[chat_id] = head + 1
        return head + 1

    def run_seq(self, chat_id: int, sender_id: int, seq: int) -> int:
        """Where the run of messages begins that a new one, number `seq`, belongs to; see `schema`."""
        last = self._runs.get(chat_id)
        if last is None:
            last = self.db.execute(
                "SELECT sender_id, run_seq FROM messages WHERE chat_id = ? AND deleted = 0 ORDER BY seq DESC LIMIT 1",
                (chat_id,),
            ).fetchone()
        run_seq = last[1] if last is not None and last[0] == sender_id else seq
        self._runs[chat_id] = sender_id, run_seq
        return run_seq

    def next_message_id(self) -> int:
        if self._last_message_id is None:
            row = self.db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'messages'").fetchone()
            self._last_message_id = row[0] if row else 0
        self._last_message_id += 1
        return self._last_message_id

    def active(self, chat_id: int, at_micros: int) -> None:
        """A message was created in the chat."""
        self._activity[chat_id] = max(at_micros, self._activity.get(chat_id, 0))

    def tell(self, change: Change) -> None:
        """The observer gets this after the commit."""
        self._changes.append(change)

    def forget_member(self, chat_id: int, user_id: int) -> None:
        """To be called by whoever changes a role or removes a member."""
        self._standings.pop((chat_id, user_id), None)

    def forget_chat(self, chat_id: int) -> None:
        """To be called by whoever removes a chat."""
        self._standings.clear()
        self._heads.pop(chat_id, None)
        self._runs.pop(chat_id, None)
        self._before.pop(chat_id, None)
        self._activity.pop(chat_id, None)

    # The transaction

    def _transact(self, items: Sequence[Item[object]]) -> Written:
        self._begin()
        try:
            outcomes: list[object] = []
            for kind, group in groupby(items, lambda item: type(item)):
                outcomes += kind.run_all(self, list(group))
            self._raise_heads()
        except BaseException:
            self._undo()
            raise
        self._commit()
        written = Written(outcomes, self._changes)
        self._start_afresh()
        return written

    def _one_by_one(self, items: Sequence[Item[object]]) -> Written:
        outcomes: list[object] = []
        changes: list[Change] = []
        for item in items:
            try:
                alone = self._transact([item])
            except Unavailable as error:
                # Begin or commit fails: so it would for all others, each after a wait.
                outcomes += [error.again() for _ in items[len(outcomes) :]]
                break
            except Exception as error:
                outcomes.append(fault(error, CANNOT_WRITE, self._path))
            else:
                outcomes += alone.outcomes
                changes += alone.changes
        return Written(outcomes, changes)

    def _begin(self) -> None:
        for kept in (self._heads, self._standings, self._runs):
            if len(kept) > _KEPT:
                kept.clear()
        try:
            self.db.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            self._undo()
            raise unavailable(error, CANNOT_WRITE, self._path) from error

    def _raise_heads(self) -> None:
        raised = [(chat_id, self._heads[chat_id], self._activity.get(chat_id, 0)) for chat_id in self._before]
        if raised:
            self.db.execute(_RAISE_HEADS, (json.dumps(raised),))

    def _commit(self) -> None:
        # Before the commit: from the moment a reader can see a new head, the loop can see that it is untold.
        for chat_id, before in self._before.items():
            self._untold.setdefault(chat_id, before)
        try:
            self.db.execute("COMMIT")
        except sqlite3.Error as error:
            self._undo()
            raise unavailable(error, "the database could not commit", self._path) from error

    def _undo(self) -> None:
        with suppress(sqlite3.Error):
            if self.db.in_transaction:  # some errors have rolled back already
                self.db.execute("ROLLBACK")
        self._heads.clear()
        self._standings.clear()
        self._runs.clear()
        self._last_message_id = None
        self._start_afresh()

    def _start_afresh(self) -> None:
        self._before = {}
        self._activity = {}
        self._changes = []
