"""Reactions to messages."""

from functools import partial

from domain.frozen import frozen
from domain.models import Message
from handlers.context import Caller, Context
from handlers.registry import Later, Result, command
from handlers.wire.answers import ReactedAnswer
from handlers.wire.file_links import FileLinks
from handlers.wire.schemas import Emoji, Id
from handlers.wire.views import message_view


@frozen
class React:
    message_id: Id
    emoji: Emoji


@command(
    "add_reaction",
    React,
    ReactedAnswer,
    socket=True,
    limit="messages",
    errors=("not_found", "forbidden", "conflict"),
)
async def add_reaction(context: Context, caller: Caller, params: React) -> Result | Later[Message]:
    """Reacts to a message with an emoji: every member may who has a voice. The room gets `reaction_added`. A reaction
    that is there already changes nothing."""
    messages, at = context.store.messages, context.clock.now()
    return Later(
        messages.add_reaction(params.message_id, caller.user_id, params.emoji, at),
        partial(_reacted, context.links),
    )


@command(
    "remove_reaction", React, ReactedAnswer, socket=True, limit="messages", errors=("not_found", "forbidden")
)
async def remove_reaction(context: Context, caller: Caller, params: React) -> Result | Later[Message]:
    """Takes the caller's own reaction away. The room gets `reaction_removed`. A reaction that is not there changes
    nothing."""
    messages, at = context.store.messages, context.clock.now()
    return Later(
        messages.remove_reaction(params.message_id, caller.user_id, params.emoji, at),
        partial(_reacted, context.links),
    )


def _reacted(links: FileLinks, message: Message) -> Result:
    return {"message": message_view(message, links), "seq": message.changed_seq}
