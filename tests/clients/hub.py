"""A hub in memory: rooms without sockets."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from handlers.wire.endings import Ending
from handlers.wire.json import dumps, loads

Sent = tuple[str, Mapping[str, Any]]


class MemoryHub:
    """Implements `handlers.live.hub.Hub`. `inbox` has what each connection was sent, `ended` how connections ended."""

    def __init__(self, *connection_ids: str) -> None:
        self.inbox: dict[str, list[Sent]] = {connection_id: [] for connection_id in connection_ids}
        self.ended: dict[str, Ending] = {}
        self._rooms: dict[str, set[str]] = {}
        self._on_end: Callable[[str, Ending], None] = lambda _connection_id, _ending: None

    def take(self, connection_id: str) -> list[Sent]:
        """What the connection was sent since the last time, without timestamps."""
        sent, self.inbox[connection_id] = self.inbox[connection_id], []
        return [
            (name, {key: value for key, value in payload.items() if key != "timestamp"})
            for name, payload in sent
        ]

    def emit(
        self,
        event: str,
        payload: Mapping[str, Any],
        *,
        room: str,
        skip: Collection[str] = (),
        volatile: bool = False,
    ) -> None:
        self.emit_once(event, payload, rooms=(room,), skip=skip)

    def emit_once(
        self, event: str, payload: Mapping[str, Any], *, rooms: Collection[str], skip: Collection[str] = ()
    ) -> None:
        members = set[str]().union(*(self._rooms.get(room, {room}) for room in rooms))
        for connection_id in self.inbox.keys() & members - set(skip):
            self.inbox[connection_id].append((event, payload))

    def emit_encoded(self, event: str, payload: Mapping[str, Any], *, room: str) -> Sequence[bytes]:
        self.emit(event, payload, room=room)
        return [dumps([event, payload])]

    def emit_blobs(self, blobs: Sequence[bytes], *, room: str) -> None:
        self.emit(*loads(blobs[0]), room=room)

    def enter(self, connection_id: str, room: str) -> None:
        self._rooms.setdefault(room, set()).add(connection_id)

    def leave(self, connection_id: str, room: str) -> None:
        self._rooms.get(room, set()).discard(connection_id)

    def unsent_bytes(self, connection_id: str) -> int:
        return 0

    def unread_bytes(self, connection_id: str) -> int:
        return 0

    async def turn(self, connection_id: str, size: int) -> None:
        return

    def end(self, connection_id: str, ending: Ending) -> None:
        self.ended[connection_id] = ending
        self._on_end(connection_id, ending)

    def on_end(self, listener: Callable[[str, Ending], None]) -> None:
        self._on_end = listener
