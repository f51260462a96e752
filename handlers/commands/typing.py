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
)
async def typing(context: Context, caller: Caller, params: Typing) -> Result:
    """Shows or ends the caller's typing sign. Above the limit it is ignored: documented clients send one for each
    key."""
    connection = caller.connected()
    if not params.is_typing and context.typing.is_shown(params.chat_id, caller.user_id):
        context.typing.end(params.chat_id, caller.user_id)
        return {}
    ignored = context.limiter.take("typing", caller.user_id)
    if not ignored:  # an ignored sign must not load a chat either
        chat = await context.directory.for_member(caller.user_id, params.chat_id)
        chat.check_voice(caller.user_id)
    if params.is_typing and not ignored:
        context.typing.type(params.chat_id, connection)
    return {}
