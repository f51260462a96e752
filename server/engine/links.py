"""What the engine asks of a connection in its rooms, whatever that connection speaks."""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

BINARY = bytes | bytearray


class Dialect(Protocol):
    """How events become bytes for one kind of client. One instance, hashable, serves all clients of its kind."""

    def encode(self, event: str, args: Sequence[Any], namespace: str) -> bytes:
        """The complete WebSocket frame or frames of an event, header included: servers do not mask, so every
        member of a room can be sent the same bytes."""


class Link(Protocol):
    """A connection as rooms, emit and disconnect see it; kept in `eio.sockets` under its `sid`.

    `wire` is the transport of a plain WebSocket connection, while complete frames may be written to it; None
    while there is none (polling, an upgrade under way, closed): then `enqueue` takes the event instead. Two duties keep
    the order: code that sets `wire` first writes what `enqueue` took, and code that writes to the transport past the
    rooms first calls `FanOut.flush(sid)`. A link that queues may say in `queued_bytes` how much waits.
    """

    sid: str
    wire: asyncio.WriteTransport | None
    session: dict[str, Any]

    @property
    def closed(self) -> bool:
        """Whether the connection has ended."""

    @property
    def dialect(self) -> Dialect:
        """The dialect that the client understands."""

    def write(self, blob: bytes) -> None:
        """Writes complete frames; the one way to write to a WebSocket, whatever is written. Does nothing without a
        `wire`. With more than the limit unsent, the connection overflows instead."""

    def enqueue(self, event: str, args: Sequence[Any], namespace: str) -> None:
        """Takes an event while `wire` is None; does nothing on a closed connection."""

    def overflow(self) -> None:
        """Called when more than the limit waits unsent: `wire` is None when this returns, and the connection ends in
        the next turn of the loop. Must not suspend, and must not write to any connection."""

    def close(self, reason: str) -> None:
        """Ends the connection; `reason` is one of `EngineServer.reason`. Must not suspend."""


def unsent_bytes(link: Link) -> int:
    """How many bytes wait unsent for a connection."""
    if link.wire is None:
        return getattr(link, "queued_bytes", 0)
    return link.wire.get_write_buffer_size()
