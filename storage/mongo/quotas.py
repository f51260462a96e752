"""What the uploads of users take, exact on several nodes.

A user's entries are documents with the numbers 1, 2, 3…, each with the sum after it. A node that inserts entry n has
decided on the sum of entry n - 1. Of nodes that try the same number, one inserts it, and the others decide again; that
is exact on FerretDB too, where guarded updates are not. Each upload has one entry that adds it, and at most one that
takes it away, for `entry` is unique. Entries stay.
"""

from uuid import uuid4

from domain.decisions.files import check_quota
from domain.refusals import OverQuota
from storage.mongo.database import Database, Document
from storage.mongo.retry_budget import RetryBudget

_FEW = 4
"""How many new entries are looked for by `_id`, which is quick on FerretDB too, before a query asks for the newest."""

_USERS_MAX = 10_000
"""Of how many users the newest entry is kept in memory."""


class Quotas:
    """Adds and takes away entries."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._newest: dict[int, Document] = {}

    async def used_bytes(self, user_id: int) -> int:
        """What the uploads of a user take together."""
        newest = await self._newest_of(user_id)
        return 0 if newest is None else int(newest["used"])

    async def add(self, user_id: int, upload_id: str, size: int, quota_bytes: int) -> None:
        """Adds an upload. Raises: `OverQuota`."""
        await self._enter(user_id, _added(upload_id), size, quota_bytes)

    async def take_away(self, user_id: int, upload_id: str, size: int, *, counted: bool) -> None:
        """Takes an upload away, unless that is done; does nothing for one that was never added. `counted`: it is known
        to have been added."""
        if counted or await self._has(_added(upload_id)):
            await self._enter(user_id, f"-{upload_id}", -size, 0)

    async def _enter(self, user_id: int, entry: str, size: int, quota_bytes: int) -> None:
        """Inserts an entry, unless it is there: at first behind the newest that this node knows, which it mostly is, so
        that one call suffices; a refusal is given only after a look for newer ones."""
        budget, database = RetryBudget(), self._database
        newest, is_fresh = self._newest.get(user_id), False
        while True:
            if newest is None or is_fresh:
                newest, is_fresh = await self._newest_of(user_id), True
            n, used = (0, 0) if newest is None else (newest["n"], newest["used"])
            try:
                check_quota(max(size, 0), used, quota_bytes)
            except OverQuota:
                if is_fresh:
                    raise
                is_fresh = True
                continue
            document = {
                "_id": _key(user_id, n + 1),
                "user_id": user_id,
                "n": n + 1,
                "used": used + size,
                "entry": entry,
                "by": uuid4().hex,
            }
            if await database.add(database.quotas, document):
                self._remember(user_id, document)
                return
            if await self._has(entry):
                return
            is_fresh = True
            await budget.again()

    async def _has(self, entry: str) -> bool:
        quotas = self._database.quotas
        return bool(await self._database.find(quotas, {"entry": entry}, limit=1, fields=["_id"]))

    async def _newest_of(self, user_id: int) -> Document | None:
        database, newest = self._database, self._newest.get(user_id)
        for _ in range(_FEW if newest is not None else 0):
            assert newest is not None
            following = await database.get(database.quotas, _key(user_id, newest["n"] + 1))
            if following is None:
                self._remember(user_id, newest)
                return newest
            newest = following
        found = await database.find(database.quotas, {"user_id": user_id}, sort=[("n", -1)], limit=1)
        if not found:
            return None
        self._remember(user_id, found[0])
        return found[0]

    def _remember(self, user_id: int, entry: Document) -> None:
        known = self._newest.pop(user_id, entry)
        self._newest[user_id] = max(known, entry, key=lambda one: one["n"])
        while len(self._newest) > _USERS_MAX:
            del self._newest[next(iter(self._newest))]


def _added(upload_id: str) -> str:
    return f"+{upload_id}"


def _key(user_id: int, n: int) -> str:
    return f"{user_id}:{n}"
