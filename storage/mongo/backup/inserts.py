"""Inserts many documents of a new database."""

from collections.abc import Iterable, Sequence

from pymongo.errors import BulkWriteError

from storage.errors import StorageError
from storage.mongo.database import Collection, Database, Document, duplicates

_AT_ONCE = 1000
_FEW_AT_ONCE = 100
"""How many documents one command inserts; FerretDB 1.24 takes a hundred at a time."""


class Inserts:
    """Gathers documents, and inserts those of a collection when there are enough."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._at_once = _AT_ONCE if database.finds_many else _FEW_AT_ONCE
        self._waiting: dict[str, tuple[Collection, list[Document]]] = {}

    async def add(self, collection: Collection, documents: Iterable[Document]) -> None:
        """Raises: `StorageError` if one of the documents has a unique value that another one has; `Unavailable`."""
        _, waiting = self._waiting.setdefault(collection.name, (collection, []))
        waiting += documents
        while len(waiting) >= self._at_once:
            some, waiting[:] = waiting[: self._at_once], waiting[self._at_once :]
            await self._insert(collection, some)

    async def flush(self) -> None:
        """Inserts what waits. Raises: as `add`."""
        for collection, waiting in self._waiting.values():
            if waiting:
                await self._insert(collection, waiting)
        self._waiting.clear()

    async def _insert(self, collection: Collection, documents: Sequence[Document]) -> None:
        tries = 0

        async def insert() -> None:
            nonlocal tries
            tries += 1
            await collection.insert_many(documents, ordered=False)

        try:
            await self._database.with_retry(insert)
        except BulkWriteError as error:
            doubtful = [documents[index] for index in duplicates(error)]
            # A try before may have inserted them, before the connection broke.
            if tries == 1 or not await self._are_there(collection, doubtful):
                raise StorageError(
                    f"two records of the backup have the same unique value ({collection.name})"
                ) from None

    async def _are_there(self, collection: Collection, documents: Sequence[Document]) -> bool:
        found = await self._database.get_each(collection, [one["_id"] for one in documents])
        return list(found) == list(documents)
