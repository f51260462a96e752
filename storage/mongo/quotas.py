"""What the uploads of users take, exact on several nodes.

A user's entries are documents with the numbers 1, 2, 3…, each with the sum after it. A node that inserts entry n has
decided on the sum of entry n - 1. Of nodes that try the same number, one inserts it, and the others decide again; that
is exact on FerretDB too, where guarded updates are not. Each upload has one entry that adds it, and at most one that
takes it away, for `entry` is unique.

Entries that are an hour old and have newer ones behind them are removed, the oldest first, unless somebody may still
ask for them. A number that becomes free must not be taken by a node that knows an old sum: so what a node knows of a
user is trusted for some minutes only.
"""

import time
from contextlib import suppress
from functools import partial
from uuid import uuid4

from domain.decisions.files import check_quota
from domain.refusals import OverQuota
from storage.errors import Unavailable
from storage.mongo.database import Database, Document
from storage.mongo.retry_budget import RetryBudget

_FEW = 4
"""How many new entries are looked for by `_id`, which is quick on FerretDB too, before a query asks for the newest."""

_USERS_MAX = 10_000
"""Of how many users the newest entry is kept in memory."""

_TRUSTED_S = 600.0
"""For how long."""

_KEPT_S = 3600.0
"""How old entries have to be that are removed. An insert does not take that long, whatever happens to the node."""

_PRUNED_EVERY = 16
"""After how many new entries of a user the old ones are removed, and how many of the newest stay."""

_PRUNED_MAX = 64
"""How many are removed at once at most."""


class Quotas:
    """Adds and takes away entries."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._newest: dict[int, tuple[float, Document]] = {}
        """By user: when it was the newest by the clock of the day, which goes on while a machine sleeps."""

    async def used_bytes(self, user_id: int) -> int:
        """What the uploads of a user take together."""
        newest = await self._newest_of(user_id)
        return 0 if newest is None else int(newest["used"])

    async def add(self, user_id: int, upload_id: str, size: int, quota_bytes: int) -> None:
        """Adds an upload. Raises: `OverQuota`."""
        await self._enter(user_id, added(upload_id), size, quota_bytes)

    async def take_away(self, user_id: int, upload_id: str, size: int, *, counted: bool) -> None:
        """Takes an upload away, unless that is done; does nothing for one that was never added. `counted`: it is known
        to have been added."""
        if counted or await self._has(added(upload_id)):
            await self._enter(user_id, f"-{upload_id}", -size, 0)

    async def _enter(self, user_id: int, entry: str, size: int, quota_bytes: int) -> None:
        """Inserts an entry, unless it is there: at first behind the newest that this node knows, which it mostly is, so
        that one call suffices; a refusal is given only after a look for newer ones."""
        budget, database = RetryBudget(), self._database
        newest, is_fresh = self._known(user_id), False
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
                "_id": entry_key(user_id, n + 1),
                "user_id": user_id,
                "n": n + 1,
                "used": used + size,
                "entry": entry,
                "at": time.time(),
                "by": uuid4().hex,
            }
            if await database.add(database.quotas, document):
                self._remember(user_id, document)
                if (n + 1) % _PRUNED_EVERY == 0:
                    with suppress(Unavailable):  # the next time, then
                        await self._prune(user_id, n + 1 - _PRUNED_EVERY)
                return
            if await self._has(entry):
                return
            is_fresh = True
            await budget.again()

    async def _has(self, entry: str) -> bool:
        quotas = self._database.quotas
        return bool(await self._database.find(quotas, {"entry": entry}, limit=1, fields=["_id"]))

    async def _newest_of(self, user_id: int) -> Document | None:
        database, newest = self._database, self._known(user_id)
        for _ in range(_FEW if newest is not None else 0):
            assert newest is not None
            following = await database.get(database.quotas, entry_key(user_id, newest["n"] + 1))
            if following is None:
                self._remember(user_id, newest)
                return newest
            newest = following
        found = await database.find(database.quotas, {"user_id": user_id}, sort=[("n", -1)], limit=1)
        if not found:
            return None
        self._remember(user_id, found[0])
        return found[0]

    async def _prune(self, user_id: int, last_n: int) -> None:
        """Removes the oldest entries up to that number, as far as nobody asks for them any more."""
        database = self._database
        wanted = {"user_id": user_id, "n": {"$lte": last_n}}
        entries = await database.find(database.quotas, wanted, sort=[("n", 1)], limit=_PRUNED_MAX)
        uploads = await database.get_each(database.uploads, [one["entry"][1:] for one in entries])
        for entry, upload in zip(entries, uploads, strict=True):
            if entry.get("at", 0) > time.time() - _KEPT_S or not _is_over(entry, upload):
                return
            await database.with_retry(partial(database.quotas.delete_one, {"_id": entry["_id"]}))

    def _known(self, user_id: int) -> Document | None:
        """The newest entry that this node knows, unless that is long ago."""
        seen_at, entry = self._newest.get(user_id, (0.0, None))
        return entry if 0 <= time.time() - seen_at < _TRUSTED_S else None

    def _remember(self, user_id: int, entry: Document) -> None:
        known = self._known(user_id) or entry
        self._newest.pop(user_id, None)
        self._newest[user_id] = time.time(), max(known, entry, key=lambda one: one["n"])
        while len(self._newest) > _USERS_MAX:
            del self._newest[next(iter(self._newest))]


def _is_over(entry: Document, upload: Document | None) -> bool:
    """Whether nobody asks for the entry of an upload any more: the upload has ended or, for the entry that adds it, its
    document says that it was added."""
    return upload is None or (entry["entry"] == added(upload["_id"]) and upload["counted"])


def added(upload_id: str) -> str:
    return f"+{upload_id}"


def entry_key(user_id: int, n: int) -> str:
    return f"{user_id}:{n}"
