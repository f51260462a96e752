"""The log of what decides who administers the server: bans, ends of accounts, and the right of an admin.

The database has no transactions that are exact everywhere, and a guarded update is none. So each such change is a
document whose `_id` is the number after the newest one: of nodes that decide on the same state, one inserts the number,
and the others decide again. A document has the fields that the change sets in the account, and all active admins after
it.

A change is inserted first and written to the account then. Before a decision the newest change is written to its
account once more, in case its node died or is slow; so a decision sees accounts as the log has them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from typing import TypeVar
from uuid import uuid4

from domain.acts import AccountUpdate, Act
from domain.decisions.admins import administers, update_account
from domain.frozen import frozen
from domain.models import User
from domain.text import name_key
from storage.mongo.database import Database, Document
from storage.mongo.documents import address_key, user_of
from storage.mongo.retry_budget import RetryBudget

DecidedT = TypeVar("DecidedT")


@frozen
class AdminRow:
    """One change. `fields` are those of the document of the user; `admins` are the active admins after the change."""

    n: int
    user_id: int
    fields: Document
    admins: Sequence[int]


_EMPTY = AdminRow(0, 0, {}, ())


class AdminLog:
    """Decides, inserts and writes the changes. One node decides one after the other."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._deciding = asyncio.Lock()
        self._newest: AdminRow | None = None
        self._written = 0
        """The number of the newest change that this node has seen written."""

    async def admin(self) -> User | None:
        """The active admin of the server with the lowest id."""
        async with self._deciding:
            return await self._active((await self._head()).admins)

    async def newest(self) -> AdminRow:
        """The newest change, which may not be written to its account."""
        return await self._newest_row()

    async def decide(
        self, user_id: int, update: AccountUpdate, act: Act
    ) -> tuple[User, User, AdminRow | None]:
        """The account before and after the update, and the inserted change, which the caller has to `write`; None if
        the account stays as it is, or changes nothing that the log has. Raises: as `update_account`."""

        async def attempt(head: AdminRow) -> tuple[User, User, AdminRow | None]:
            before, actor = await self._user(user_id), await self._user(act.actor_id or 0)
            owner = None if before is None else await self._user(before.owner_id or 0)
            if before is not None and user_id in head.admins:
                # Another node may have written an earlier change over the newest one, and will mend that.
                before = replace(before, is_admin=True, banned=False)
            others = [one for one in head.admins if one != user_id]
            has_other = not administers(before) or await self._active(others) is not None
            after = update_account(before, update, act, actor, lambda: has_other, owner)
            assert before is not None
            fields = _fields(before, after)
            admins = [*others, user_id] if administers(after) else others
            if not fields and set(admins) == set(head.admins):
                return before, after, None
            return before, after, AdminRow(head.n + 1, user_id, fields, admins)

        return await self._insert(attempt, lambda decided: decided[2])

    async def make_first(self, user_id: int) -> AdminRow | None:
        """The change that makes a user an admin, if there is none; else None."""

        async def attempt(head: AdminRow) -> AdminRow | None:
            if await self._active(head.admins) is not None:
                return None
            return AdminRow(head.n + 1, user_id, {"is_admin": True}, [user_id])

        return await self._insert(attempt, lambda row: row)

    async def expect(self, user_id: int) -> None:
        """Enters an admin whose account is created next, as one. If the node dies before that, the change names
        nobody, and counts for nothing; the other way round it would leave an account without the right."""

        async def attempt(head: AdminRow) -> AdminRow:
            return AdminRow(head.n + 1, user_id, {"is_admin": True}, [*head.admins, user_id])

        await self._insert(attempt, lambda row: row)

    async def begin(self, admins: Sequence[int]) -> None:
        """Notes who the active admins are, in a log that is empty and whose accounts are as they should be."""
        await self._add(AdminRow(1, admins[0], {}, admins))

    async def write(self, row: AdminRow) -> None:
        """Writes a change to its account. If a later change of the same account was written meanwhile, that one is
        written again."""
        while True:
            await self._set(row)
            newest = await self._newest_row()
            if newest.n == row.n:
                break
            acts = self._database.admin_acts
            found = await self._database.find(acts, {"user_id": row.user_id}, sort=[("n", -1)], limit=1)
            if not found or found[0]["n"] <= row.n:
                break
            row = _row_of(found[0])
        self._written = max(self._written, row.n)

    async def _insert(
        self,
        attempt: Callable[[AdminRow], Awaitable[DecidedT]],
        row_of: Callable[[DecidedT], AdminRow | None],
    ) -> DecidedT:
        """Attempts a decision on the newest state until its change is inserted, or it makes none."""
        budget = RetryBudget()
        async with self._deciding:
            while True:
                decided = await attempt(await self._head())
                row = row_of(decided)
                if row is None or await self._add(row):
                    return decided
                await budget.again()

    async def _add(self, row: AdminRow) -> bool:
        document = {
            "_id": str(row.n),
            "n": row.n,
            "user_id": row.user_id,
            "fields": row.fields,
            "admins": list(row.admins),
            "by": uuid4().hex,
        }
        added = await self._database.add(self._database.admin_acts, document)
        if added:
            self._newest = row
        return added

    async def _head(self) -> AdminRow:
        """The newest change, which is written to its account."""
        newest = await self._newest_row()
        if newest.n > self._written:
            await self._set(newest)
            self._written = newest.n
        return newest

    async def _newest_row(self) -> AdminRow:
        acts, newest = self._database.admin_acts, self._newest
        if newest is None:
            found = await self._database.find(acts, {}, sort=[("n", -1)], limit=1)
            newest = _row_of(found[0]) if found else _EMPTY
        while (following := await self._database.get(acts, str(newest.n + 1))) is not None:
            newest = _row_of(following)
        if self._newest is None or newest.n > self._newest.n:
            self._newest = newest
        return newest

    async def _set(self, row: AdminRow) -> None:
        users = self._database.users
        if row.fields:
            await self._database.with_retry(
                lambda: users.update_one({"_id": str(row.user_id)}, {"$set": row.fields})
            )

    async def _user(self, user_id: int) -> User | None:
        document = await self._database.get(self._database.users, str(user_id)) if user_id else None
        return None if document is None else user_of(document)

    async def _active(self, user_ids: Collection[int]) -> User | None:
        """The first of the users, by id, who administers the server."""
        for user_id in sorted(user_ids):
            user = await self._user(user_id)
            if administers(user):
                return user
        return None


def _fields(before: User, after: User) -> Document:
    """What the change writes to the document of the user. The display name is not among it, unless the account ends:
    users change that themselves, too."""
    if after.deleted:
        return {
            "deleted": True,
            "is_admin": False,
            "email": None,
            "email_key": address_key(after),
            "password_hash": "",
            "display_name": after.display_name,
            "display_name_key": name_key(after.display_name),
            "avatar_id": None,
        }
    return {
        name: getattr(after, name)
        for name in ("is_admin", "banned", "banned_with_owner")
        if getattr(after, name) != getattr(before, name)
    }


def _row_of(document: Document) -> AdminRow:
    return AdminRow(document["n"], document["user_id"], document["fields"], document["admins"])
