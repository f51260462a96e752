"""Bulk writes of documents that several nodes may write at once."""

from collections.abc import Sequence
from functools import partial

from pymongo import InsertOne, UpdateOne
from pymongo.errors import BulkWriteError

from storage.mongo.database import Collection, Database, Document, duplicates

_AT_ONCE = 32
"""How many updates go into one command. With a hundred and more, FerretDB 1.24 deadlocks."""


async def insert_missing(
    database: Database, collection: Collection, documents: Sequence[Document]
) -> Sequence[int]:
    """Inserts documents; the positions of those that exist already. Raises: `Unavailable`."""
    if not documents:
        return ()
    try:
        await database.with_retry(
            lambda: collection.bulk_write([InsertOne(document) for document in documents], ordered=False)
        )
    except BulkWriteError as error:
        return duplicates(error)
    return ()


async def update_all(database: Database, collection: Collection, updates: Sequence[UpdateOne]) -> None:
    """Makes updates, in no order. Raises: `Unavailable`; some of them may be made then."""
    for start in range(0, len(updates), _AT_ONCE):
        some = list(updates[start : start + _AT_ONCE])
        await database.with_retry(partial(collection.bulk_write, some, ordered=False))
