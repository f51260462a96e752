"""Bots: accounts that belong to the caller and come in by a token."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from domain.acts import Act
from domain.frozen import frozen
from domain.models import User
from domain.refusals import NotFound
from domain.text import name_fault, trimmed
from handlers.account_fields import CreateBot, account_faults
from handlers.context import Caller, Context
from handlers.live.limits import Limit
from handlers.moderation import end_account
from handlers.policy import Policy
from handlers.registry import Result, command
from handlers.wire.answers import BotAnswer, BotsAnswer, BotTokenAnswer, CreatedBotAnswer, Nothing
from handlers.wire.errors import invalid, not_found
from handlers.wire.schemas import AnyText, Id
from handlers.wire.views import View, user_view

PUBLISHED_WITHIN_S = 2.0
"""How long the answer to a change waits until the change is published."""

_NAME_CHANGES: Limit = "name_changes"


def _view(context: Context, bot: User) -> View:
    return user_view(bot, context.presence.status_of(bot.id))


async def _own(context: Context, caller: Caller, bot_id: int) -> User:
    """The caller's bot. Raises: `ChatError` `not_found`."""
    bot = await context.store.users.get(bot_id)
    if bot is None or bot.deleted or bot.owner_id != caller.user_id:
        raise not_found("bot")
    return bot


def _faults(policy: Policy, values: Mapping[str, Any]) -> Mapping[str, str]:
    """What the settings say against the display name."""
    return account_faults(policy, {name: values[name] for name in values.keys() & {"display_name"}})


@command(
    "create_bot",
    CreateBot,
    CreatedBotAnswer,
    limit="changes",
    people=True,
    more_faults=_faults,
    errors=("forbidden", "conflict"),
)
async def create_bot(context: Context, caller: Caller, params: CreateBot) -> Result:
    """Creates a bot of the caller, and answers its token, once. Raises: `ChatError` `conflict` for a taken name, and
    above `BOTS_MAX` bots."""
    bot, token = await context.operator.bots.create(caller.user_id, params)
    return {"bot": _view(context, bot), "token": token}


@frozen
class ListBots:
    pass


@command("list_bots", ListBots, BotsAnswer, limit="queries", errors=())
async def list_bots(context: Context, caller: Caller, _params: ListBots) -> Result:
    """The caller's bots, banned ones too, ordered by id."""
    return {"bots": [_view(context, bot) for bot in await context.store.bots.of_owner(caller.user_id)]}


@frozen
class ChangeBot:
    bot_id: Id
    display_name: AnyText


@command("change_bot", ChangeBot, BotAnswer, limit="changes", more_faults=_faults, errors=("not_found",))
async def change_bot(context: Context, caller: Caller, params: ChangeBot) -> Result:
    """Renames a bot of the caller."""
    bot, name = await _own(context, caller, params.bot_id), trimmed(params.display_name)
    fault = name_fault(name, context.policy.max_name_chars)
    if fault is not None:
        raise invalid(display_name=fault)
    if name != bot.display_name:
        context.limiter.check(_NAME_CHANGES, bot.id)
        try:
            bot = await context.store.users.rename(bot.id, name)
        except NotFound:
            raise not_found("bot") from None
        await context.announcer.published(bot.id, PUBLISHED_WITHIN_S)
    return {"bot": _view(context, bot)}


@frozen
class OneBot:
    bot_id: Id


@command("renew_bot_token", OneBot, BotTokenAnswer, limit="changes", errors=("not_found",))
async def renew_bot_token(context: Context, caller: Caller, params: OneBot) -> Result:
    """Gives a bot of the caller another token, which is answered once. The old one is dead: connections that came in by
    it end."""
    bot = await _own(context, caller, params.bot_id)
    try:
        return {"token": await context.operator.bots.renew_token(bot)}
    except NotFound:
        raise not_found("bot") from None


@command("delete_bot", OneBot, Nothing, limit="changes", errors=("not_found",))
async def delete_bot(context: Context, caller: Caller, params: OneBot) -> Result:
    """Ends the account of a bot of the caller for good, as the operator's deletion does."""
    bot = await _own(context, caller, params.bot_id)
    act = Act(caller.user_id, context.clock.now(), checked=True)
    # The account is banned first: a client that does not wait for the answer must not leave it like that.
    with suppress(NotFound):  # another request, or the operator, has ended it meanwhile
        await asyncio.shield(end_account(context.store, bot.id, act))
    return {}
