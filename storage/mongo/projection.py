"""Writes the documents that are read (`messages`, `members`, `chats`) from the rows of the log.

A row may be projected several times, and by several servers at once: each document holds the number of the row that it
reflects, and ignores older rows. MongoDB compares the number and writes in one step. FerretDB does not: there, a server
that is late with an older row of a message may write between the two steps of another server that projects a newer
row; then the document is out of date until the newer row is projected again. The log is right even then, and so are
numbers, order and acks.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial

from pymongo import InsertOne, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from domain.models import Message
from storage.mongo.database import Collection, Database, Document, duplicates
from storage.mongo.documents import member_key
from storage.mongo.log import SENT, Row
from storage.mongo.new_kinds import note_of
from storage.times import to_micros

_AT_ONCE = 32
"""How many updates go into one command. With a hundred and more, FerretDB 1.24 deadlocks."""


class Projection:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def project(self, rows: Sequence[Row], saved: Mapping[int, int], *, check_first: bool) -> None:
        """Projects rows of any chats, those of a chat in order. `saved`: up to which row each chat is known to be
        projected already. `check_first`: other servers may have projected some of them, so read the documents first.

        Raises: `Unavailable`; some of the rows may be projected then.
        """
        for row in rows:
            if row.message is None:
                await self._note(row)
                await self._structure(row)
        changed = [row for row in rows if row.message is not None]
        if changed:
            await asyncio.gather(
                self._messages(changed, check_first=check_first), self._heads(changed, saved)
            )

    async def save(self, saved: Mapping[int, int]) -> None:
        """Notes up to which row chats are projected."""
        await self._update(
            self._database.chats,
            [UpdateOne({"_id": str(chat_id)}, {"$max": {"n": n}}) for chat_id, n in saved.items()],
        )

    async def _messages(self, rows: Sequence[Row], *, check_first: bool) -> None:
        created: set[int] = set()
        last: dict[int, Message] = {}
        for row in rows:
            assert row.message is not None
            if row.kind == SENT:
                created.add(row.message.id)
            last[row.message.id] = row.message
        if check_first:
            for there in await self._there(list(last)):
                if there["changed_seq"] >= last[int(there["_id"])].changed_seq:
                    del last[int(there["_id"])]
        # Before the projection: once a deletion is projected, its content is certainly out of the log.
        deleted = [key for key, message in last.items() if message.deleted]
        if deleted:
            await self._scrub(deleted)
        documents = {row.message.id: row.message_document() for row in rows if row.message is not None}
        new = [documents[key] for key in last if key in created]
        old = [documents[key] for key in last if key not in created]
        old += [new[index] for index in await self._insert(self._database.messages, new)]
        await self._update(
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
        return await self._database.find(
            self._database.messages, {"_id": {"$in": keys}}, fields=["changed_seq"]
        )

    async def _heads(self, rows: Sequence[Row], saved: Mapping[int, int]) -> None:
        raised: dict[int, dict[str, int]] = {}
        for row in rows:
            at = raised.setdefault(row.chat_id, {"n": saved[row.chat_id]})
            at |= {"head_seq": row.seq, **note_of(row)}
            if row.kind == SENT and row.message is not None:
                created_at = to_micros(row.message.created_at)
                at["activity"] = max(created_at, at.get("activity", created_at))
        await self._update(
            self._database.chats,
            [UpdateOne({"_id": str(chat_id)}, {"$max": at}) for chat_id, at in raised.items()],
        )

    async def _scrub(self, message_ids: Sequence[int]) -> None:
        """Removes the content of deleted messages from the log."""
        rows = {"message_id": {"$in": list(message_ids)}}
        await self._database.with_retry(lambda: self._database.changes.update_many(rows, SCRUBBED))

    async def _note(self, row: Row) -> None:
        """Notes the kind of the row in the chat's document, see `new_kinds`. Rows with a message are noted along with
        the head."""
        note = note_of(row)
        if note:
            await self._update(self._database.chats, [UpdateOne({"_id": str(row.chat_id)}, {"$max": note})])

    async def _structure(self, row: Row) -> None:
        data = row.data or {}
        if row.kind == "opened":
            await self._insert(
                self._database.members,
                [
                    {
                        "_id": member_key(row.chat_id, document["user_id"]),
                        **document,
                        "chat_id": row.chat_id,
                        "gone": False,
                        "n": row.n,
                    }
                    for document in data["members"]
                ],
            )
            # The chat comes after its members, so that a reader who finds the chat finds them.
            await self._insert(
                self._database.chats,
                [
                    {
                        "_id": str(row.chat_id),
                        **data["chat"],
                        "activity": data["chat"]["created_at"],
                        "n": 0,
                        "shape_n": row.n,
                        "deleted": False,
                        "swept": False,
                    }
                ],
            )
            return
        if row.kind == "added":
            await self._member(row, data["member"]["user_id"], {**data["member"], "gone": False}, upsert=True)
        elif row.kind == "role":
            await self._member(row, data["member"]["user_id"], {"role": data["member"]["role"]})
        elif row.kind == "removed":
            await self._member(row, data["user_id"], {"gone": True})
        elif row.kind == "closed":
            await self._database.with_retry(
                lambda: self._database.members.update_many(
                    {"chat_id": row.chat_id}, {"$set": {"gone": True, "n": row.n}}
                )
            )
        if data.get("heir"):
            await self._member(row, data["heir"]["user_id"], {"role": data["heir"]["role"]})
        shape = {key: data[key] for key in ("name", "member_count", "deleted") if key in data}
        await self._update(
            self._database.chats,
            [
                UpdateOne(
                    {"_id": str(row.chat_id), "shape_n": {"$lt": row.n}},
                    {"$set": {**shape, "shape_n": row.n}},
                )
            ],
        )

    async def _member(self, row: Row, user_id: int, values: Document, *, upsert: bool = False) -> None:
        key = member_key(row.chat_id, user_id)
        values = {**values, "chat_id": row.chat_id, "n": row.n}
        # A duplicate key: the member is there, as of this row or a later one.
        with suppress(DuplicateKeyError):
            await self._database.with_retry(
                lambda: self._database.members.update_one(
                    {"_id": key, "n": {"$lt": row.n}}, {"$set": values}, upsert=upsert
                )
            )

    async def _insert(self, collection: Collection, documents: Sequence[Document]) -> Sequence[int]:
        """Inserts documents; the positions of those that exist already."""
        if not documents:
            return ()
        try:
            await self._database.with_retry(
                lambda: collection.bulk_write([InsertOne(document) for document in documents], ordered=False)
            )
        except BulkWriteError as error:
            return duplicates(error)
        return ()

    async def _update(self, collection: Collection, updates: Sequence[UpdateOne]) -> None:
        for start in range(0, len(updates), _AT_ONCE):
            some = list(updates[start : start + _AT_ONCE])
            await self._database.with_retry(partial(collection.bulk_write, some, ordered=False))


SCRUBBED = {"$set": {"message.content": "", "message.extra": {}}}
"""The update that removes the content of a message from a row of the log."""
