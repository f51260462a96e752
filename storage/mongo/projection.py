"""Writes the documents that are read (`messages`, `members`, `chats`) from the rows of the log.

A row may be projected several times, and by several nodes at once: each document holds the number of the row that it
reflects, and ignores older rows. MongoDB compares the number and writes in one step. FerretDB does not: there, a server
that is late with an older row of a message may write between the two steps of another node that projects a newer
row; then the document is out of date until the newer row is projected again. The log is right even then, and so are
numbers, order and acks.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence

from pymongo import UpdateOne

from domain.files import owner_id
from domain.models import Message
from storage.mongo import chat_projection, freed_files, upload_documents
from storage.mongo.bulk import insert_missing, update_all
from storage.mongo.database import Database, Document
from storage.mongo.freed_files import FreedFiles
from storage.mongo.log import DELETED, SCRUBBED, SENT, Row
from storage.mongo.new_kinds import note_of
from storage.mongo.search_words import word_fields
from storage.times import to_micros


class Projection:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._freed = FreedFiles(database)

    async def project(self, rows: Sequence[Row], saved: Mapping[int, int], *, check_first: bool) -> None:
        """Projects rows of any chats, those of a chat in order. `saved`: up to which row each chat is known to be
        projected already. `check_first`: other nodes may have projected some of them, so read the documents first.

        Raises: `Unavailable`; some of the rows may be projected then.
        """
        for row in rows:
            if row.message is None:
                await chat_projection.project(self._database, row)
        changed = [row for row in rows if row.message is not None]
        if changed:
            await asyncio.gather(
                self._messages(changed, check_first=check_first), self._heads(changed, saved)
            )

    async def save(self, saved: Mapping[int, int]) -> None:
        """Notes up to which row chats are projected."""
        await update_all(
            self._database,
            self._database.chats,
            [UpdateOne({"_id": str(chat_id)}, {"$max": {"n": n}}) for chat_id, n in saved.items()],
        )

    async def _messages(self, rows: Sequence[Row], *, check_first: bool) -> None:
        created: set[int] = set()
        last: dict[int, Message] = {}
        attached: list[Row] = []
        freed: list[str] = []
        for row in rows:
            assert row.message is not None
            if row.kind == SENT:
                created.add(row.message.id)
                if row.message.attachments:
                    attached.append(row)
            elif row.kind == DELETED:
                freed += _freed_by(row)
            last[row.message.id] = row.message
        if attached:
            await upload_documents.note_attached(self._database, attached)
        await self._states(last, rows, created, freed, check_first=check_first)
        if freed:
            await self._freed.end_uploads(sorted({owner_id(file_id) for file_id in freed}))

    async def _states(
        self,
        last: dict[int, Message],
        rows: Sequence[Row],
        created: Collection[int],
        freed: Sequence[str],
        *,
        check_first: bool,
    ) -> None:
        """Writes the last states of messages, which the rows leave. `freed` are the files that these had."""
        if check_first:
            for there in await self._there(list(last)):
                if there["changed_seq"] >= last[int(there["_id"])].changed_seq:
                    del last[int(there["_id"])]
        # Before the projection: once a deletion is projected, its content is certainly out of the log.
        deleted = [key for key, message in last.items() if message.deleted]
        if freed:
            await freed_files.add(self._database, freed)  # the log forgets them, too
        if deleted:
            await self._scrub(deleted)
        newest = {row.message.id: row for row in rows if row.message is not None}
        documents = {key: newest[key].message_document() | word_fields(last[key]) for key in last}
        new = [documents[key] for key in last if key in created]
        old = [documents[key] for key in last if key not in created]
        old += [new[index] for index in await insert_missing(self._database, self._database.messages, new)]
        await update_all(
            self._database,
            self._database.messages,
            [
                UpdateOne(
                    {"_id": document["_id"], "changed_seq": {"$lt": document["changed_seq"]}},
                    {"$set": {key: value for key, value in document.items() if key != "_id"}},
                )
                for document in old
            ],
        )

    async def _there(self, message_ids: Sequence[int]) -> Sequence[Document]:
        keys = [str(message_id) for message_id in message_ids]
        return [
            one for one in await self._database.get_each(self._database.messages, keys) if one is not None
        ]

    async def _heads(self, rows: Sequence[Row], saved: Mapping[int, int]) -> None:
        raised: dict[int, dict[str, int]] = {}
        for row in rows:
            at = raised.setdefault(row.chat_id, {"n": saved[row.chat_id]})
            at |= {"head_seq": row.seq, **note_of(row)}
            message = row.message
            assert message is not None
            if message.mentions or message.mentions_all:
                at["mentioned_seq"] = max(message.seq, at.get("mentioned_seq", 0))
            if row.kind == SENT:
                created_at = to_micros(message.created_at)
                at["activity"] = max(created_at, at.get("activity", created_at))
        await update_all(
            self._database,
            self._database.chats,
            [UpdateOne({"_id": str(chat_id)}, {"$max": at}) for chat_id, at in raised.items()],
        )

    async def _scrub(self, message_ids: Sequence[int]) -> None:
        """Removes what deleted messages said, and what was said about them, from the log."""
        rows = {"message_id": {"$in": list(message_ids)}}
        await self._database.with_retry(lambda: self._database.changes.update_many(rows, SCRUBBED))


def _freed_by(row: Row) -> Sequence[str]:
    """The files that a deleted message had. A row that has lost them was projected up to there before."""
    fields: Document = (row.data or {}).get("fields", {})
    return list(fields.get("file_ids", ()))
