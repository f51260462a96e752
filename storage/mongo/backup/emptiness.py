"""Whether a database may be filled, and how it becomes empty."""

import asyncio
from collections.abc import Callable, Sequence

from storage.errors import StorageError
from storage.mongo import restore_mark
from storage.mongo.database import Database
from storage.mongo.leases import Leases
from storage.node_ports import Lease

LOOK_EVERY_S = 0.5


async def check_empty(database: Database) -> None:
    """Raises: `StorageError` if the database has data; `Unavailable`. What a server leaves behind that nobody has used
    is none."""
    for collection in (
        database.users,
        database.sessions,
        database.chats,
        database.members,
        database.messages,
        database.uploads,
        database.files,
        database.audit,
    ):
        if await database.find(collection, {}, limit=1, fields=["_id"]):
            raise StorageError(f"database {database.name} is not empty: restore into a new one")


async def check_unused(database: Database, lease_s: float, say: Callable[[str], None]) -> None:
    """Raises: `StorageError` if a node lives on the database; `Unavailable`. A lease that has not ended is watched for
    `lease_s`: a node that lives renews it. `say` is called with a line before that."""
    leases = Leases(database, "")
    loop = asyncio.get_running_loop()
    before = await _living(leases)
    until_s = loop.time() + lease_s
    if before:
        say(f"finding out for up to {lease_s:g} s whether a server runs on database {database.name}")
    while before and loop.time() < until_s:
        await asyncio.sleep(LOOK_EVERY_S)
        for lease in await _living(leases):
            if lease not in before:  # a new one, or one that is renewed
                raise StorageError(f"a server runs on database {database.name}: stop it first")


async def clear(database: Database) -> None:
    """Removes everything but the mark of a restore. Raises: `Unavailable`."""
    for collection in database.collections():
        if collection.name != database.meta.name:
            await database.with_retry(collection.drop)
    await database.with_retry(lambda: database.meta.delete_many({"_id": {"$ne": restore_mark.KEY}}))


async def _living(leases: Leases) -> Sequence[Lease]:
    return [lease for lease in await leases.all() if not lease.ended]
