"""The rooms and the connections in them, as handlers see them."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

from handlers.wire.endings import Ending

Payload = Mapping[str, Any]


class Hub(Protocol):
    """Events to rooms. A connection's id is also a room, with that connection in it.

    A connection gets events in the order in which they were emitted. What was emitted to a room before a
    connection entered it, or after it left, does not reach that connection.
    """

    def emit(
        self, event: str, payload: Payload, *, room: str, skip: Collection[str] = (), volatile: bool = False
    ) -> None:
        """To every connection in the room but those in `skip`. A `volatile` event is left out for a connection
        that has much unread."""

    def emit_once(
        self, event: str, payload: Payload, *, rooms: Collection[str], skip: Collection[str] = ()
    ) -> None:
        """To every connection that is in any of the rooms, once, but to none in `skip`."""

    def enter(self, connection_id: str, room: str) -> None: ...

    def leave(self, connection_id: str, room: str) -> None:
        """Nothing happens if the connection is not in the room."""

    def unsent_bytes(self, connection_id: str) -> int:
        """As `unread_bytes`, without what is only gathered for the connection yet; costs nobody anything."""

    def unread_bytes(self, connection_id: str) -> int:
        """What waits to be taken by the connection's peer, with all that was emitted up to now; 0 for one that is
        gone."""

    async def turn(self, connection_id: str, size: int) -> None:
        """Returns when so many bytes may be made for the connection, which asked for them, without taking the loop from
        others. The only method that suspends."""

    def end(self, connection_id: str, ending: Ending) -> None:
        """Tells the connection why it ends and closes it; nothing happens for one that is gone."""

    def on_end(self, listener: Callable[[str], None]) -> None:
        """From now on, calls the listener with the id of each connection that `end` ends, in the same turn: what such a
        connection still sends is not heard."""
