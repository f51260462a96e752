"""Indexes, and the version of the schema.

All indexes are created when the store opens; one that exists already costs nothing. FerretDB searches by
no other index than that of `_id`, and has no partial ones: it gets those that keep values unique, and where a value is
optional and unique, an absent one is stored as `#` followed by something unique.
"""

import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError, OperationFailure

from domain.text import name_key
from storage.errors import StorageError
from storage.mongo import restore_mark, search_fill
from storage.mongo.database import Collection, Database
from storage.username_keys import namesake_key

_log = logging.getLogger(__name__)

BY_MENTION = (("chat_id", 1), ("extra.mentions", 1), ("seq", 1))

BY_SENDER = (("chat_id", 1), ("deleted", 1), ("sender_id", 1), ("seq", 1))

_KEY = "schema"
_STORE_ID = "store_id"
_EPOCH_KEY = "epoch"
_INDEX_NOT_FOUND = 27


def plain(*fields: str) -> IndexModel:
    return IndexModel([(field, 1) for field in fields])


def unique(*fields: str) -> IndexModel:
    return IndexModel([(field, 1) for field in fields], unique=True)


def indexes(database: Database) -> Mapping[Collection, Sequence[IndexModel]]:
    # See `storage.mongo.pins`: of few messages, so a send pays nothing.
    pins = IndexModel([("chat_id", 1), ("pinned", 1)], partialFilterExpression={"pinned": True})

    return {
        database.blocks: [plain("kind", "number")],
        database.users: [
            unique("username_key"),
            unique("email_key"),
            plain("display_name_key"),
            plain("deleted", "id"),
            plain("avatar_id"),
            plain("owner_id"),
            plain("login_key"),
        ],
        database.bans: [plain("chat_id", "user_id")],
        database.user_blocks: [plain("user_id", "blocked_id")],
        database.invites: [plain("chat_id", "created_at")],
        database.claims: [plain("invite")],
        database.hooks: [plain("chat_id"), plain("key_hash"), plain("kind", "id")],
        database.audit: [plain("chat_id", "id")],
        database.admin_acts: [plain("n"), plain("user_id", "n")],
        database.sessions: [plain("user_id")],
        database.tokens: [plain("session_id", "expires_at")],
        database.pairs: [plain("users", "generation")],
        database.chats: [plain("deleted", "swept"), plain("is_public", "id"), plain("avatar_id")],
        database.uploads: [
            plain("user_id", "message_id"),
            plain("message_id", "created_at"),
            plain("size_bytes"),
        ],
        database.quotas: [plain("user_id", "n"), unique("entry")],
        database.file_writings: [plain("begun_at")],
        database.members: [
            # All members, and pages of them in the order in which they joined.
            plain("chat_id", "gone", "joined_at", "user_id"),
            plain("user_id", "gone"),
        ],
        database.changes: [
            plain("chat_id", "n"),
            unique("sender_id", "client_id"),
            # The versions of a message, and all that was ever said about it.
            plain("message_id", "kind", "n"),
        ],
        database.messages: [
            # History and newest; with the sender in it, unread is counted from the index alone.
            plain("chat_id", "deleted", "seq", "sender_id"),
            # Unread where that one does not suffice: from the last message of a sender one step leads to the next one.
            IndexModel(list(BY_SENDER)),
            plain("chat_id", "changed_seq"),
            pins,
            IndexModel(list(BY_MENTION)),
            # Search: for each word of a message, in each of the user's chats, the newest first.
            IndexModel([("words", 1), ("chat_id", 1), ("created_at", -1), ("seq", -1)]),
        ],
    }


_REPLACED = frozenset({"message_id_1"})
"""Indexes of the log that earlier versions made, and in whose place there are others."""


async def _names(database: Database) -> str:
    """Renews the keys of names, which were only case-folded before; see `domain.text`, and `storage.username_keys` for
    names that are now the same. Keys that are right already are skipped, so the step may be interrupted anywhere."""
    users, changed = database.users, 0
    fields = ["username", "username_key", "display_name", "display_name_key"]
    # In one order, so that of namesakes every node gives the key of the name to the same.
    async for user in users.find({}, dict.fromkeys(fields, 1)).sort("_id", 1):
        one = {"_id": user["_id"]}
        key = name_key(user["display_name"])
        if user["display_name_key"] != key:
            # Unless another node has changed the name meanwhile, and the key with it.
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


async def _nodes(_database: Database) -> str:
    """Changes nothing but the version: servers of versions that know no hints refuse to start on it."""
    return (
        "nodes learn from each other what they write; stop the servers of earlier versions that still run on this"
        " database, as no other node learns what those write, and they cannot start on it again"
    )


STEPS: Sequence[Callable[[Database], Awaitable[str]]] = (_names, _nodes)
"""Step n leads from version n + 1 to n + 2, and returns what it did. It may be taken twice, by two nodes at once."""

VERSION = 1 + len(STEPS)

_COMPARABLE_NAMES = 2
"""The version from which on the keys of usernames are those of now."""


async def prepare(database: Database) -> None:
    """Raises: `StorageError` if the data is of a newer version, or a restore is filling the database; the driver's
    errors."""
    await restore_mark.check(database)
    await prepare_marked(database)


async def check_readable(database: Database) -> None:
    """Raises: `StorageError` if there is no data that this version can read; the driver's errors."""
    await restore_mark.check(database)
    version = await _version(database)
    if version is None:
        raise StorageError(f"database {database.name} has no data of a chat server")
    if version < _COMPARABLE_NAMES:
        raise StorageError(
            f"the schema of database {database.name} has version {version}: start a server of this version on it first"
        )


async def _version(database: Database) -> int | None:
    """The version of the data; None if there is none. Raises: `StorageError` if it is newer than this server; the
    driver's errors."""
    found = await database.meta.find_one({"_id": _KEY})
    if found is not None and found["version"] > VERSION:
        raise StorageError(
            f"the schema of database {database.name} has version {found['version']}, this server knows versions up"
            f" to {VERSION}: use the server that wrote it, or a newer one"
        )
    return None if found is None else int(found["version"])


async def prepare_marked(database: Database) -> None:
    """As `prepare`, also while a restore is filling the database."""
    found = await _version(database)
    for collection, models in indexes(database).items():
        for model in models:
            if database.finds_many or "unique" in model.document:
                # One at a time: FerretDB 1.24 panics at several that exist already.
                await collection.create_indexes([model])
    await _drop_replaced(database)
    # Of several nodes, the one that inserts it first decides.
    with suppress(DuplicateKeyError):
        await database.meta.insert_one({"_id": _EPOCH_KEY, "value": secrets.token_hex(16)})
    if found is None:
        with suppress(DuplicateKeyError):  # of servers that start at once, all write the same
            await database.meta.update_one(
                {"_id": search_fill.KEY}, {"$set": search_fill.done_note()}, upsert=True
            )
            await database.meta.update_one({"_id": _KEY}, {"$set": {"version": VERSION}}, upsert=True)
        return
    for version in range(found, VERSION):
        said = await STEPS[version - 1](database)
        await database.meta.update_one({"_id": _KEY}, {"$max": {"version": version + 1}})
        _log.info("the database went from schema version %d to %d: %s", version, version + 1, said)


async def _drop_replaced(database: Database) -> None:
    """Drops the indexes of `_REPLACED`. Raises: the driver's errors."""
    for name in _REPLACED & (await database.changes.index_information()).keys():
        try:
            await database.changes.drop_index(name)
        except OperationFailure as error:
            if error.code != _INDEX_NOT_FOUND:  # as it is when another node has dropped it
                raise


async def store_id(database: Database) -> str:
    """The id of this store, created if there is none; if several nodes create one at once, the first one counts."""
    await database.add(database.meta, {"_id": _STORE_ID, "value": secrets.token_hex(16)})
    found = await database.get(database.meta, _STORE_ID)
    assert found is not None
    return str(found["value"])


async def epoch_of(database: Database) -> str:
    """See `storage.ports.Store.epoch`. Raises: `Unavailable`."""
    document = await database.get(database.meta, _EPOCH_KEY)
    assert document is not None
    return str(document["value"])
