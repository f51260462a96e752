"""The connection, its collections, and the meaning of the driver's errors."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar
from uuid import uuid4

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    PyMongoError,
    WriteConcernError,
)

from storage.errors import Trouble, Unavailable
from storage.health import StoreHealth
from storage.mongo.faults import trouble_of

Document = dict[str, Any]
Collection = AsyncIOMotorCollection[Document]
ResultT = TypeVar("ResultT")

RETRY_S = 3.0
"""How long a call is repeated while the server cannot be reached, before it fails."""

_EACH_AT_ONCE = 16
"""How many documents `get_each` reads at the same time from a database that does not find several by one query."""
_PAUSE_S = 0.1
_DUPLICATE_KEY = 11000
_REASON_CHARS = 200


class UnknownOutcome(Exception):
    """The connection broke, or the write concern was not met: the write may have happened, or may happen yet."""

    def __init__(self, reason: str, trouble: Trouble = "unreachable") -> None:
        super().__init__(reason)
        self.trouble: Trouble = trouble

    def unavailable(self) -> Unavailable:
        """What the caller gets when the retry budget is used up."""
        if self.trouble == "unconfirmed":
            return Unavailable(f"MongoDB did not confirm a write: {self}", self.trouble)
        return Unavailable(f"MongoDB cannot be reached: {self}", self.trouble)


class Database:
    """The collections, by name. Each `_id` is a string: FerretDB finds a document by index only by a string `_id`."""

    def __init__(self, client: AsyncIOMotorClient[Document], name: str) -> None:
        self.client = client
        self.name = name
        database = client[name]
        self.meta: Collection = database["meta"]
        self.blocks: Collection = database["blocks"]
        self.users: Collection = database["users"]
        self.sessions: Collection = database["sessions"]
        self.tokens: Collection = database["tokens"]
        self.spent: Collection = database["spent"]
        self.revocations: Collection = database["revocations"]
        self.pairs: Collection = database["pairs"]
        self.chats: Collection = database["chats"]
        self.members: Collection = database["members"]
        self.changes: Collection = database["changes"]
        self.messages: Collection = database["messages"]
        self.bans: Collection = database["bans"]
        self.user_blocks: Collection = database["user_blocks"]
        self.invites: Collection = database["invites"]
        self.claims: Collection = database["claims"]
        self.hooks: Collection = database["hooks"]
        self.hook_deliveries: Collection = database["hook_deliveries"]
        self.uploads: Collection = database["uploads"]
        self.quotas: Collection = database["quotas"]
        self.freed_files: Collection = database["freed_files"]
        self.files: Collection = database["files"]
        self.file_pieces: Collection = database["file_pieces"]
        self.file_writings: Collection = database["file_writings"]
        self.admin_acts: Collection = database["admin_acts"]
        self.audit: Collection = database["audit"]
        self.leases: Collection = database["leases"]
        # Hints stand in the collection of the log, so that one command inserts the rows of a batch and their hint.
        self.hints: Collection = self.changes
        self.records: Collection = database["records"]
        self.finds_many = False
        """Whether one query for several documents by `_id` uses the index. FerretDB uses it for one document only: a
        query for many takes the longer the more documents the collection has."""
        self.health = StoreHealth(self.probe)
        self._closed = False

    def collections(self) -> Iterable[Collection]:
        """All of them, each once."""
        found = [one for one in vars(self).values() if isinstance(one, AsyncIOMotorCollection)]
        return {one.name: one for one in found}.values()

    async def probe(self) -> None:
        """Raises: `Unavailable`."""
        await self.with_retry(self.prove)

    async def prove(self) -> None:
        """A small write, with the write concern of all others. Raises: the driver's errors."""
        # If another node inserts the document in the same moment, that is a write as well.
        with suppress(DuplicateKeyError):
            await self.meta.update_one({"_id": "probe"}, {"$set": {"mark": uuid4().hex}}, upsert=True)

    def close(self) -> None:
        self._closed = True
        self.client.close()

    async def with_retry(self, call: Callable[[], Awaitable[ResultT]]) -> ResultT:
        """The result of a call that is safe to repeat. It is repeated while the connection breaks.

        Raises: `Unavailable`; of the driver's errors only `DuplicateKeyError` and `BulkWriteError`.
        """
        deadline = asyncio.get_running_loop().time() + RETRY_S
        while True:
            try:
                return await self.once(call)
            except UnknownOutcome as unknown:
                if asyncio.get_running_loop().time() > deadline:
                    error = unknown.unavailable()
                    if not self.health.failing:
                        self.health.failed(error)  # of reads too: they use the same server
                    raise error from unknown
                await asyncio.sleep(_PAUSE_S)

    async def once(self, call: Callable[[], Awaitable[ResultT]]) -> ResultT:
        """The result of a call that is not safe to repeat. Raises: `UnknownOutcome`, and as `with_retry`."""
        if self._closed:
            raise Unavailable("the store is closed", "closed")
        try:
            return await call()
        except WriteConcernError as error:
            raise UnknownOutcome(brief(error), "unconfirmed") from error
        except (ConnectionFailure, ExecutionTimeout) as error:
            raise UnknownOutcome(brief(error)) from error
        except BulkWriteError as error:
            if error.details.get("writeConcernErrors"):
                raise UnknownOutcome("the write concern was not met", "unconfirmed") from error
            for failed in error.details["writeErrors"]:
                if failed["code"] != _DUPLICATE_KEY:
                    raise refused(failed["code"], failed["errmsg"]) from error
            raise
        except DuplicateKeyError:
            raise
        except PyMongoError as error:
            if self._closed:
                raise Unavailable("the store is closed", "closed") from error
            raise refused(getattr(error, "code", None), brief(error)) from error

    async def get(self, collection: Collection, key: str) -> Document | None:
        """The document with this `_id`."""
        return await self.with_retry(lambda: collection.find_one({"_id": key}))

    async def get_many(self, collection: Collection, keys: Sequence[str]) -> Sequence[Document]:
        """The documents with these `_id`s, in no order."""
        if len(keys) < 2:
            return [found for key in keys if (found := await self.get(collection, key)) is not None]
        return await self.find(collection, {"_id": {"$in": list(keys)}})

    async def get_each(self, collection: Collection, keys: Sequence[str]) -> Sequence[Document | None]:
        """The documents with these `_id`s, in this order; None for one that is not there."""
        if self.finds_many:
            by_key = {one["_id"]: one for one in await self.get_many(collection, keys)}
            return [by_key.get(key) for key in keys]
        found: list[Document | None] = []
        for start in range(0, len(keys), _EACH_AT_ONCE):
            some = keys[start : start + _EACH_AT_ONCE]
            found += await asyncio.gather(*(self.get(collection, key) for key in some))
        return found

    async def find(
        self,
        collection: Collection,
        wanted: Mapping[str, Any],
        *,
        sort: Sequence[tuple[str, int]] = (),
        limit: int = 0,
        fields: Sequence[str] = (),
        at_once: int = 0,
    ) -> Sequence[Document]:
        """The documents that match the filter; no limit with 0, whole documents without `fields`. `at_once` is how many
        one answer of the server brings; with 0 it decides."""

        def query() -> Awaitable[list[Document]]:
            cursor = collection.find(wanted, dict.fromkeys(fields, 1) if fields else None)
            if sort:
                cursor = cursor.sort(list(sort))
            return cursor.limit(limit).batch_size(at_once).to_list(None)

        return await self.with_retry(query)

    async def count(self, collection: Collection, wanted: Mapping[str, Any]) -> int:
        """How many documents match the filter."""
        return await self.with_retry(lambda: collection.count_documents(wanted))

    async def bytes_on_disk(self) -> int:
        """What the data and the indexes take on the disk of the server."""
        found = await self.with_retry(lambda: self.client[self.name].command("dbStats"))
        return int(found.get("storageSize", 0)) + int(found.get("indexSize", 0))

    async def add(self, collection: Collection, document: Document) -> bool:
        """Inserts a document. Returns whether it is inserted: False if another document has one of its unique values.

        If the connection breaks, the insert is repeated, and the repeat may fail because the first try succeeded. To
        recognize this, the document needs a field `by` with a value of its own: then the result is True. Without `by`
        the result is False in this case, although the document is there. Raises: `Unavailable`.
        """
        try:
            await self.with_retry(lambda: collection.insert_one(document))
        except DuplicateKeyError:
            if "by" not in document:
                return False
            found = await self.get(collection, document["_id"])
            return found is not None and found.get("by") == document["by"]
        return True


def refused(code: int | None, reason: str) -> Unavailable:
    """The error for a call that the server refused. The server's text is cut at the first brace: what follows may be a
    command or a document."""
    short = " ".join(reason.partition("{")[0].split())[:_REASON_CHARS]
    return Unavailable(f"MongoDB: {short} (code {code})", trouble_of(code, short))


def duplicates(error: BulkWriteError) -> Sequence[int]:
    """Which of the documents, by position, were not inserted because of a duplicate key."""
    return [failed["index"] for failed in error.details["writeErrors"]]


def brief(error: Exception) -> str:
    """The first part of the driver's text: the rest describes the topology at length."""
    text = (
        str(error).split(" (configured timeouts", 1)[0].split(", Timeout:", 1)[0].split(", full error", 1)[0]
    )
    return " ".join(text.split())
