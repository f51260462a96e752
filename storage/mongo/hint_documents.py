"""Hints as documents, and back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from domain.changes import Change, ReadMoved, SessionsRevoked, UserChanged
from storage.mongo.database import Document
from storage.mongo.log import Row
from storage.node_ports import Hint

TOLD_BYTES_MAX = 4 * 1024 * 1024
"""A hint is at most so large, and a few KiB for a batch of rows: MongoDB takes no document above 16 MiB."""


def hint_key(incarnation: str, number: int) -> str:
    """The `_id` of a hint."""
    return f"{incarnation}:{number}"


@dataclass(slots=True)
class HintDraft:
    """The content of the next hint."""

    rows: dict[int, tuple[int, int]] = field(default_factory=dict)
    users: dict[int, bool] = field(default_factory=dict)
    sessions: list[tuple[int, str]] = field(default_factory=list)
    marks: list[ReadMoved] = field(default_factory=list)
    settings: set[tuple[int, int]] = field(default_factory=set)
    told: list[tuple[str, orjson.Fragment]] = field(default_factory=list)
    told_bytes: int = 0

    def add_told(self, topic: str, value: Any) -> bool:
        """Adds something to tell. If that is too much, what was told before is dropped, and this returns False: it has
        gathered while the database was away for long, and then a node tells the whole of its topics once more."""
        text = orjson.dumps(value)
        fits = self.told_bytes + len(text) <= TOLD_BYTES_MAX
        if not fits:
            self.told, self.told_bytes = [], 0
        self.told.append((topic, orjson.Fragment(text)))
        self.told_bytes += len(text)
        return fits

    def add_rows(self, rows: Iterable[Row]) -> None:
        for row in rows:
            first, last = self.rows.get(row.chat_id, (row.n, row.n))
            self.rows[row.chat_id] = min(first, row.n), max(last, row.n)

    def add_accounts(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if isinstance(change, UserChanged):
                user_id = change.user.id
                self.users[user_id] = change.shown or self.users.get(user_id, False)
            elif isinstance(change, SessionsRevoked):
                self.sessions += [(change.user_id, session_id) for session_id in change.session_ids]

    def empty(self) -> bool:
        return not (self.rows or self.users or self.sessions or self.marks or self.settings or self.told)

    def document(self, incarnation: str, number: int) -> Document:
        """The document of the hint. The values are one text: they may have names that no field of a document may
        have."""
        told = {
            "rows": [[chat_id, *span] for chat_id, span in self.rows.items()],
            "users": [[user_id, shown] for user_id, shown in self.users.items()],
            "sessions": self.sessions,
            "marks": [[mark.chat_id, mark.user_id, mark.up_to, mark.read_seq] for mark in self.marks],
            "settings": list(self.settings),
            "told": self.told,
        }
        text = orjson.dumps({name: value for name, value in told.items() if value}).decode()
        key = hint_key(incarnation, number)
        # Sender and client_id are unique over all documents of the log's collection, see `storage.mongo.log`.
        return {"_id": key, "number": number, "text": text, "sender_id": 0, "client_id": f"#{key}"}


def hint_of(document: Document) -> Hint:
    """The hint of a document."""
    told: dict[str, Sequence[Any]] = orjson.loads(document["text"])
    return Hint(
        document["number"],
        {chat_id: (first, last) for chat_id, first, last in told.get("rows", ())},
        dict(told.get("users", ())),
        [(user_id, session_id) for user_id, session_id in told.get("sessions", ())],
        [ReadMoved(*mark) for mark in told.get("marks", ())],
        [(topic, value) for topic, value in told.get("told", ())],
        [(chat_id, user_id) for chat_id, user_id in told.get("settings", ())],
    )
