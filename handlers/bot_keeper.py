"""What owners and the command line do to bots. A store is enough for it: no server needs to run."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from domain.acts import UNAUDITED, Act
from domain.models import User
from domain.text import trimmed
from handlers.account_fields import CreateBot, account_faults, create_bot_schema
from handlers.live.bot_tokens import new_bot_token, token_id_of
from handlers.live.clock import Clock
from handlers.moderation import end_account
from handlers.policy import Policy
from handlers.wire.errors import invalid, not_found
from handlers.wire.schemas import read
from handlers.wire.views import time_view
from storage.ports import Store

BOTS_PER_PAGE = 200

Result = Mapping[str, Any]


class BotKeeper:
    """Makes bots and their tokens. Without an `act` the audit says nothing: owners do as they like with their bots."""

    def __init__(self, store: Store, policy: Policy, clock: Clock) -> None:
        self.store = store
        self._policy = policy
        self._clock = clock

    def act(self) -> Act:
        """An act of the command line."""
        return Act(None, self._clock.now())

    async def create(self, owner_id: int, params: CreateBot, act: Act = UNAUDITED) -> tuple[User, str]:
        """The new bot and its token. Raises: `ChatError` `invalid`; `Duplicate`; `TooMany`; `Forbidden`;
        `NotFound`."""
        name = trimmed(params.username if params.display_name is None else params.display_name)
        faults = account_faults(self._policy, {"display_name": name})
        if faults:
            raise invalid(**faults)
        token, token_id = _new_token()
        bot = await self.store.bots.create(
            owner_id=owner_id,
            username=params.username,
            display_name=name,
            token_id=token_id,
            created_at=self._clock.now(),
            act=act,
        )
        return bot, token

    async def renew_token(self, bot: User, act: Act = UNAUDITED) -> str:
        """The new token of the bot; the old one is dead. Raises: `NotFound`; `Forbidden`."""
        token, token_id = _new_token()
        await self.store.bots.renew_token(bot.id, token_id, self._clock.now(), act)
        return token

    async def named(self, username: str) -> User:
        """The bot. Raises: `ChatError` `not_found`."""
        bot = await self.store.users.find(username)
        if bot is None or bot.owner_id is None:
            raise not_found(f"bot: {username}")
        return bot

    async def owner_named(self, login: str) -> User:
        """The user who is to have a bot. Raises: `ChatError` `not_found`."""
        owner = await self.store.users.find(login)
        if owner is None:
            raise not_found(f"user: {login}")
        return owner


def _new_token() -> tuple[str, str]:
    """A token and its id."""
    token = new_bot_token()
    token_id = token_id_of(token)
    assert token_id is not None
    return token, token_id


async def _create(keeper: BotKeeper, request: Mapping[str, Any]) -> Result:
    params = read(CreateBot, create_bot_schema, {**request, "username": request["user"]})
    owner = await keeper.owner_named(request["owner"])
    bot, token = await keeper.create(owner.id, params, keeper.act())
    return {"id": bot.id, "username": bot.username, "owner": owner.username, "token": token}


async def _token(keeper: BotKeeper, request: Mapping[str, Any]) -> Result:
    bot = await keeper.named(request["user"])
    return {"id": bot.id, "username": bot.username, "token": await keeper.renew_token(bot, keeper.act())}


async def _delete(keeper: BotKeeper, request: Mapping[str, Any]) -> Result:
    await end_account(keeper.store, (await keeper.named(request["user"])).id, keeper.act())
    return {}


async def _list(keeper: BotKeeper, request: Mapping[str, Any]) -> Result:
    """A page of all bots of users; `next` is the `after` of the next one, null on the last."""
    bots = await keeper.store.bots.page(after_id=int(request.get("after", 0)), limit=BOTS_PER_PAGE)
    owners = await keeper.store.users.get_many({bot.owner_id for bot in bots if bot.owner_id})
    return {
        "bots": [
            {
                "id": bot.id,
                "username": bot.username,
                "display_name": bot.display_name,
                "owner_id": bot.owner_id,
                "owner": owners[bot.owner_id or 0].username,
                "banned": bot.banned,
                "created_at": time_view(bot.created_at),
            }
            for bot in bots
        ],
        "next": bots[-1].id if len(bots) == BOTS_PER_PAGE else None,
    }


BOT_ACTIONS: Mapping[str, Callable[[BotKeeper, Mapping[str, Any]], Awaitable[Result]]] = {
    "bot_create": _create,
    "bot_token": _token,
    "bot_delete": _delete,
    "bot_list": _list,
}
"""By name, the actions of `vestnik bot`, each of which takes a request with `user`, the username of the bot, and
options."""
