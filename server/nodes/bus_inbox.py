"""Events from other nodes: each is handed to the clients here when it is the next of its chat."""

import asyncio
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Protocol

import structlog

from domain.changes import Change
from handlers.live.hub import Blobs
from server.nodes.bus_counters import BusCounters
from server.nodes.bus_frames import Message
from storage.errors import Unavailable
from storage.node_ports import Hint, Nodes

log = structlog.get_logger("vestnik")

CHASED_AFTER_S = 0.05
"""How long an event waits for the rows before it. They are on their way from another node, or lost."""

HELD_S = 5.0
"""How long events wait for this node to know again what the others did."""

HELD_BYTES_MAX = 8 * 1024 * 1024

_CHAT_ID = attrgetter("chat_id")


class HandOut(Protocol):
    """See `handlers.chat_app.ChatApp.hand_out`."""

    def __call__(self, chat_id: int, seq: int, sender_id: int, blobs: Blobs, *, new: bool) -> None: ...


class Inbox:
    """Keeps the events of a chat in the order of its log. An event is held while a row before it is missing, and while
    this node is stale; what is dropped here is published when this node looks at the others. `hand_out` is to be
    set before the first event comes."""

    hand_out: HandOut

    def __init__(self, nodes: Nodes, counters: BusCounters, *, stale: Callable[[], bool]) -> None:
        self._nodes = nodes
        self._counters = counters
        self._stale = stale
        self._held: dict[int, dict[int, Message]] = {}
        """By chat and number of the row."""
        self._chases: set[asyncio.Task[None]] = set()

    def take(self, messages: Sequence[Message]) -> None:
        """Handles the events of a frame."""
        counters = self._counters
        counters.messages_received += len(messages)
        stale = self._stale()
        for message in messages:
            chat_id = message.chat_id
            if stale or chat_id in self._held:
                self._hold(message)
                continue
            outcome = self._nodes.received(chat_id, message.n, message.seq)
            if outcome == "next":
                self.hand_out(chat_id, message.seq, message.sender_id, message.blobs, new=message.new)
            elif outcome == "ahead":
                counters.messages_ahead += 1
                self._hold(message)
            else:
                counters.messages_late += 1
        if self._held and not stale:
            for chat_id in {message.chat_id for message in messages} & self._held.keys():
                self._drain(chat_id)

    def published(self, changes: Sequence[Change]) -> None:
        """A subscriber of the store: what was published here may be what events wait for."""
        if self._held and not self._stale():
            for chat_id in set(map(_CHAT_ID, changes)) & self._held.keys():
                self._drain(chat_id)

    def stop(self) -> None:
        """Drops what is held."""
        for task in self._chases:
            task.cancel()
        self._held.clear()

    # --- held ----------------------------------------------------------------------------------------------------

    def _hold(self, message: Message) -> None:
        size = _size(message)
        if self._counters.held_bytes + size > HELD_BYTES_MAX:
            self._drop(message.chat_id)
            return
        held = self._held.get(message.chat_id)
        if held is None:
            held = self._held[message.chat_id] = {}
            task = asyncio.get_running_loop().create_task(self._chase(message.chat_id))
            self._chases.add(task)
            task.add_done_callback(self._chases.discard)
        if message.n not in held:
            held[message.n] = message
            self._counters.held_bytes += size

    def _drain(self, chat_id: int) -> None:
        """Hands out what is next now, and drops what is old."""
        held = self._held[chat_id]
        for n in sorted(held):
            message = held[n]
            outcome = self._nodes.received(chat_id, n, message.seq)
            if outcome == "ahead":
                return
            del held[n]
            self._counters.held_bytes -= _size(message)
            if outcome == "next":
                self.hand_out(chat_id, message.seq, message.sender_id, message.blobs, new=message.new)
            else:
                self._counters.messages_late += 1
        del self._held[chat_id]

    def _drop(self, chat_id: int) -> None:
        for message in self._held.pop(chat_id, {}).values():
            self._counters.held_bytes -= _size(message)

    async def _chase(self, chat_id: int) -> None:
        """Reads the log up to the events that still wait after a moment."""
        try:
            await self._read_log(chat_id)
        finally:
            self._drop(chat_id)

    async def _read_log(self, chat_id: int) -> None:
        pause_s = CHASED_AFTER_S
        await asyncio.sleep(pause_s)
        while self._stale() and pause_s < HELD_S:  # ever longer, for there may be thousands of such chats
            await asyncio.sleep(pause_s)
            pause_s *= 2
        if not (held := self._held.get(chat_id)):
            return
        self._counters.chases += 1
        hint = Hint(
            number=0, rows={chat_id: (min(held), max(held))}, users={}, sessions=(), marks=(), told=()
        )
        try:
            await self._nodes.apply([hint])
        except Unavailable:
            log.debug("the log of a chat could not be read", chat_id=chat_id)
        if chat_id in self._held and not self._stale():
            self._drain(chat_id)


def _size(message: Message) -> int:
    raw, socketio = message.blobs
    return len(raw) + len(socketio)
