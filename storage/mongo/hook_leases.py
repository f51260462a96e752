"""Which node delivers for a hook.

Each lease of a hook has a number, and is a document of the collection `claims` with the number in its `_id`: the node
that inserts it has the lease, so of several nodes one does, on FerretDB too. The last lease counts.
"""

from collections.abc import Collection

from storage.mongo.database import Database, Document

_KEPT = 10
"""How many leases of a hook are kept. A node that looks for the last one begins at a number that may be old."""


async def take(database: Database, hook_id: int, incarnation: str, living: Collection[str]) -> int | None:
    """See `storage.hook_ports.Hooks.take`."""
    while True:
        delivery = await database.get(database.hook_deliveries, str(hook_id))
        if delivery is None:
            return None
        number = int(delivery["lease"])
        last = await _find(database, hook_id, number)
        while (following := await _find(database, hook_id, number + 1)) is not None:
            number, last = number + 1, following
        if last is not None and last["holder"] == incarnation:
            await _note(database, hook_id, number)  # the first try may have been interrupted
            return number
        if last is not None and last["holder"] in living:
            return None
        if await _insert(database, hook_id, number + 1, incarnation):
            return number + 1


async def is_last(database: Database, hook_id: int, lease: int) -> bool:
    """Whether nobody has taken the hook since."""
    return await _find(database, hook_id, lease + 1) is None


async def _insert(database: Database, hook_id: int, number: int, incarnation: str) -> bool:
    lease = {"_id": _key(hook_id, number), "holder": incarnation, "by": f"{incarnation}:{number}"}
    if not await database.add(database.claims, lease):
        return False
    await _note(database, hook_id, number)
    await database.with_retry(lambda: database.claims.delete_one({"_id": _key(hook_id, number - _KEPT)}))
    return True


async def _note(database: Database, hook_id: int, number: int) -> None:
    """Notes the number of the last lease."""
    await database.with_retry(
        lambda: database.hook_deliveries.update_one({"_id": str(hook_id)}, {"$max": {"lease": number}})
    )


async def _find(database: Database, hook_id: int, number: int) -> Document | None:
    return await database.get(database.claims, _key(hook_id, number))


def _key(hook_id: int, number: int) -> str:
    return f"hook:{hook_id}:{number}"
