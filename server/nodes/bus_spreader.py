"""Spreads what this node publishes: the events of its own rows as they are encoded for the clients here."""

from collections.abc import Sequence
from typing import Any

from domain.changes import Change, MessageChange, MessageCreated
from handlers.live.hub import Hub, Payload
from handlers.wire.json import dumps
from server.nodes.bus import Bus
from server.nodes.bus_frames import PARTS, pack_message, pack_topic


class BusSpreader:
    """Implements `handlers.live.spreader.Spreader` and `server.nodes.peers.Bus`.

    The store calls `begin` before it publishes a batch, then the publisher calls `emit` for each change of a message,
    and `flush` comes last: one frame for the batch, in the same turn.
    """

    def __init__(self, hub: Hub, bus: Bus) -> None:
        self._hub = hub
        self._bus = bus
        self._rows: dict[int, tuple[int, Change]] = {}
        """The rows of this batch by `id` of the change. The changes are kept, so that no other object has their ids."""
        self._parts: list[bytes] = []
        self._hint = 0

    def begin(self, rows: Sequence[tuple[int, Change]], hint: int) -> None:
        """Takes the rows that this node has inserted; see `storage.node_ports.OnPublished`."""
        if not self._bus.is_up:
            return
        self._rows = {id(row[1]): row for row in rows}
        self._hint = hint

    def emit(self, change: MessageChange, event: str, payload: Payload, room: str) -> bool:
        row = self._rows.get(id(change))
        if row is None:
            return False
        blobs = self._hub.emit_encoded(event, payload, room=room)
        message = change.message
        self._parts.extend(
            pack_message(
                message.chat_id,
                row[0],
                message.changed_seq,
                message.sender_id,
                type(change) is MessageCreated,
                blobs,
            )
        )
        return True

    def flush(self) -> None:
        """Publishes the frame of the batch; nothing happens if there is none. The others have to look if some of its
        rows are no changes of messages."""
        if self._rows:
            parts, self._parts = self._parts, []
            look = len(parts) < len(self._rows) * PARTS
            self._rows = {}
            self._bus.publish(self._hint, look, parts)

    def tell(self, topic: str, number: int, value: Any) -> None:
        if self._bus.is_up:
            self._bus.publish(0, topics=[pack_topic(topic, number, dumps(value))])
