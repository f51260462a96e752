"""Indexes, and the version of all there is.

Every index is made when the store opens; one that is there already costs nothing. The common subset has no partial
indexes: where a value is optional and unique, an absent one is stored as `#` and something of its own.
"""

import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from domain.text import name_key
from storage.errors import StorageError
from storage.mongo.database import Collection, Database
from storage.names import namesake_key

_log = logging.getLogger(__name__)

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


async def _names(database: Database) -> str:
    """The keys of names were case-folded before; see `domain.text`, and `storage.names` for names that are the same
    from now on. What is done already is not done again, so it does not matter where a server was stopped."""
    users, changed = database.users, 0
    fields = ["username", "username_key", "display_name", "display_name_key"]
    # In one order, so that of namesakes every server gives the key of the name to the same.
    async for user in users.find({}, dict.fromkeys(fields, 1)).sort("_id", 1):
        one = {"_id": user["_id"]}
        key = name_key(user["display_name"])
        if user["display_name_key"] != key:
            # Unless another server has changed the name meanwhile, and the key with it.
            shown = one | {"display_name": user["display_name"]}
            await users.update_one(shown, {"$set": {"display_name_key": key}})
            changed += 1
        key, spare = name_key(user["username"]), namesake_key(user["username"])
        if user["username_key"] in (key, spare):
            continue
        if await users.find_one({"username_key": key, "_id": {"$ne": user["_id"]}}, {"_id": 1}):
            key = spare
        await users.update_one(one, {"$set": {"username_key": key}})
        changed += 1
    what = "usernames and display names compare without case and whatever their Unicode form (NFKC)"
    return f"{what} ({changed} keys changed)"


STEPS: Sequence[Callable[[Database], Awaitable[str]]] = (_names,)
"""Step n leads from version n + 1 to n + 2, and returns what it did. It may be taken twice, by two servers at once."""

VERSION = 1 + len(STEPS)


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
        await database.meta.insert_one({"_id": _EPOCH_KEY, "value": secrets.token_hex(16)})
    if found is None:
        with suppress(DuplicateKeyError):  # of servers that start at once one writes it, the others the same
            await database.meta.update_one({"_id": _KEY}, {"$set": {"version": VERSION}}, upsert=True)
        return
    for version in range(found["version"], VERSION):
        said = await STEPS[version - 1](database)
        await database.meta.update_one({"_id": _KEY}, {"$max": {"version": version + 1}})
        _log.info("the database went from schema version %d to %d: %s", version, version + 1, said)


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
