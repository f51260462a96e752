"""The log of a chat: all its changes, one row for each. The log decides; everything else is made from it.

The `_id` of a row is `chat:n`, n = 1, 2, 3…. Rows are only inserted. A server that inserts row n has decided on the
change with the state that the rows up to n - 1 make. If another node was faster, the insert fails, for `_id` is
unique; then the server reads the other row and decides again. So each change is decided on exactly the state that it
changes, whatever the number of servers. And the rows of a chat have no hole, for a server tries a number only once it
knows the row before. Of the database this needs one thing: an insert that either fails or succeeds.

Besides n, a row has `seq`, the chat's head after this row: it counts the changes of messages only.

After a broken connection it is not known whether a row is in the log, and the row may still get in later. Each write
has a mark, which its row bears in all tries, so the log says which writes are in. There cannot be two rows of one
write: the second would have another number, and a server tries that number only if it has seen a row at the first
number, so that the first try can no longer succeed. Rows are never removed, so no number becomes free. What a deleted
message said is removed from them, and so is what its other changes said (`SCRUBBED`).

(`sender_id`, `client_id`) is unique over all rows for ever. A row without a client_id has `#` and its mark there, and
a row that creates no message has sender 0. The hints that name new rows (`hint_writer.py`) stand in the same
collection, so that one command inserts both.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import field
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from pymongo.errors import BulkWriteError

from domain.changes import MessageCreated, MessageDeleted, MessageEdited
from domain.frozen import frozen
from domain.models import Message
from storage.mongo.database import Database, Document, duplicates
from storage.mongo.documents import message_document, message_of
from storage.times import from_micros

SENT = MessageCreated.kind.name
"""The kind of the rows that create a message."""

DELETED = MessageDeleted.kind.name
"""The kind of the rows that delete one."""

EDITED = MessageEdited.kind.name
"""The kind of those that change what one says."""

SCRUBBED = {"$set": {"message.content": "", "message.extra": {}}, "$unset": {"data.fields": ""}}
"""The update that removes the content of a message, and what else a change of it says, from a row of the log.
`storage.mongo.row_codecs` reads such a row."""

_FEW = 8
"""How many new rows are looked for by `_id` at first."""

_INSERT_MAX = 100
"""How many rows one command inserts at most. FerretDB 1.24 inserts a hundred at a time, and goes on with the next
hundred though a row of the one before was taken: that would leave a hole in the log."""

ROWS_MAX = 1000
"""How many rows one query returns at most."""


@frozen
class Row:
    """Row `n` of a chat, which leaves the head of the chat at `seq`. `kind` is the name of a kind of change.

    `message` is the whole state of a message after a change of it, None in rows of other kinds; so rows with a message
    are those that take a number. `data` is what else the change says. `storage.mongo.row_codecs` makes rows of changes
    and changes of rows.
    """

    chat_id: int
    n: int
    seq: int
    kind: str
    mark: str
    message: Message | None = None
    data: Document | None = None
    _documents: list[Document] = field(default_factory=list, init=False, repr=False, compare=False)

    def message_document(self) -> Document:
        """The message as a document, made once for the log and for its projection."""
        if not self._documents:
            assert self.message is not None
            self._documents.append(message_document(self.message))
        return self._documents[0]


class Log:
    """Inserts and reads rows."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = database.changes

    async def insert(self, rows: Sequence[Row], hint: Document | None = None) -> int:
        """Inserts rows in order, up to the first whose number or client_id is taken, and before them a hint, if one is
        given. Returns how many rows are inserted.

        Raises: `UnknownOutcome` if that is not known; `Unavailable`.
        """
        documents = [row_document(row) for row in rows]
        hints = 0 if hint is None else 1
        if hint is not None:
            documents.insert(0, hint)
        inserted = 0
        for start in range(0, len(documents), _INSERT_MAX):
            some = documents[start : start + _INSERT_MAX]
            inserted += await self._insert(some)
            if inserted < start + len(some):
                break
        return inserted - hints

    async def _insert(self, documents: Sequence[Document]) -> int:
        try:
            await self._database.once(lambda: self._rows.insert_many(documents, ordered=True))
        except BulkWriteError as error:
            return duplicates(error)[0]
        return len(documents)

    async def has(self, chat_id: int, n: int) -> bool:
        """Whether row n is in the log. Raises: `Unavailable`."""
        return await self._database.get(self._rows, row_key(chat_id, n)) is not None

    async def get(self, chat_id: int, n: int) -> Row | None:
        """Row n; None if it is not in the log. Raises: `Unavailable`."""
        document = await self._database.get(self._rows, row_key(chat_id, n))
        return None if document is None else _row(document)

    async def after(self, chat_id: int, n: int) -> Sequence[Row]:
        """The next rows above n, at most `ROWS_MAX`; empty if there are none. Raises: `Unavailable`."""
        # A few are read by `_id` first: that is quick on FerretDB too, where the query below goes through all rows.
        rows = await asyncio.gather(*(self.get(chat_id, n + more) for more in range(1, _FEW + 1)))
        new_rows = list(takewhile(lambda row: row is not None, rows))
        if len(new_rows) < _FEW:
            return [row for row in new_rows if row is not None]
        return await self.page(chat_id, n)

    async def page(self, chat_id: int, n: int) -> Sequence[Row]:
        """The same, by one query. Raises: `Unavailable`."""
        found = await self._database.find(
            self._rows, {"chat_id": chat_id, "n": {"$gt": n}}, sort=[("n", 1)], limit=ROWS_MAX
        )
        return [_row(document) for document in found]

    async def span(self, chat_id: int, first: int, last: int) -> Sequence[Row]:
        """The rows from `first` to `last`, at most `ROWS_MAX`, up to the first that is not in the log. Raises:
        `Unavailable`."""
        last = min(last, first + ROWS_MAX - 1)
        keys = [row_key(chat_id, n) for n in range(first, last + 1)]
        documents = takewhile(bool, await self._database.get_each(self._rows, keys))
        return [_row(document) for document in documents if document is not None]

    async def last_sends(self, chat_id: int, n: int, after_seq: int, within_s: int) -> dict[int, datetime]:
        """When users sent their last messages, by user id, as the rows up to n say that leave the head above
        `after_seq`; those more than `within_s` before the newest need not be there. Raises: `Unavailable`."""
        found: dict[int, datetime] = {}
        oldest: datetime | None = None
        fields = ["n", "seq", "kind", "sender_id", "message.created_at"]
        while True:
            rows = await self._database.find(
                self._rows,
                {"chat_id": chat_id, "n": {"$lte": n}},
                sort=[("n", -1)],
                limit=ROWS_MAX,
                fields=fields,
            )
            for row in rows:
                if row["seq"] <= after_seq:
                    return found
                if row["kind"] != SENT:
                    continue
                at = from_micros(row["message"]["created_at"])
                oldest = oldest or at - timedelta(seconds=within_s)
                if at < oldest:
                    return found
                found.setdefault(row["sender_id"], at)
            if len(rows) < ROWS_MAX:
                return found
            n = rows[-1]["n"] - 1

    async def first_uses(self, keys: Sequence[tuple[int, str]]) -> Sequence[Row]:
        """The rows that created the messages of these (sender, client_id). Raises: `Unavailable`."""
        by_sender: dict[int, list[str]] = {}
        for sender_id, client_id in keys:
            by_sender.setdefault(sender_id, []).append(client_id)
        wanted: list[Any] = [
            {"sender_id": sender_id, "client_id": {"$in": client_ids}}
            for sender_id, client_ids in by_sender.items()
        ]
        if not wanted:
            return ()
        found = await self._database.find(self._rows, wanted[0] if len(wanted) == 1 else {"$or": wanted})
        return [_row(document) for document in found]

    async def versions(self, message_id: int, newest: int) -> Sequence[Message] | None:
        """The states of a message after its creation and after its last edits, at most `newest` edits, in their order.
        None if there is no such message, or it is deleted. Raises: `Unavailable`."""
        first = await self._of_kind(message_id, SENT, 1)
        edited = await self._of_kind(message_id, EDITED, newest)
        # Last: the row of a deletion is in the log before what the message said is removed from the other rows.
        if not first or await self.is_deleted(message_id):
            return None
        return [message_of(row["message"]) for row in (*first, *reversed(edited))]

    async def is_deleted(self, message_id: int) -> bool:
        """Whether a row deletes the message. Raises: `Unavailable`."""
        return bool(await self._of_kind(message_id, DELETED, 1))

    async def state(self, message_id: int, after_seq: int, up_to_seq: int) -> Message | None:
        """The state of a message after its last change between two numbers; None without one. Of a message that is
        deleted by now, the state may lack what it said. Raises: `Unavailable`."""
        wanted = {"message_id": message_id, "seq": {"$gt": after_seq, "$lte": up_to_seq}}
        found = await self._database.find(self._rows, wanted, sort=[("n", -1)], limit=1, fields=["message"])
        return message_of(found[0]["message"]) if found else None

    async def _of_kind(self, message_id: int, kind: str, limit: int) -> Sequence[Document]:
        """The newest rows of a kind about a message, the newest first."""
        wanted = {"message_id": message_id, "kind": kind}
        return await self._database.find(
            self._rows, wanted, sort=[("n", -1)], limit=limit, fields=["message"]
        )


def row_key(chat_id: int, n: int) -> str:
    """The `_id` of a row."""
    return f"{chat_id}:{n}"


def row_document(row: Row) -> Document:
    created = row.message if row.kind == SENT else None
    client_id = None if created is None else created.client_id
    return {
        "_id": row_key(row.chat_id, row.n),
        "chat_id": row.chat_id,
        "n": row.n,
        "seq": row.seq,
        "kind": row.kind,
        "mark": row.mark,
        "sender_id": 0 if created is None else created.sender_id,
        "client_id": f"#{row.mark}" if client_id is None else client_id,
        "message_id": None if row.message is None else row.message.id,
        "message": None if row.message is None else row.message_document(),
        "data": row.data,
    }


def _row(document: Document) -> Row:
    message = document["message"]
    return Row(
        document["chat_id"],
        document["n"],
        document["seq"],
        document["kind"],
        document["mark"],
        message and message_of(message),
        document["data"],
    )
