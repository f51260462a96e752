"""The port between handlers and sockets: rooms, and the connections in them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from handlers.wire.endings import Ending

Payload = Mapping[str, Any]

Blobs = Sequence[bytes]
"""An event as bytes: for each kind of client, in an order that all nodes of one version share, what is written to the
connections of that kind."""


class Hub(Protocol):
    """Sends events to rooms. The id of a connection is also the name of a room, with that connection in it.

    A connection gets events in the order in which they were emitted. What was emitted to a room before a
    connection entered it, or after it left, does not reach that connection.
    """

    def emit(
        self, event: str, payload: Payload, *, room: str, skip: Collection[str] = (), volatile: bool = False
    ) -> None:
        """Sends an event to every connection in the room but those in `skip`, which are ids. A connection with much
        unread is not sent a `volatile` event."""

    def emit_once(
        self, event: str, payload: Payload, *, rooms: Collection[str], skip: Collection[str] = ()
    ) -> None:
        """Sends an event once to every connection that is in at least one of the rooms, but to none in `skip`."""

    def emit_encoded(self, event: str, payload: Payload, *, room: str) -> Blobs:
        """As `emit`; returns the bytes of the event, whether or not the room has members."""

    def emit_blobs(self, blobs: Blobs, *, room: str) -> None:
        """Sends what `emit_encoded` has returned on another node, as `emit` sends an event; nothing is encoded."""

    def enter(self, connection_id: str, room: str) -> None:
        """Puts a connection into a room; nothing happens if it is there."""

    def leave(self, connection_id: str, room: str) -> None:
        """Takes a connection out of a room; nothing happens if it is not there."""

    def unsent_bytes(self, connection_id: str) -> int:
        """How many written bytes the connection's peer has not taken yet; 0 for a connection that is gone. Events that
        are gathered until the end of the turn do not count."""

    def unread_bytes(self, connection_id: str) -> int:
        """Writes what is gathered for the connection, and then counts as `unsent_bytes` does."""

    async def turn(self, connection_id: str, size: int) -> None:
        """Returns when it is the connection's turn to be served `size` more bytes that it asked for, so that others get
        their share of the loop. The only method that suspends."""

    def end(self, connection_id: str, ending: Ending) -> None:
        """Tells a connection why it ends, and closes it; nothing happens for a connection that is gone."""

    def on_end(self, listener: Callable[[str, Ending], None]) -> None:
        """Sets the function that `end` calls, in the same turn, with the id of the connection it ends and the reason:
        what that connection still sends is ignored."""
