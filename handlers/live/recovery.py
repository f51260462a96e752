"""Recovery: replays what a client missed, until the client is where the room is."""

import asyncio
from collections.abc import Sequence

from domain.models import Message
from handlers.context import Caller, Context
from handlers.live.loaded_chat import LoadedChat
from handlers.policy import REPLAY_MESSAGES_MAX
from handlers.wire import events
from handlers.wire.endings import Ending, Refused
from storage.sizes import message_bytes

PIECE_BYTES_MAX = 256 * 1024
"""How much of a replay is read from the store at a time, as JSON; a larger message is read alone."""

UNSENT_BYTES_MAX = 256 * 1024
"""A replay waits while this much or more is unread by its peer: far below what ends a connection as too slow."""

WRITE_BYTES = 64 * 1024
"""After this much, what is gathered for the peer is written, and the replay checks how much the peer has taken."""

STUCK_S = 20.0
"""A peer that takes nothing of its replay for this long is too slow."""

CHECK_EVERY_S = 0.05

SHORT_WAITS, WAITS_MAX = 100, 500
"""How often a replay waits for a room that is behind the store: at first for one turn of the loop each time, later for
`CHECK_EVERY_S`. After `WAITS_MAX` times the client has to load history."""


async def replay(context: Context, caller: Caller, chat_id: int, after_seq: int) -> tuple[int, bool]:
    """Sends the caller every message of the chat that changed after `after_seq`. Returns how many messages were sent,
    and whether a gap is left.

    The server buffers no live events meanwhile. Each pass reads the changes above the last number sent, up to the head
    of the room at its beginning, until the last number sent is the head of the room. The function returns in that same
    turn, so that the caller can enter the room and miss nothing.

    Raises: `ChatError` `not_found` if the caller is not, or no longer, a member; `Refused` (TOO_SLOW); `Unavailable`.
    """
    chat = await context.directory.for_member(caller.user_id, chat_id)
    if after_seq > chat.head_seq:
        # Memory may be behind a store that other nodes write to: a read publishes what it finds there.
        await context.store.messages.changed_since(chat_id, after_seq, limit=1)
        chat = await context.directory.for_member(caller.user_id, chat_id)
        if after_seq > chat.head_seq:
            return 0, True
    return await _Replay(context, caller, chat_id, after_seq).run(chat)


class _Replay:
    """One replay. Passes are read in pieces, so that neither memory nor the peer's buffer ever holds a whole one."""

    def __init__(self, context: Context, caller: Caller, chat_id: int, after_seq: int) -> None:
        self._context = context
        self._caller = caller
        self._connection = caller.connected()
        self._chat_id = chat_id
        self._after_seq = after_seq
        self._position = after_seq
        self._pass_ends_at = after_seq
        self._unsent_bytes_max = min(UNSENT_BYTES_MAX, context.policy.volatile_limit_bytes)
        self._write_bytes = min(WRITE_BYTES, self._unsent_bytes_max)
        self._seen: set[int] = set()
        self._sent = 0
        self._reads_on = False
        """Whether the last piece may end before the last change that is stored. A message that belongs into the pass
        may have changed once more, and then stands behind the room's head, its last event being a reaction or a pin,
        which does not bring the message."""

    async def run(self, chat: LoadedChat) -> tuple[int, bool]:
        waits = 0
        # What is emitted while this node is behind others is held: the ack must not overtake it.
        while self._position != chat.head_seq or self._reads_on or self._context.freshness.stale:
            if self._context.freshness.stale:
                await self._context.freshness.caught_up()
            elif self._position > chat.head_seq:
                # A change was read from disk before it was published, which mostly takes a turn or two more.
                waits += 1
                if waits > WAITS_MAX:
                    return self._sent, True
                await asyncio.sleep(0 if waits < SHORT_WAITS else CHECK_EVERY_S)
            else:
                begins = self._position >= self._pass_ends_at
                if begins:
                    self._pass_ends_at = chat.head_seq
                piece = await self._context.store.messages.changed_since(
                    self._chat_id, self._position, limit=REPLAY_MESSAGES_MAX + 1, max_bytes=PIECE_BYTES_MAX
                )
                if begins and await self._is_too_long(piece):
                    return self._sent, True
                await self._send(piece)
            chat = await self._context.directory.for_member(self._caller.user_id, self._chat_id)
        return self._sent, False

    async def _is_too_long(self, piece: Sequence[Message]) -> bool:
        """Whether the pass that begins with this piece has more messages than are replayed."""
        if len(piece) > REPLAY_MESSAGES_MAX:
            return True
        if not piece or piece[-1].changed_seq >= self._pass_ends_at:
            return False  # the piece is the whole pass
        number = await self._context.store.messages.count_changed_since(
            self._chat_id, self._position, limit=REPLAY_MESSAGES_MAX + 1
        )
        return number > REPLAY_MESSAGES_MAX

    async def _send(self, piece: Sequence[Message]) -> None:
        await self._writable()  # other events may have filled the buffer
        unwritten = piece_bytes = 0
        for message in piece:
            if unwritten >= self._write_bytes:
                await self._context.hub.turn(self._connection.id, unwritten)
                await self._writable()
                unwritten = 0
            known = message.seq <= self._after_seq or message.id in self._seen
            name, payload = events.replayed(
                message, self._context.clock.now(), self._context.links, known=known
            )
            self._context.hub.emit(name, payload, room=self._connection.id)
            self._seen.add(message.id)
            self._position = message.changed_seq
            self._sent += 1
            # `message_updated` has the content twice.
            size = message_bytes(message)
            piece_bytes += size
            unwritten += size + known * len(message.content)
        self._reads_on = piece_bytes > PIECE_BYTES_MAX // 2
        await self._context.hub.turn(self._connection.id, unwritten)

    async def _writable(self) -> None:
        """Returns when more may be sent to the peer: when less than the limit is unread.

        Raises: `ChatError` `not_found` after a removal from the chat; `Refused` for a connection that has ended,
        TOO_SLOW if its peer took nothing for `STUCK_S`.
        """
        context, connection = self._context, self._connection
        await self._check()
        last = context.hub.unread_bytes(connection.id)
        taken_at = context.clock.monotonic()
        while last >= self._unsent_bytes_max:
            await context.clock.sleep(CHECK_EVERY_S)
            await self._check()
            unread, now = context.hub.unread_bytes(connection.id), context.clock.monotonic()
            if unread < last:
                taken_at = now
            elif now - taken_at >= STUCK_S:
                context.hub.end(connection.id, Ending.TOO_SLOW)
                raise Refused("unavailable", Ending.TOO_SLOW)
            last = unread

    async def _check(self) -> None:
        """Raises: `ChatError` `not_found` after a removal; `Refused` for a connection that has ended; `Unavailable` if
        this node stays behind others."""
        await self._context.freshness.caught_up()
        await self._context.directory.for_member(self._caller.user_id, self._chat_id)
        self._context.connections.check(self._connection)
