"""Registration with an invite."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from domain.invites import Use
from domain.refusals import NotFound, Refusal
from handlers.commands.invites import find
from handlers.context import Context
from handlers.wire.errors import ChatError, invalid
from storage.errors import Unavailable

log = structlog.get_logger("vestnik")

IS_REQUIRED = "is required"

_DEAD = "does not work, or not any more"


async def invite_fault(context: Context, code: str | None, *, with_setup_code: bool) -> str | None:
    """What is wrong with the invite that somebody registers with, None if nothing. None is no invite. With a setup
    code none is required, and any that works will do."""
    policy = context.policy
    required = policy.registration == "invite" and not with_setup_code
    if code is None:
        return IS_REQUIRED if required else None
    found = await find(context, code)
    if found is None:
        return _DEAD
    if required and policy.invites_register == "admins" and found.chat is not None:
        return "is an invite to a chat, and registration needs one to the server"
    return None


@asynccontextmanager
async def counted(context: Context, code: str | None) -> AsyncIterator[Use | None]:
    """Counts a use of the invite before the account is made, so that there are never too many, and takes it back if the
    account is refused. If the store does not say whether it made the account, the use stays counted.

    Raises: `ChatError` `invalid` if the invite has just ended.
    """
    if code is None:
        yield None
        return
    invites = context.store.invites
    try:
        use = await invites.take(code, context.clock.now())
    except NotFound:
        raise invalid(invite=_DEAD) from None
    try:
        yield use
    except (ChatError, Refusal):
        await invites.give_back(use)
        raise


async def enter(context: Context, use: Use | None, user_id: int) -> int | None:
    """Takes a new user into the chat of their invite. Returns its id; None if there is no such chat, or none any more:
    the account is made all the same."""
    if use is None or use.chat_id is None:
        return None
    try:
        await context.store.invites.enter(use, user_id, context.clock.now())
    except Refusal:
        return None
    except Unavailable as error:
        log.warning(
            "a new user did not come into the chat of their invite", user_id=user_id, reason=str(error)
        )
        return None
    return use.chat_id
