"""Pinned messages."""

from functools import partial
from typing import Annotated

from domain.decisions.pins import PINS_MAX
from domain.frozen import frozen
from domain.models import Message
from handlers.commands.messages import MESSAGES_PER_TOKEN
from handlers.context import Caller, Context
from handlers.registry import Later, Result, command
from handlers.wire.answers import PinnedAnswer, PinsAnswer
from handlers.wire.file_links import FileLinks
from handlers.wire.pages import ITEMS_BYTES_MAX, before_seq
from handlers.wire.schemas import AnyText, Id, StrictInteger
from handlers.wire.views import message_view


@frozen
class PinMessage:
    message_id: Id


@command(
    "pin_message",
    PinMessage,
    PinnedAnswer,
    socket=True,
    limit="messages",
    errors=("not_found", "forbidden", "conflict"),
)
async def pin_message(context: Context, caller: Caller, params: PinMessage) -> Result | Later[Message]:
    """Pins a message in its chat: owners and admins may, in a private chat both members. The room gets
    `message_pinned`. A message that is pinned already stays where it is among the pins."""
    write = context.store.messages.pin(params.message_id, caller.user_id, context.clock.now())
    return Later(write, partial(_pinned, context.links))


@command(
    "unpin_message",
    PinMessage,
    PinnedAnswer,
    socket=True,
    limit="messages",
    errors=("not_found", "forbidden"),
)
async def unpin_message(context: Context, caller: Caller, params: PinMessage) -> Result | Later[Message]:
    """Ends a pin: who may pin may. The room gets `message_unpinned`. Nothing happens to a message that is not
    pinned."""
    write = context.store.messages.unpin(params.message_id, caller.user_id, context.clock.now())
    return Later(write, partial(_pinned, context.links))


def _pinned(links: FileLinks, message: Message) -> Result:
    return {"message": message_view(message, links), "seq": message.changed_seq}


@frozen
class ListPins:
    chat_id: Id
    cursor: AnyText | None = None
    limit: Annotated[int, StrictInteger(1, PINS_MAX)] = PINS_MAX


@command("list_pins", ListPins, PinsAnswer, limit="queries", errors=("not_found",))
async def list_pins(context: Context, caller: Caller, params: ListPins) -> Result:
    """A page of the pinned messages of a chat, the one that was pinned last first."""
    await context.directory.for_member(caller.user_id, params.chat_id)
    messages, more = await context.store.messages.pins(
        params.chat_id, before_seq=before_seq(params.cursor), limit=params.limit, max_bytes=ITEMS_BYTES_MAX
    )
    context.limiter.spend("queries", caller.user_id, len(messages) / MESSAGES_PER_TOKEN)
    # The caller may have been removed while the page was read, and then must not see it.
    await context.directory.for_reader(caller.user_id, params.chat_id)
    return {
        "messages": [message_view(message, context.links) for message in messages],
        "next_cursor": str(messages[-1].pinned_seq) if more else None,
    }
