"""Whom a user has blocked."""

from typing import Annotated

from domain.decisions.blocks import BLOCKS_MAX
from domain.frozen import frozen
from domain.refusals import NotFound
from handlers.commands.users import USERS_PER_TOKEN
from handlers.context import Caller, Context
from handlers.registry import Result, command
from handlers.wire.answers import Nothing, UsersAnswer
from handlers.wire.errors import invalid, not_found
from handlers.wire.pages import after_id, that_fit
from handlers.wire.schemas import AnyText, Id, StrictInteger
from handlers.wire.views import user_view


@frozen
class OneUser:
    user_id: Id


@command("block_user", OneUser, Nothing, limit="changes", errors=("not_found", "conflict", "invalid"))
async def block_user(context: Context, caller: Caller, params: OneUser) -> Result:
    """Blocks a user: they no longer write in the private chat of the two, and no longer add the caller to chats. They
    are told nothing of it."""
    if params.user_id == caller.user_id:
        raise invalid(user_id="is your own")
    try:
        await context.store.blocks.block(caller.user_id, params.user_id, context.clock.now())
    except NotFound:
        raise not_found("user") from None
    return {}


@command("unblock_user", OneUser, Nothing, limit="changes", errors=("invalid",))
async def unblock_user(context: Context, caller: Caller, params: OneUser) -> Result:
    """Lifts a block; does nothing for somebody who is not blocked."""
    if params.user_id == caller.user_id:
        raise invalid(user_id="is your own")
    await context.store.blocks.unblock(caller.user_id, params.user_id)
    return {}


@frozen
class ListBlocks:
    cursor: AnyText | None = None
    limit: Annotated[int, StrictInteger(1, BLOCKS_MAX)] = BLOCKS_MAX


@command("list_blocks", ListBlocks, UsersAnswer, limit="queries", errors=())
async def list_blocks(context: Context, caller: Caller, params: ListBlocks) -> Result:
    """A page of the users whom the caller has blocked, ordered by id."""
    user_ids = await context.store.blocks.blocked_by(
        caller.user_id, after_id=after_id(params.cursor), limit=params.limit + 1
    )
    users = await context.store.users.get_many(user_ids[: params.limit])
    views = that_fit(
        user_view(users[user_id], context.presence.status_of(user_id)) for user_id in user_ids[: params.limit]
    )
    more = len(views) < len(user_ids)
    context.limiter.spend("queries", caller.user_id, len(views) / USERS_PER_TOKEN)
    return {"users": views, "next_cursor": str(user_ids[len(views) - 1]) if more else None}
