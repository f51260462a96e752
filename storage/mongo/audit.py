"""The audit: entries of chats, and those of the server."""

from collections.abc import Sequence
from uuid import uuid4

from domain.acts import AuditDraft
from domain.audit import AuditEntry
from domain.refusals import BadReference
from storage.mongo.database import Database, Document
from storage.times import from_micros, to_micros

SERVER = 0
"""Stands for the server where entries of a chat have its id."""


class MongoAudit:
    """See `storage.ports.Audit`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._last = 0
        """The highest id of an entry of the server that is known here."""

    async def page(
        self, chat_id: int | None, cursor: str | None, limit: int
    ) -> tuple[Sequence[AuditEntry], str | None]:
        wanted: Document = {"chat_id": SERVER if chat_id is None else chat_id}
        if cursor is not None:
            if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 16):
                raise BadReference("cursor")
            wanted["id"] = {"$lt": int(cursor)}
        rows = await self._database.find(self._database.audit, wanted, sort=[("id", -1)], limit=limit + 1)
        found = [_entry(row) for row in rows[:limit]]
        return found, str(found[-1].id) if len(rows) > limit else None

    async def add(self, draft: AuditDraft) -> None:
        """Gives the entry the next number: of nodes that add one at once, each inserts another number. Does nothing for
        an act that is not audited."""
        if not draft.act.audited:
            return
        by, audit = uuid4().hex, self._database.audit
        if not self._last:
            newest = await self._database.find(audit, {"chat_id": SERVER}, sort=[("id", -1)], limit=1)
            self._last = newest[0]["id"] if newest else 0
        while True:
            number = self._last = self._last + 1
            if await self._database.add(audit, {**_document(draft, number), "by": by}):
                return


def _document(draft: AuditDraft, number: int) -> Document:
    return {
        "_id": f"{SERVER}:{number}",
        "chat_id": SERVER,
        "id": number,
        "at": to_micros(draft.act.at),
        "actor_id": draft.act.actor_id,
        "action": draft.action,
        "user_id": draft.user_id,
        "message_id": None,
        "detail": draft.detail,
    }


def _entry(document: Document) -> AuditEntry:
    return AuditEntry(
        document["id"],
        from_micros(document["at"]),
        document["actor_id"],
        document["action"],
        document["user_id"],
        document["message_id"],
        document["detail"],
    )
