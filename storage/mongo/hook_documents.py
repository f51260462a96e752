"""The documents of hooks, and of how far outgoing ones are.

The document of a hook is inserted before the row that adds the hook, with what authenticates it, which no row holds. It
counts from the row on: `n` is the last row that it reflects, 0 before the first. The document of a removed hook stays,
empty, so that an earlier row that is projected again does not bring the hook back. What is delivered is a document of
its own: other nodes change the hook meanwhile.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from domain.decisions.hooks import resumed
from domain.hooks import Delivery, Hook, user_of
from domain.text import name_key
from storage.mongo.bulk import insert_missing
from storage.mongo.database import Database, Document
from storage.mongo.documents import user_document
from storage.mongo.log import Row
from storage.times import from_micros, to_micros

_THERE: Document = {"n": {"$gt": 0}, "ended": False}


def hook_document(hook: Hook) -> Document:
    """What rows hold of a hook, too."""
    return {
        "id": hook.id,
        "chat_id": hook.chat_id,
        "kind": hook.kind,
        "name": hook.name,
        "user_id": hook.user_id,
        "created_by": hook.created_by,
        "created_at": to_micros(hook.created_at),
        "target_url": hook.target_url,
        "events": list(hook.events),
        "include_bots": hook.include_bots,
        "paused": hook.paused,
    }


def hook_of(document: Document) -> Hook:
    return Hook(
        document["id"],
        document["chat_id"],
        document["kind"],
        document["name"],
        document["user_id"],
        document["created_by"],
        from_micros(document["created_at"]),
        document["target_url"],
        tuple(document["events"]),
        document["include_bots"],
        document["paused"],
    )


async def insert(database: Database, hook: Hook, key_hash: str | None, secret: str | None) -> None:
    """Inserts a hook that no row has added yet, and its user."""
    document = {
        "_id": str(hook.id),
        **hook_document(hook),
        "key_hash": key_hash,
        "secret": secret,
        "n": 0,
        "ended": False,
    }
    await database.add(database.users, user_document(user_of(hook)))
    await database.add(database.hooks, document)


async def take_back(database: Database, hook: Hook) -> None:
    """Removes a hook that was refused, and its user."""
    for collection, key in ((database.hooks, str(hook.id)), (database.users, str(hook.user_id))):
        await database.with_retry(partial(collection.delete_one, {"_id": key}))


async def get(database: Database, hook_id: int) -> Hook | None:
    document = await document_of(database, hook_id)
    return None if document is None else hook_of(document)


async def document_of(database: Database, hook_id: int) -> Document | None:
    document = await database.get(database.hooks, str(hook_id))
    return document if document is not None and document["n"] > 0 and not document["ended"] else None


async def by_key(database: Database, key_hash: str) -> Hook | None:
    found = await database.find(database.hooks, {"key_hash": key_hash, **_THERE}, limit=1)
    return hook_of(found[0]) if found else None


async def of_chat(database: Database, chat_id: int) -> Sequence[Hook]:
    """By id."""
    return list(map(hook_of, await documents_of(database, chat_id)))


async def documents_of(database: Database, chat_id: int) -> Sequence[Document]:
    """The hooks of a chat with what authenticates them, by id."""
    return await database.find(database.hooks, {"chat_id": chat_id, **_THERE}, sort=[("id", 1)])


async def outgoing(database: Database, after_id: int, limit: int) -> Sequence[Document]:
    """Of all chats, by id."""
    wanted = {"kind": "outgoing", "id": {"$gt": after_id}, **_THERE}
    return await database.find(database.hooks, wanted, sort=[("id", 1)], limit=limit)


async def set_key(database: Database, hook_id: int, key_hash: str | None, secret: str | None) -> None:
    values = {"$set": {"key_hash": key_hash, "secret": secret}}
    await database.with_retry(
        lambda: database.hooks.update_one({"_id": str(hook_id), "ended": False}, values)
    )


async def delivery(database: Database, hook_id: int) -> Delivery:
    """How far the hook is; the empty value for an incoming one."""
    document = await database.get(database.hook_deliveries, str(hook_id))
    return Delivery() if document is None else _delivery_of(document)


async def stopped(database: Database, hooks: Sequence[Hook]) -> set[int]:
    """The ids of those of the hooks whose delivery the server has given up."""
    keys = [str(hook.id) for hook in hooks if hook.kind == "outgoing"]
    found = await database.get_each(database.hook_deliveries, keys)
    return {int(one["_id"]) for one in found if one is not None and one["stopped"]}


def delivery_document(delivery: Delivery) -> Document:
    return {
        "position": delivery.position,
        "attempts": delivery.attempts,
        "failing_since": _micros(delivery.failing_since),
        "last_error": delivery.last_error,
        "next_try_at": _micros(delivery.next_try_at),
        "stopped": delivery.stopped,
    }


async def project_added(database: Database, row: Row, data: Document) -> None:
    """See `storage.mongo.chat_projection`."""
    values = data["hook"]
    if await _is_newer(database, row, values["id"]):
        if values["kind"] == "outgoing":
            begun = {"_id": str(values["id"]), "lease": 0, **delivery_document(Delivery(row.seq))}
            await insert_missing(database, database.hook_deliveries, [begun])
        await _update(database, row, values["id"], {**values, "ended": False})


async def project_changed(database: Database, row: Row, data: Document) -> None:
    """See `storage.mongo.chat_projection`."""
    values = data["hook"]
    hook_id = values["id"]
    if not await _is_newer(database, row, hook_id):
        return
    if "name" in data["changed"]:
        names = {"display_name": values["name"], "display_name_key": name_key(values["name"])}
        await _update_user(database, values["user_id"], names)
    if data["resumed"] and values["kind"] == "outgoing":
        going_on = resumed(await delivery(database, hook_id), row.seq)
        await database.with_retry(
            lambda: database.hook_deliveries.update_one(
                {"_id": str(hook_id)}, {"$set": delivery_document(going_on)}
            )
        )
    await _update(database, row, hook_id, values)


async def project_removed(database: Database, row: Row, data: Document) -> None:
    """See `storage.mongo.chat_projection`."""
    values = data["hook"]
    if await _is_newer(database, row, values["id"]):
        await _end(database, values["id"], values["user_id"])
        gone = {"ended": True, "key_hash": None, "secret": None, "target_url": None}
        await _update(database, row, values["id"], gone)


async def remove_of(database: Database, chat_id: int) -> None:
    """Removes the hooks of a chat that is deleted, and ends their users."""
    for document in await database.find(database.hooks, {"chat_id": chat_id}):
        await _end(database, document["id"], document["user_id"])
        await database.with_retry(partial(database.hooks.delete_one, {"_id": document["_id"]}))


async def _end(database: Database, hook_id: int, user_id: int) -> None:
    """Ends the user of a hook, and forgets how far the hook was."""
    key = {"_id": str(hook_id)}
    await database.with_retry(lambda: database.hook_deliveries.delete_one(key))
    user = await database.get(database.users, str(user_id))
    if user is not None:
        names = {"display_name": user["username"], "display_name_key": user["username_key"]}
        await _update_user(database, user_id, {**names, "deleted": True})


async def _is_newer(database: Database, row: Row, hook_id: int) -> bool:
    """Whether the row is newer than what the document of the hook, which is there, says."""
    document = await database.get(database.hooks, str(hook_id))
    return document is not None and document["n"] < row.n


async def _update(database: Database, row: Row, hook_id: int, values: Document) -> None:
    wanted = {"_id": str(hook_id), "n": {"$lt": row.n}}
    await database.with_retry(lambda: database.hooks.update_one(wanted, {"$set": {**values, "n": row.n}}))


async def _update_user(database: Database, user_id: int, values: Document) -> None:
    await database.with_retry(lambda: database.users.update_one({"_id": str(user_id)}, {"$set": values}))


def _delivery_of(document: Document) -> Delivery:
    return Delivery(
        document["position"],
        document["attempts"],
        _moment(document["failing_since"]),
        document["last_error"],
        _moment(document["next_try_at"]),
        document["stopped"],
    )


def _micros(at: datetime | None) -> int | None:
    return None if at is None else to_micros(at)


def _moment(value: int | None) -> datetime | None:
    return None if value is None else from_micros(value)
