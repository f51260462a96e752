"""Showing that somebody types."""

from domain.frozen import frozen
from handlers.context import Caller, Context
from handlers.registry import Result, command
from handlers.wire.schemas import Flag, Id


@frozen
class Typing:
    chat_id: Id
    is_typing: Flag


@command(
    "typing",
    Typing,
    socket=True,
    unlimited="counted by its handler: above the limit it is ignored, not refused",
)
async def typing(context: Context, caller: Caller, sign: Typing) -> Result:
    """Shows or ends the caller's typing sign. Above the limit it is ignored: a documented client sends one per key."""
    connection = caller.connected()
    if not sign.is_typing and context.typing.is_shown(sign.chat_id, caller.user_id):
        context.typing.stop(sign.chat_id, caller.user_id)
        return {}
    ignored = context.limiter.take("typing", caller.user_id)
    if not ignored:  # else it costs no look into the store either, whatever chat it names
        await context.directory.entered_by(caller.user_id, sign.chat_id)
    if sign.is_typing and not ignored:
        context.typing.type(sign.chat_id, connection)
    return {}
