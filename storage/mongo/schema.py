"""Indexes, and the version of all there is.

Every index is made when the store opens; one that is there already costs nothing. The common subset has no partial
indexes: where a value is optional and unique, an absent one is stored as `#` and something of its own.
"""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from secrets import token_hex

from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from storage.errors import StorageError
from storage.mongo.database import Collection, Database

VERSION = 1

BY_SENDER = (("chat_id", 1), ("deleted", 1), ("sender_id", 1), ("seq", 1))

_KEY = "schema"
_STORE_ID = "store_id"
_EPOCH_KEY = "epoch"


def indexes(database: Database) -> Mapping[Collection, Sequence[IndexModel]]:
    def plain(*fields: str) -> IndexModel:
        return IndexModel([(field, 1) for field in fields])

    def unique(*fields: str) -> IndexModel:
        return IndexModel([(field, 1) for field in fields], unique=True)

    return {
        database.blocks: [plain("kind", "number")],
        database.users: [
            unique("username_key"),
            unique("email_key"),
            plain("display_name_key"),
            plain("deleted", "id"),
        ],
        database.sessions: [plain("user_id")],
        database.tokens: [plain("session_id", "expires_at")],
        database.pairs: [plain("users", "generation")],
        database.chats: [plain("deleted", "swept")],
        database.members: [
            # All members, and pages of them in the order in which they came.
            plain("chat_id", "gone", "joined_at", "user_id"),
            plain("user_id", "gone"),
        ],
        database.changes: [
            plain("chat_id", "n"),
            unique("sender_id", "client_id"),
            plain("message_id"),
        ],
        database.messages: [
            # History and newest; with the sender in it, unread is counted from the index alone.
            plain("chat_id", "deleted", "seq", "sender_id"),
            # Unread where that one does not do: from the last message of a sender one step leads to the next sender.
            IndexModel(list(BY_SENDER)),
            plain("chat_id", "changed_seq"),
        ],
    }


async def prepare(database: Database) -> None:
    """Raises: `StorageError` if the data is of a newer version; the driver's errors."""
    found = await database.meta.find_one({"_id": _KEY})
    if found is not None and found["version"] > VERSION:
        raise StorageError(
            f"the schema of database {database.name} has version {found['version']}, this server knows versions up"
            f" to {VERSION}: use the server that wrote it, or a newer one"
        )
    for collection, models in indexes(database).items():
        for model in models:  # one at a time: of several that are there already FerretDB 1.24 makes a panic
            await collection.create_indexes([model])
    # Whoever inserts it first has made it.
    with suppress(DuplicateKeyError):
        await database.meta.insert_one({"_id": _EPOCH_KEY, "value": token_hex(16)})
    if found is None:
        # Two servers that start at once write the same.
        await database.meta.update_one({"_id": _KEY}, {"$set": {"version": VERSION}}, upsert=True)


async def store_id(database: Database) -> str:
    """The name of this store, made when there is none; of servers that make one at once the first counts."""
    await database.add(database.meta, {"_id": _STORE_ID, "value": secrets.token_hex(16)})
    found = await database.get(database.meta, _STORE_ID)
    assert found is not None
    return str(found["value"])


async def epoch_of(database: Database) -> str:
    """See `storage.ports.Store.epoch`. Raises: `Unavailable`."""
    document = await database.get(database.meta, _EPOCH_KEY)
    assert document is not None
    return str(document["value"])
