"""Sends: the hot path. Those that stand next to each other in a batch share their statements.

That is not only for SQLite's sake: the writer's thread gives the interpreter lock away at every statement and,
while the event loop is busy, gets it back only after `sys.getswitchinterval()`.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Self, TypeVar

from domain.changes import MessageCreated
from domain.frozen import frozen
from domain.models import Appended, Draft, Message, Permission
from storage.errors import BadReference, ClientIdTaken, NotFound
from storage.sqlite.rows import Row, message_of, micros
from storage.sqlite.writer import Item, Writer

_SIZES = (256, 64, 16, 4, 1)
"""Rows in a statement: few different sizes, so that each is prepared once."""

T = TypeVar("T")


@frozen
class Send(Item[Appended]):
    draft: Draft
    rule: Permission

    @property
    def weight(self) -> int:
        return len(self.draft.content)

    @classmethod
    def run_all(cls, writer: Writer, items: Sequence[Self]) -> Sequence[Appended | Exception]:
        run = _Run(writer, [item.draft for item in items])
        outcomes = [writer.attempt(run.send, item.draft, item.rule) for item in items]
        run.insert()
        return outcomes


class _Run:
    """Sends in a row: what they find is looked up before the first, what they make is inserted after the last."""

    def __init__(self, writer: Writer, drafts: Sequence[Draft]) -> None:
        self._writer = writer
        self._rows: list[Row] = []
        self._first: dict[tuple[int, str], Message] = {}
        keys = [(draft.sender_id, draft.client_id) for draft in drafts if draft.client_id is not None]
        for some in _in_sizes(keys):
            found = writer.db.execute(_find_sql(len(some)), [value for key in some for value in key])
            for message in map(message_of, found):
                self._keep(message)

    def send(self, draft: Draft, rule: Permission) -> Appended:
        """See `storage.ports.Messages.append`."""
        writer = self._writer
        actor = writer.actor(draft.chat_id, draft.sender_id)
        if draft.client_id is not None:
            first = self._first.get((draft.sender_id, draft.client_id))
            if first is not None:
                return _repeated(first, draft)
        writer.judge(rule, actor)
        self._check_reply(draft)
        message = self._made(draft)
        self._keep(message)
        writer.tell(MessageCreated(message))
        return Appended(message, duplicate=False)

    def insert(self) -> None:
        for some in _in_sizes(self._rows):
            self._writer.db.execute(_insert_sql(len(some)), [value for row in some for value in row])
        self._rows.clear()

    def _made(self, draft: Draft) -> Message:
        seq = self._writer.next_seq(draft.chat_id)
        created = micros(draft.created_at)
        self._writer.active(draft.chat_id, created)
        message = Message(
            id=self._writer.next_message_id(),
            chat_id=draft.chat_id,
            seq=seq,
            changed_seq=seq,
            content=draft.content,
            sender_id=draft.sender_id,
            created_at=draft.created_at,
            message_type=draft.message_type,
            reply_to=draft.reply_to,
            client_id=draft.client_id,
        )
        self._rows.append(
            (
                message.id,
                message.chat_id,
                seq,
                seq,
                message.sender_id,
                message.client_id,
                message.content,
                message.message_type,
                message.reply_to,
                created,
                self._writer.run_seq(message.chat_id, message.sender_id, seq),
            )
        )
        return message

    def _keep(self, message: Message) -> None:
        if message.client_id is not None:
            self._first[message.sender_id, message.client_id] = message

    def _check_reply(self, draft: Draft) -> None:
        if draft.reply_to is None:
            return
        self.insert()
        # One that was deleted while the answer was being written serves too.
        target = "SELECT 1 FROM messages WHERE id = ? AND chat_id = ?"
        if not self._writer.db.execute(target, (draft.reply_to, draft.chat_id)).fetchone():
            raise BadReference("reply_to")


def _repeated(first: Message, draft: Draft) -> Appended:
    if first.chat_id != draft.chat_id:
        raise ClientIdTaken(draft.client_id)
    if first.deleted:
        raise NotFound(f"the message of client_id {draft.client_id!r}")
    return Appended(first, duplicate=True)


def _in_sizes(values: Sequence[T]) -> Iterator[Sequence[T]]:
    start = 0
    for size in _SIZES:
        while len(values) - start >= size:
            yield values[start : start + size]
            start += size


@cache
def _insert_sql(count: int) -> str:
    rows = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"] * count)
    return (
        "INSERT OR ROLLBACK INTO messages"  # noqa: S608 - question marks, nothing else
        " (id, chat_id, seq, changed_seq, sender_id, client_id, content, message_type, reply_to, created_at,"
        " run_seq)"
        f" VALUES {rows}"
    )


@cache
def _find_sql(count: int) -> str:
    wanted = ", ".join(["(?, ?)"] * count)
    return (
        f"WITH wanted (sender_id, client_id) AS (VALUES {wanted})"  # noqa: S608 - question marks, nothing else
        " SELECT messages.* FROM wanted CROSS JOIN messages"
        " ON messages.sender_id = wanted.sender_id AND messages.client_id = wanted.client_id"
    )
