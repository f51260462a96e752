"""Writes of accounts: in order for one account, side by side for different ones."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, TypeVar

from domain.changes import Change
from domain.frozen import frozen
from domain.models import User
from domain.refusals import Duplicate, NotFound
from domain.text import name_key
from storage.batching import Batcher, Written
from storage.errors import Unavailable
from storage.health import StoreHealth
from storage.mongo.database import Database
from storage.mongo.documents import address_key, user_of
from storage.mongo.hint_writer import HintWriter

ResultT = TypeVar("ResultT")
Publish = Callable[[Change], None]


@frozen
class _Write:
    key: str
    action: Callable[[Publish], Awaitable[Any]]
    weight: int = 0
    is_write: bool = True


class AccountWriter:
    """A queue of writes. A queued write runs to its end, and its changes are published, even if its caller is
    cancelled. They are on disk and told in a hint by then: a server that reads the hint loads the account anew."""

    def __init__(
        self, publish: Callable[[Sequence[Change]], None], health: StoreHealth, hints: HintWriter
    ) -> None:
        self._hints = hints
        self._batcher: Batcher[_Write] = Batcher(self._write, publish, health=health)

    async def write(self, key: str, action: Callable[[Publish], Awaitable[ResultT]]) -> ResultT:
        """Runs `action(publish)` after earlier writes with the same key; the action publishes what it has changed."""
        result: ResultT = await self._batcher.submit(_Write(key, action))
        return result

    async def close(self) -> None:
        await self._batcher.close()

    async def _write(self, writes: Sequence[_Write]) -> Written:
        lanes: dict[str, list[int]] = {}
        for index, write in enumerate(writes):
            lanes.setdefault(write.key, []).append(index)
        outcomes: list[object] = [None] * len(writes)
        changes: list[Change] = []
        changed: set[int] = set()

        async def run(lane: Sequence[int]) -> None:
            for index in lane:

                def publish(change: Change, index: int = index) -> None:
                    changes.append(change)
                    changed.add(index)

                try:
                    outcomes[index] = await writes[index].action(publish)
                except Exception as error:
                    # One for each waiter, see `storage.batching`.
                    outcomes[index] = error.again() if isinstance(error, Unavailable) else error

        await asyncio.gather(*map(run, lanes.values()))
        if changes:
            await self._hint(changes, changed, outcomes)
        return Written(outcomes, changes)

    async def _hint(
        self, changes: Sequence[Change], changed: Collection[int], outcomes: list[object]
    ) -> None:
        """Tells other nodes of the changes. If that cannot be done now, the writes that made them are not acked."""
        try:
            await self._hints.written(self._hints.add_accounts(changes))
        except Unavailable as error:
            for index in changed:
                outcomes[index] = error.again()


async def bots_of(database: Database, owner_id: int | None) -> Sequence[User]:
    """The bots of a user that are not deleted, by id; None: of all users."""
    wanted = {"owner_id": owner_id or {"$gt": 0}, "deleted": False}
    found = await database.find(database.users, wanted, sort=[("id", 1)])
    return [user_of(document) for document in found]


async def check_account(database: Database, user_id: int) -> User:
    """The user. Raises: `NotFound` if there is none, they are deleted, or a hook writes as them."""
    document = await database.get(database.users, str(user_id))
    if document is None or document["deleted"] or document.get("is_hook"):
        raise NotFound(f"user {user_id}")
    return user_of(document)


async def check_active(database: Database, user_id: int) -> User:
    """The user. Raises: `NotFound` if there is none, or the account may not be used."""
    user = await check_account(database, user_id)
    if not user.active:
        raise NotFound(f"user {user_id}")
    return user


async def check_free(database: Database, user: User) -> None:
    """Raises: `Duplicate` if somebody has the login, the username or the email."""
    second = "email" if user.login_key is None else "login"
    unique = {second: {"email_key": address_key(user)}, "username": {"username_key": name_key(user.username)}}
    for field in sorted(unique, key=("login", "username", "email").index):
        if await database.find(database.users, unique[field], limit=1):
            raise Duplicate(field)
