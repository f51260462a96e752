"""The audit of chats and of the server.

The entries of a chat are made from the rows of its log: their ids come from the number of the row, so that an entry is
there once, however many nodes project the row. The ids of the server's own entries come from their time.
"""

from collections.abc import Iterable, Sequence
from uuid import uuid4

from domain.audit import AuditEntry, entries_of
from domain.changes import Change
from storage.cursor import BEYOND, Cursor
from storage.mongo.bulk import insert_missing
from storage.mongo.database import Database, Document
from storage.times import from_micros, to_micros

SERVER = 0
"""The `chat_id` of the server's own entries."""

ENTRIES_PER_ROW = 8
"""More than any change makes."""


class MongoAudit:
    """See `storage.ports.Audit`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, chat_id: int | None, *, cursor: str | None, limit: int
    ) -> tuple[Sequence[AuditEntry], str | None]:
        before = BEYOND if cursor is None else Cursor.parse(cursor).id
        found = await self._database.find(
            self._database.audit,
            {"chat_id": chat_id or SERVER, "id": {"$lt": before}},
            sort=[("id", -1)],
            limit=limit + 1,
        )
        page = [entry_of(document) for document in found[:limit]]
        return page, None if len(found) <= limit else str(Cursor(0, page[-1].id))

    async def add(self, entry: AuditEntry) -> None:
        await write_server(self._database, entry)


async def write_rows(database: Database, rows: Iterable[tuple[int, int, Change]]) -> None:
    """Writes what the audits of chats tell of rows of their logs, each given with its chat and number. Entries that
    another node has written stay. Raises: `Unavailable`."""
    documents = [
        audit_document(chat_id, n * ENTRIES_PER_ROW + index, entry)
        for chat_id, n, change in rows
        for index, entry in enumerate(entries_of(change))
    ]
    await insert_missing(database, database.audit, documents)


async def write_server(database: Database, entry: AuditEntry) -> None:
    """Adds an entry of the server. Raises: `Unavailable`."""
    entry_id, by = to_micros(entry.at), uuid4().hex
    # Of acts of the same microsecond, the later one gets the next id.
    while not await database.add(database.audit, audit_document(SERVER, entry_id, entry) | {"by": by}):
        entry_id += 1


def audit_document(chat_id: int, entry_id: int, entry: AuditEntry) -> Document:
    return {
        "_id": f"{chat_id}:{entry_id}",
        "chat_id": chat_id,
        "id": entry_id,
        "at": to_micros(entry.at),
        "actor_id": entry.actor_id,
        "action": entry.action,
        "user_id": entry.user_id,
        "message_id": entry.message_id,
        "detail": entry.detail,
    }


def entry_of(document: Document) -> AuditEntry:
    return AuditEntry(
        document["id"],
        from_micros(document["at"]),
        document["actor_id"],
        document["action"],
        document["user_id"],
        document["message_id"],
        document["detail"],
    )
