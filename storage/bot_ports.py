"""The interface of a store for bots: accounts that belong to a user and come in by a token. `storage.ports` says what
is common to all methods."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from domain.acts import UNAUDITED, Act
from domain.models import User


class Bots(Protocol):
    """A bot is a `User` with `is_bot` and `owner_id`, without email and password. It has one token at a time. The token
    is a `Session` without refresh tokens that does not expire; its id (`token_id`) is derived from the token by a hash,
    so that the store does not know the token.

    A ban of the owner bans their bots, and an unban brings back those that were not banned for themselves; the end of
    the owner's account ends them: see `Users.update`. A bot ends as any account does, by `Users.delete`.
    """

    async def create(
        self,
        *,
        owner_id: int,
        username: str,
        display_name: str,
        token_id: str,
        created_at: datetime,
        act: Act = UNAUDITED,
    ) -> User:
        """The new bot, whose token works. Raises: `Duplicate("username")`, as `Users.create` does; `TooMany` above
        `domain.decisions.bots.BOTS_MAX` of an owner, which is exact: of creations at once, on any node, as many succeed
        as there is room for; `NotFound` if there is no such owner, or they are deleted; `Forbidden` if they are banned,
        or a bot.

        On MongoDB a node that dies in the middle may leave a bot without a token.
        """

    async def of_owner(self, owner_id: int) -> Sequence[User]:
        """The bots of a user that are not deleted, banned ones too, by id."""

    async def page(self, *, after_id: int, limit: int) -> Sequence[User]:
        """The bots of all users that are not deleted, with an id above `after_id`, by id, at most `limit`."""

    async def renew_token(self, bot_id: int, token_id: str, at: datetime, act: Act = UNAUDITED) -> None:
        """Gives the bot another token and revokes the one before. Of renewals at once, on any node, one token works in
        the end. Raises: `NotFound` for a user who is nobody's bot, and a deleted one; `Forbidden` for a banned one."""
