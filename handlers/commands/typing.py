"""Typing signs."""

from domain.frozen import frozen
from handlers.context import Caller, Context
from handlers.registry import Result, command
from handlers.wire.answers import Nothing
from handlers.wire.schemas import Flag, Id


@frozen
class Typing:
    chat_id: Id
    is_typing: Flag


@command(
    "typing",
    Typing,
    Nothing,
    socket=True,
    unlimited="counted by its handler: above the limit it is ignored, not refused",
    errors=("not_found", "forbidden"),
)
async def typing(context: Context, caller: Caller, params: Typing) -> Result:
    """Shows or ends the caller's typing sign; `forbidden` for a member who is muted or blocked. Above the limit it is
    ignored: documented clients send one for each key."""
    connection = caller.connected()
    if not params.is_typing and context.typing.is_shown(params.chat_id, caller.user_id):
        context.typing.end(params.chat_id, caller.user_id)
        return {}
    ignored = context.limiter.take("typing", caller.user_id)
    if ignored:  # an ignored sign must not load a chat either
        return {}
    if params.is_typing:
        await context.directory.for_writer(caller.user_id, params.chat_id, context.clock.now())
        context.typing.type(params.chat_id, connection)
    else:
        await context.directory.for_member(caller.user_id, params.chat_id)
    return {}
