"""The users that a bot has heard, from memory."""

from typing import Any

from vestnik_bot.errors import Refused
from vestnik_bot.messages import User
from vestnik_bot.rest import Rest

USERS_MAX = 10_000


class Users:
    """Looks a user up once, and keeps those that were heard last."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._known: dict[int, User] = {}

    async def get(self, user_id: int) -> User:
        user = self._known.pop(user_id, None) or await self._look_up(user_id)
        self._known[user_id] = user
        if len(self._known) > USERS_MAX:
            del self._known[next(iter(self._known))]
        return user

    def changed(self, raw: dict[str, Any]) -> None:
        """Takes a user object that has changed."""
        if raw["id"] in self._known:
            self._known[raw["id"]] = user_of(raw)

    def forget(self) -> None:
        """After a restored backup an id may be that of another user."""
        self._known.clear()

    async def _look_up(self, user_id: int) -> User:
        try:
            return user_of(await self._rest.call("GET", f"/users/{user_id}"))
        except Refused:  # the account is gone
            return User(user_id, f"user-{user_id}", f"user-{user_id}", is_bot=False)


def user_of(raw: dict[str, Any]) -> User:
    return User(raw["id"], raw["username"], raw["display_name"], raw["is_bot"])
