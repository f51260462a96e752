"""The leases of the incarnations that share the database, and what each keeps for those that start later."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import orjson
from pymongo.errors import DuplicateKeyError

from storage.errors import StorageError
from storage.mongo import restore_mark, versions
from storage.mongo.database import Collection, Database, Document
from storage.mongo.hint_writer import first_kept, remove_hints
from storage.node_ports import Lease

_KEY_ID = "key_id"


class Leases:
    """Only the process of an incarnation writes the documents of the incarnation, until somebody buries it."""

    def __init__(self, database: Database, incarnation: str) -> None:
        self._database = database
        self._incarnation = incarnation
        self._joining = asyncio.Lock()
        self.own: Lease | None = None
        """The lease that this incarnation has written last."""

    async def join(self, lease: Lease) -> None:
        """See `storage.node_ports.Nodes.join`. Raises also: `StorageError` if a restore has begun meanwhile."""
        async with self._joining:
            await self._put(self._database.leases, _document(lease))
            if self.own is None:
                await self._check_no_restore(lease)
            self.own = lease

    async def _check_no_restore(self, lease: Lease) -> None:
        """A restore that begins from now on finds the lease; one that has begun before is found here."""
        try:
            await self._database.with_retry(lambda: restore_mark.check(self._database))
        except StorageError:
            await self._put(self._database.leases, _document(replace(lease, ended=True)))
            raise

    def is_joined(self) -> bool:
        """Whether this incarnation has a lease."""
        return self.own is not None

    async def join_unnamed(self) -> None:
        """Writes a lease if there is none, for a store that nobody else joins. Raises: `Unavailable`."""
        if self.own is None:
            await self.join(Lease(self._incarnation, "", versions.FORMAT, "", 1, False))

    async def leave(self) -> None:
        """Notes that this incarnation has ended. Does nothing if it has no lease. Raises: `Unavailable`."""
        own = self.own
        if own is not None and not own.ended:
            await self.join(Lease(own.incarnation, own.url, own.format, own.key_id, own.beat + 1, True))

    async def all(self) -> Sequence[Lease]:
        """See `storage.node_ports.Nodes.leases`."""
        return [_lease(document) for document in await self._database.find(self._database.leases, {})]

    async def lowest_format(self) -> int:
        """The lowest format of all leases that have not ended, and of this node. Raises: `Unavailable`."""
        return min([versions.FORMAT, *(lease.format for lease in await self.all() if not lease.ended)])

    async def keep_record(self, topic: str, value: Any, number: int) -> None:
        """See `storage.node_ports.Nodes.keep_record`. `number` is that of the last hint that the record covers."""
        record = {
            "_id": f"{self._incarnation}:{topic}",
            "incarnation": self._incarnation,
            "topic": topic,
            "number": number,
            "text": orjson.dumps(value).decode(),
        }
        await self._put(self._database.records, record)

    async def records(self, topic: str) -> Mapping[str, tuple[int, Any]]:
        """See `storage.node_ports.Nodes.records`."""
        found = await self._database.find(self._database.records, {"topic": topic})
        return {
            document["incarnation"]: (document["number"], orjson.loads(document["text"]))
            for document in found
        }

    async def bury(self, incarnation: str) -> None:
        """See `storage.node_ports.Nodes.bury`. The lease goes last: while it is there, somebody finishes the work. The
        note of an incarnation that has not said that it ended stays: it may have been suspended."""
        database = self._database
        lease = await database.get(database.leases, incarnation)
        following = await remove_hints(database, incarnation, await first_kept(database, incarnation), None)
        await database.with_retry(lambda: database.records.delete_many({"incarnation": incarnation}))
        if lease is not None and not lease["ended"]:
            note = {"_id": incarnation, "incarnation": incarnation, "first": following}
            await self._put(database.records, note)
        await database.with_retry(lambda: database.leases.delete_one({"_id": incarnation}))

    async def key_id(self, mine: str) -> str:
        """See `storage.node_ports.Nodes.key_id`."""
        meta = self._database.meta
        await self._database.add(meta, {"_id": _KEY_ID, "value": mine})
        found = await self._database.get(meta, _KEY_ID)
        assert found is not None
        return str(found["value"])

    async def replace_key_id(self, mine: str) -> None:
        """See `storage.node_ports.Nodes.replace_key_id`."""
        await self._put(self._database.meta, {"_id": _KEY_ID, "value": mine})

    async def _put(self, collection: Collection, document: Document) -> None:
        replacement = {key: value for key, value in document.items() if key != "_id"}
        with suppress(DuplicateKeyError):  # another node has inserted it in this moment
            await self._database.with_retry(
                lambda: collection.replace_one({"_id": document["_id"]}, replacement, upsert=True)
            )


def _document(lease: Lease) -> Document:
    return {
        "_id": lease.incarnation,
        "url": lease.url,
        "format": lease.format,
        "key_id": lease.key_id,
        "beat": lease.beat,
        "ended": lease.ended,
    }


def _lease(document: Document) -> Lease:
    return Lease(
        document["_id"],
        document["url"],
        document["format"],
        document["key_id"],
        document["beat"],
        document["ended"],
    )
