"""Removing the messages of deleted chats little by little: a chat may have millions, and other writes wait meanwhile.

The chat's row and its members go at once, and with them every way to its messages.
"""

from asyncio import Future

from domain.changes import ChatDeleted
from storage.sqlite.database import Database
from storage.sqlite.writer import Writer

_STEP = 500


class Remover:
    """Removes what there is to remove, in between the other writes, until nothing is left."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._step: Future[bool] | None = None
        self._asked = False

    def start(self) -> None:
        """There may be something to remove."""
        self._asked = True
        if self._step is None:
            self._next()

    def _next(self) -> None:
        self._asked = False
        self._step = self._database.write(_remove_some)
        self._step.add_done_callback(self._done)

    def _done(self, step: "Future[bool]") -> None:
        self._step = None
        # A store that is closed or cannot write ends the work; the next start takes it up, at the latest the one
        # when the store is opened again.
        if step.exception() is None and (step.result() or self._asked):
            self._next()


def remove_chat(writer: Writer, chat_id: int, *, left_id: int | None = None) -> None:
    """Deletes the chat, because the member `left_id` left if that is not None. Whoever calls this has done all
    checks."""
    db = writer.db
    name, chat_type = db.execute("SELECT name, chat_type FROM chats WHERE id = ?", (chat_id,)).fetchone()
    members = db.execute(
        "SELECT user_id FROM members WHERE chat_id = ? ORDER BY user_id", (chat_id,)
    ).fetchall()
    db.execute("DELETE FROM members WHERE chat_id = ?", (chat_id,))
    db.execute("DELETE FROM chats WHERE id = ?", (chat_id,))
    db.execute("INSERT INTO removals (chat_id) VALUES (?)", (chat_id,))
    writer.forget_chat(chat_id)
    user_ids = [user_id for (user_id,) in members]
    writer.tell(ChatDeleted(chat_id, user_ids, name, chat_type, left_id))


def _remove_some(writer: Writer) -> bool:
    """False when nothing is left."""
    (chat_id,) = writer.db.execute("SELECT min(chat_id) FROM removals").fetchone()
    if chat_id is None:
        return False
    some = writer.db.execute(
        "SELECT id FROM (SELECT id FROM messages WHERE chat_id = :chat AND deleted = 0 LIMIT :some) UNION"
        " SELECT id FROM (SELECT id FROM messages WHERE chat_id = :chat AND changed_seq > seq LIMIT :some)"
        " LIMIT :some",
        {"chat": chat_id, "some": _STEP},
    ).fetchall()
    writer.db.executemany("DELETE FROM versions WHERE message_id = ?", some)
    writer.db.executemany("DELETE FROM messages WHERE id = ?", some)
    if len(some) < _STEP:
        writer.db.execute("DELETE FROM removals WHERE chat_id = ?", (chat_id,))
    return True
