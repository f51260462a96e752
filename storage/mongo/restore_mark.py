"""The mark of a database that a restore is filling.

A restore takes minutes and may die in the middle, and until it is done there is no store. So a document of `meta` marks
the database from before the first write to after the last one: who opens a marked database refuses it, and the next
restore removes what is there. Who fills the database renews the mark; a mark that stays the same is left over.

A node that starts meanwhile writes its lease first and looks for the mark then, and a restore writes the mark first and
looks for leases then. So one of the two sees the other.
"""

import asyncio
from uuid import uuid4

from storage.errors import StorageError, Unavailable
from storage.mongo.database import Database, Document

RENEWED_EVERY_S = 2.0

LEFT_OVER_S = 10.0
"""How long a mark stays the same before it counts as left over."""

LOOK_EVERY_S = 0.5

KEY = "restore"


async def check(database: Database) -> None:
    """Raises: `StorageError` if the database is marked; the driver's errors."""
    if await database.meta.find_one({"_id": KEY}) is not None:
        raise StorageError(
            f"a restore is filling database {database.name}, or was interrupted: wait for its end, or run `vestnik"
            " restore` again"
        )


class RestoreMark:
    """The mark of this restore. `take` comes first."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._by = uuid4().hex
        self._beat = 0
        self._renewal: asyncio.Task[None] | None = None
        self._lost = False
        self.is_left_over = False
        """Whether what is in the database was left by an interrupted restore, which had found it empty."""

    async def is_there(self) -> bool:
        """Whether the database is marked, by whatever restore. Raises: `Unavailable`."""
        return await self._database.get(self._database.meta, KEY) is not None

    async def take(self) -> None:
        """Marks the database. Raises: `StorageError` if another restore is filling it."""
        meta = self._database.meta
        if not await self._database.add(meta, self._document(is_filling=False)):
            found = await self._left_over()
            self.is_left_over = found is not None and found["is_filling"]
            mine = self._document(is_filling=self.is_left_over)
            await self._database.with_retry(lambda: meta.replace_one({"_id": KEY}, mine, upsert=True))
            await asyncio.sleep(LOOK_EVERY_S)  # of restores that take it at once, the last one has it
        await self.check_held()
        self._renewal = asyncio.get_running_loop().create_task(self._renew())

    async def begin_filling(self) -> None:
        """Notes that what is in the database from now on is this restore's, to be removed if it is interrupted."""
        meta = self._database.meta
        await self._database.with_retry(
            lambda: meta.update_one({"_id": KEY, "by": self._by}, {"$set": {"is_filling": True}})
        )
        await self.check_held()

    async def check_held(self) -> None:
        """Raises: `StorageError` if another restore has taken the mark: this process was stopped for a while."""
        found = await self._database.get(self._database.meta, KEY)
        if found is None or found["by"] != self._by:
            self._lost = True
        self.check()

    def check(self) -> None:
        """The same by the last look."""
        if self._lost:
            raise StorageError("another restore is filling the database")

    async def remove(self) -> None:
        """Ends the restore: the database is a store, or empty."""
        await self.let_go()
        meta = self._database.meta
        await self._database.with_retry(lambda: meta.delete_one({"_id": KEY, "by": self._by}))

    async def let_go(self) -> None:
        """Renews the mark no more."""
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.wait((self._renewal,))
            self._renewal = None

    async def _left_over(self) -> Document | None:
        """The mark that is there, once it is certain that nobody renews it; None if it is gone. Raises: `StorageError`
        if somebody does."""
        meta, loop = self._database.meta, asyncio.get_running_loop()
        first = await self._database.get(meta, KEY)
        until_s = loop.time() + LEFT_OVER_S
        while first is not None and loop.time() < until_s:
            await asyncio.sleep(LOOK_EVERY_S)
            now = await self._database.get(meta, KEY)
            if now is None:
                return None
            if now != first:
                raise StorageError("another restore is filling the database")
        return first

    async def _renew(self) -> None:
        meta = self._database.meta
        while not self._lost:
            await asyncio.sleep(RENEWED_EVERY_S)
            self._beat += 1
            beat = {"$set": {"beat": self._beat}}
            try:
                await self._database.with_retry(
                    lambda beat=beat: meta.update_one({"_id": KEY, "by": self._by}, beat)  # type: ignore[misc]
                )
                await self.check_held()
            except Unavailable:
                pass  # tried again
            except StorageError:
                return  # it is lost, as `check` says

    def _document(self, *, is_filling: bool) -> Document:
        return {"_id": KEY, "by": self._by, "beat": self._beat, "is_filling": is_filling}
