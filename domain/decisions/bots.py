"""Who may have bots, how many, and what becomes of a bot with the account of its owner."""

from dataclasses import replace

from domain.decisions.accounts import ended
from domain.models import User
from domain.refusals import Forbidden, NotFound, TooMany

BOTS_MAX = 20
"""How many bots a user may have, banned ones included."""


def check_may_own(owner: User | None) -> None:
    """Raises: `NotFound` for nobody and a deleted user; `Forbidden` for a bot and a banned user."""
    if owner is None or owner.deleted:
        raise NotFound("user")
    if owner.is_bot:
        raise Forbidden("a bot has no bots")
    if owner.banned:
        raise Forbidden("the account of the owner is banned")


def check_room(count: int) -> None:
    """Raises: `TooMany` for a user who has as many bots as they may."""
    if count >= BOTS_MAX:
        raise TooMany(f"a user has at most {BOTS_MAX} bots")


def check_bot(bot: User | None) -> User:
    """The bot, which may get a new token. Raises: `NotFound` for nobody, a deleted bot, and an account that is no
    user's bot; `Forbidden` for a banned bot."""
    if bot is None or bot.deleted or bot.owner_id is None:
        raise NotFound("bot")
    if bot.banned:
        raise Forbidden("the bot is banned")
    return bot


def following(bot: User, owner: User | None) -> User:
    """The bot as the account of its owner makes it: ended with them, banned while they are, or as it was before. A bot
    without an owner stays as it is."""
    if owner is None:
        return bot
    if owner.deleted:
        return ended(bot)
    if owner.banned:
        return bot if bot.banned else replace(bot, banned=True, banned_with_owner=True)
    return replace(bot, banned=False, banned_with_owner=False) if bot.banned_with_owner else bot


def banned_or_with_owner(user: User, banned: bool, owner: User | None) -> tuple[bool, bool]:
    """Whether a user is banned after a ban or unban of their own account, and whether only because their owner is.
    Raises: `Forbidden` for the unban of a bot that is banned only because its owner is."""
    if banned or owner is None or owner.active:
        return banned, False
    if user.banned_with_owner:
        raise Forbidden("the bot is banned because its owner is")
    return True, True
