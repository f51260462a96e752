"""Spreads what this server publishes: the events of its own rows as they are encoded for the clients here."""

from collections.abc import Sequence
from typing import Any

from domain.changes import Change, MessageChange, MessageCreated
from handlers.live.hub import Hub, Payload
from handlers.wire.json import dumps
from server.nodes.bus import Bus
from server.nodes.bus_frames import pack_message, pack_topic


class BusSpreader:
    """Implements `handlers.live.spreader.Spreader` and `server.nodes.peers.Bus`.

    The store calls `begin` before it publishes a batch, then the publisher calls `emit` for each change of a message,
    and `flush` comes last: one frame for the batch, in the same turn.
    """

    def __init__(self, hub: Hub, bus: Bus) -> None:
        self._hub = hub
        self._bus = bus
        self._rows: dict[int, int] = {}
        """The numbers of the rows of this batch in the logs of their chats, by `id` of the change."""
        self._messages: list[bytes] = []
        self._others = False
        self._hint = 0

    def begin(self, rows: Sequence[tuple[int, Change]], hint: int) -> None:
        """Takes the rows that this server has inserted; see `storage.node_ports.OnPublished`."""
        if not self._bus.is_up:
            return
        self._rows = {id(change): n for n, change in rows}
        self._hint = hint
        self._others = not all(isinstance(change, MessageChange) for _, change in rows)

    def emit(self, change: MessageChange, event: str, payload: Payload, room: str) -> bool:
        n = self._rows.get(id(change))
        if n is None:
            return False
        blobs = self._hub.emit_encoded(event, payload, room=room)
        message = change.message
        self._messages.append(
            pack_message(
                message.chat_id,
                n,
                message.changed_seq,
                message.sender_id,
                type(change) is MessageCreated,
                blobs,
            )
        )
        return True

    def flush(self) -> None:
        """Publishes the frame of the batch; nothing happens if there is none."""
        if self._rows:
            messages, self._messages = self._messages, []
            self._rows = {}
            self._bus.publish(self._hint, self._others, messages)

    def tell(self, topic: str, number: int, value: Any) -> None:
        if self._bus.is_up:
            self._bus.publish(0, topics=[pack_topic(topic, number, dumps(value))])
