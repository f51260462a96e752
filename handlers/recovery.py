"""Catching up: what a client missed, replayed until it stands where its room stands."""

import asyncio

from handlers import events
from handlers.context import Caller, Context
from handlers.endings import Ending, Refused
from handlers.policy import REPLAY_MESSAGES_MAX

STUCK_S = 20.0
"""A peer that takes nothing of its replay for this long is too slow."""

LOOK_EVERY_S = 0.05


async def replay(context: Context, caller: Caller, chat_id: int, after_seq: int) -> tuple[int, bool]:
    """Sends the caller every message of the chat changed after `after_seq`; how many, and whether a gap is left.

    Live events are not kept meanwhile: each pass reads on above the last number sent, until that is the number the
    room has been told. It returns in that very turn, so that the caller can enter the room with nothing between.
    Raises: `ChatError` `not_found` if the caller is not, or no longer, a member; `Refused` (TOO_SLOW).
    """
    chat = await context.directory.entered_by(caller.user_id, chat_id)
    if after_seq > chat.head_seq:
        # Memory may be behind a store that others write too: a read has the observer told of what is in it.
        await context.store.messages.changed_since(chat_id, after_seq, limit=1)
        chat = await context.directory.entered_by(caller.user_id, chat_id)
        if after_seq > chat.head_seq:
            return 0, True
    position, sent, seen = after_seq, 0, set[int]()
    while position != chat.head_seq:
        if position > chat.head_seq:
            # Read from disk before it was handed to the room; the observer is being told.
            await asyncio.sleep(0)
        else:
            missed = await context.store.messages.changed_since(
                chat_id, position, limit=REPLAY_MESSAGES_MAX + 1
            )
            if len(missed) > REPLAY_MESSAGES_MAX:
                return sent, True
            for message in missed:
                await _writable(context, caller, chat_id)
                known = message.seq <= after_seq or message.id in seen
                name, payload = events.replayed(message, context.clock.now(), known=known)
                context.hub.emit(name, payload, room=caller.connected().id)
                seen.add(message.id)
                position = message.changed_seq
            sent += len(missed)
        chat = await context.directory.entered_by(caller.user_id, chat_id)
    return sent, False


async def _writable(context: Context, caller: Caller, chat_id: int) -> None:
    """Returns when the caller may be sent more of a replay, at once if nothing stands in the way.

    Raises: `ChatError` `not_found` after a removal from the chat; `Refused` for a connection that has ended, TOO_SLOW
    if its peer took nothing for `STUCK_S`.
    """
    connection = caller.connected()
    await context.directory.entered_by(caller.user_id, chat_id)
    context.connections.check(connection)
    least, since = None, context.clock.monotonic()
    while (unread := context.hub.unread_bytes(connection.id)) >= context.policy.volatile_limit_bytes:
        now = context.clock.monotonic()
        if least is None or unread < least:
            least, since = unread, now
        elif now - since >= STUCK_S:
            context.hub.end(connection.id, Ending.TOO_SLOW)
            raise Refused("unavailable", Ending.TOO_SLOW)
        await context.clock.sleep(LOOK_EVERY_S)
        await context.directory.entered_by(caller.user_id, chat_id)
        context.connections.check(connection)
