"""Notes in the store when users were last connected."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any

from handlers.live.clock import Clock
from storage.errors import Unavailable
from storage.ports import Users

ACCOUNTS_PER_QUERY = 500

NOTES_AT_ONCE = 10


class LastSeen:
    """Writes in the background. A note that the store cannot take is lost."""

    def __init__(self, users: Users, clock: Clock) -> None:
        self._users = users
        self._clock = clock
        self._writing: set[asyncio.Task[None]] = set()
        self._noting_missing: set[asyncio.Task[None]] = set()

    def note(self, user_id: int) -> None:
        """Notes that a user was connected until now."""
        self._start(self._users.seen(user_id, self._clock.now()))

    def note_missing(self, user_ids: Sequence[int], *, wait_s: float) -> None:
        """Notes, in `wait_s`, that users were connected until now, but for those of whom another node has noted it by
        then."""
        if user_ids:
            self._noting_missing.add(self._start(self._note_missing(user_ids, wait_s)))

    async def close(self) -> None:
        """Returns when everything is written, but for what `note_missing` has not finished: another node notes it."""
        for task in self._noting_missing:
            task.cancel()
        await asyncio.gather(*self._writing, return_exceptions=True)

    def _start(self, writing: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.ensure_future(_quietly(writing))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        task.add_done_callback(self._noting_missing.discard)
        return task

    async def _note_missing(self, user_ids: Sequence[int], wait_s: float) -> None:
        now = self._clock.now()
        if wait_s:
            await self._clock.sleep(wait_s)
        for start in range(0, len(user_ids), ACCOUNTS_PER_QUERY):
            users = await self._users.get_many(user_ids[start : start + ACCOUNTS_PER_QUERY])
            missing = [
                user.id for user in users.values() if user.last_seen_at is None or user.last_seen_at < now
            ]
            for first in range(0, len(missing), NOTES_AT_ONCE):
                some = missing[first : first + NOTES_AT_ONCE]
                await asyncio.gather(*(self._users.seen(user_id, now) for user_id in some))


async def _quietly(writing: Coroutine[Any, Any, None]) -> None:
    with suppress(Unavailable):
        await writing
