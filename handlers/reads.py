"""How far somebody has read."""

from handlers.context import Caller, Context
from handlers.limits import TOLD_PER_TOKEN
from handlers.registry import Later, Result, command
from handlers.shapes import Id
from storage.frozen import frozen
from storage.models import ReadMark


@frozen
class ReadMessages:
    chat_id: Id
    up_to: Id | None = None


@command("read_messages", ReadMessages, socket=True, limit="marks")
async def read_messages(context: Context, caller: Caller, wish: ReadMessages) -> Result | Later[ReadMark]:
    """Moves the caller's mark forward, to `up_to` or to the newest message; it never goes back."""
    chat = await context.directory.entered_by(caller.user_id, wish.chat_id)
    context.limiter.spend("marks", caller.user_id, len(chat.joined) / TOLD_PER_TOKEN)

    def shape(mark: ReadMark) -> Result:
        return {
            "chat_id": wish.chat_id,
            "up_to": mark.up_to,
            "read_seq": mark.read_seq,
            "unread_count": mark.unread_count,
        }

    return Later(context.store.messages.mark_read(wish.chat_id, caller.user_id, wish.up_to), shape)
