"""Whose messages a hook delivers."""

from collections.abc import Collection
from typing import Literal

from domain.hooks import Hook
from storage.ports import Users

Sender = Literal["person", "bot", "hook"]

SENDERS_KEPT = 10_000


class Senders:
    """What the senders of messages are, which never changes; the last `SENDERS_KEPT` are remembered."""

    def __init__(self, users: Users) -> None:
        self._users = users
        self._kinds: dict[int, Sender] = {}

    async def delivered(self, hook: Hook, user_ids: Collection[int]) -> Collection[int]:
        """Those of the users whose messages the hook delivers: no hooks, and bots only if the hook wants that.
        Raises: `Unavailable`."""
        unknown = {user_id for user_id in user_ids if user_id not in self._kinds}
        found: dict[int, Sender] = {}
        if unknown:
            for user in (await self._users.get_many(unknown)).values():
                found[user.id] = "hook" if user.is_hook else "bot" if user.is_bot else "person"
        kinds = {user_id: found.get(user_id) or self._kinds.get(user_id) for user_id in user_ids}
        self._remember(found)
        wanted = ("person", "bot") if hook.include_bots else ("person",)
        return {user_id for user_id, kind in kinds.items() if kind in wanted}

    def _remember(self, found: dict[int, Sender]) -> None:
        self._kinds.update(found)
        while len(self._kinds) > SENDERS_KEPT:
            del self._kinds[next(iter(self._kinds))]
