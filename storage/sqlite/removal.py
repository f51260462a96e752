"""Removes the messages of deleted chats, their uploads and mentions and the audit in small steps: a chat may have
millions of each, and other writes wait for each step.

The rows of the chat and of its members go at once, and without them there is no way to its messages.
"""

from asyncio import Future
from collections.abc import Sequence

from domain.changes import Change, ChatDeleted
from storage.sqlite import mentions, search_segments, upload_rows, versions
from storage.sqlite.database import Database
from storage.sqlite.writer import Writer

_STEP = 200


class Remover:
    """Removes the messages of deleted chats, between other writes, until none are left."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._step: Future[bool] | None = None
        self._asked = False

    def published(self, changes: Sequence[Change]) -> None:
        """A subscriber of the store: starts when a chat was deleted."""
        if any(isinstance(change, ChatDeleted) for change in changes):
            self.start()

    def start(self) -> None:
        """Begins if it is not at work already: there may be something to remove."""
        self._asked = True
        if self._step is None:
            self._next()

    def _next(self) -> None:
        self._asked = False
        self._step = self._database.write(_remove_some)
        self._step.add_done_callback(self._done)

    def _done(self, step: "Future[bool]") -> None:
        self._step = None
        # If the store is closed or cannot write, the work ends; the next `start` resumes it, at the latest when the
        # store is opened again.
        if step.exception() is None and (step.result() or self._asked):
            self._next()


def _remove_some(writer: Writer) -> bool:
    """Removes up to `_STEP` messages of one chat; when it has none, up to `_STEP` mentions and entries of its audit.
    False if there was nothing left."""
    (chat_id,) = writer.db.execute("SELECT min(chat_id) FROM removals").fetchone()
    if chat_id is None:
        return False
    some = writer.db.execute(
        "SELECT id FROM (SELECT id FROM messages WHERE chat_id = :chat AND deleted = 0 LIMIT :some) UNION"
        " SELECT id FROM (SELECT id FROM messages WHERE chat_id = :chat AND changed_seq > seq LIMIT :some)"
        " LIMIT :some",
        {"chat": chat_id, "some": _STEP},
    ).fetchall()
    search_segments.forget(writer.db, [message_id for (message_id,) in some])
    versions.remove(writer.db, [message_id for (message_id,) in some])
    writer.messages.remove_uploads(upload_rows.of_messages(writer.db, [message_id for (message_id,) in some]))
    writer.db.executemany("DELETE FROM messages WHERE id = ?", some)
    writer.messages.note_removal()
    if len(some) == _STEP or mentions.remove_some(writer.db, chat_id, _STEP):
        return True
    entries = writer.db.execute(
        "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE chat_id = ? LIMIT ?)", (chat_id, _STEP)
    )
    if entries.rowcount < _STEP:
        writer.db.execute("DELETE FROM removals WHERE chat_id = ?", (chat_id,))
    return True
