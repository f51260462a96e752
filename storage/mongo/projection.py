"""From the rows of the log to the documents that are read: `messages`, `members`, `chats`.

Projecting may be repeated, and done by several servers at once: a document notes the row it is as of and takes none
that is older. MongoDB looks at the note and writes in one step. FerretDB does not: there a server that is late with an
older row of a message, between two steps of another that projects a newer one, sets the document back, until the row
is projected again. The log is right even then, and so are numbers, order and acks.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial

from pymongo import InsertOne, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from domain.models import Message
from storage.mongo.database import Collection, Database, Document, duplicates
from storage.mongo.documents import member_key, message_document
from storage.mongo.log import MESSAGE_KINDS, Row

_AT_ONCE = 32
"""So many updates go into one command. In one of a hundred and more FerretDB 1.24 waits for itself, for ever."""


class Projection:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def project(self, rows: Sequence[Row], saved: Mapping[int, int], *, look: bool) -> None:
        """Projects rows, of any chats, those of a chat in order. `saved`: up to which row each chat is known to be
        projected already. `look`: it may be that others have done it, so that it is worth a look first.

        Raises: `Unavailable`, some rows then being projected and some not.
        """
        for row in rows:
            if row.kind not in MESSAGE_KINDS:
                await self._structure(row)
        changed = [row for row in rows if row.kind in MESSAGE_KINDS]
        if changed:
            await asyncio.gather(self._messages(changed, look=look), self._heads(changed, saved))

    async def save(self, saved: Mapping[int, int]) -> None:
        """Notes up to which row chats are projected."""
        await self._update(
            self._database.chats,
            [UpdateOne({"_id": str(chat_id)}, {"$max": {"n": n}}) for chat_id, n in saved.items()],
        )

    async def _messages(self, rows: Sequence[Row], *, look: bool) -> None:
        created: set[int] = set()
        last: dict[int, Message] = {}
        for row in rows:
            assert row.message is not None
            if row.kind == "sent":
                created.add(row.message.id)
            last[row.message.id] = row.message
        if look:
            for there in await self._there(list(last)):
                if there["changed_seq"] >= last[int(there["_id"])].changed_seq:
                    del last[int(there["_id"])]
        # Before the projection: who finds a deletion projected may rely on this.
        await self._scrub([key for key, message in last.items() if message.deleted])
        new = [message_document(message) for key, message in last.items() if key in created]
        old = [message_document(message) for key, message in last.items() if key not in created]
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
            at["head_seq"] = row.seq
            if row.kind == "sent" and row.message is not None:
                created_at = message_document(row.message)["created_at"]
                at["activity"] = max(created_at, at.get("activity", created_at))
        await self._update(
            self._database.chats,
            [UpdateOne({"_id": str(chat_id)}, {"$max": at}) for chat_id, at in raised.items()],
        )

    async def _scrub(self, message_ids: Sequence[int]) -> None:
        """A deleted message leaves nothing of what it said, in the log neither."""
        if message_ids:
            rows = {"message_id": {"$in": list(message_ids)}}
            await self._database.patiently(lambda: self._database.changes.update_many(rows, SCRUBBED))

    async def _structure(self, row: Row) -> None:
        data = row.data
        assert data is not None
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
            # The chat comes after its members: who finds it finds them.
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
            await self._database.patiently(
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
        # A duplicate key: he is there, as of this row or a later one.
        with suppress(DuplicateKeyError):
            await self._database.patiently(
                lambda: self._database.members.update_one(
                    {"_id": key, "n": {"$lt": row.n}}, {"$set": values}, upsert=upsert
                )
            )

    async def _insert(self, collection: Collection, documents: Sequence[Document]) -> Sequence[int]:
        """Which of them, by position, are there already."""
        if not documents:
            return ()
        try:
            await self._database.patiently(
                lambda: collection.bulk_write([InsertOne(document) for document in documents], ordered=False)
            )
        except BulkWriteError as error:
            return duplicates(error)
        return ()

    async def _update(self, collection: Collection, updates: Sequence[UpdateOne]) -> None:
        for start in range(0, len(updates), _AT_ONCE):
            some = list(updates[start : start + _AT_ONCE])
            await self._database.patiently(partial(collection.bulk_write, some, ordered=False))


SCRUBBED = {"$set": {"message.content": "", "message.extra": {}}}
"""What takes away from a row of the log what a message said."""
