"""A WebSocket whose client is connected to one node while its session is on another."""

import asyncio
from collections.abc import Callable

from server.engine import Clock

READ_BYTES = 32 * 1024

BUFFERED_BYTES = 64 * 1024
"""With more than this unsent to one side, nothing is read from the other."""

LINGER_S = 5.0
"""When one side has ended, the other one has this time to take what is left and to end as well: longer than the close
timeout of a WebSocket, which the nodes at the ends look after."""

_read_buffer = memoryview(bytearray(READ_BYTES))
"""One for all tunnels: what is read is copied out of it in the same call of the event loop."""


class Tunnel:
    """Two connections: to the client, and to the other node. `over` is called when both are gone."""

    def __init__(self, clock: Clock, over: Callable[[], None]) -> None:
        self._clock = clock
        self._over = over
        self._ends: list[TunnelEnd] = []

    def end_for(self, transport: asyncio.Transport) -> "TunnelEnd":
        """An end for a connection. What comes before there is a second end waits unread."""
        end = TunnelEnd(self, transport)
        transport.set_write_buffer_limits(high=BUFFERED_BYTES)
        for other in self._ends:
            end.other, other.other = other, end
        self._ends.append(end)
        return end

    def abort(self) -> None:
        """Cuts both connections off."""
        for end in self._ends:
            end.transport.abort()

    def half_closed(self) -> None:
        """One side sends nothing any more."""
        if all(end.has_ended for end in self._ends):
            for end in self._ends:
                end.transport.close()
        else:
            self._clock.call_later(LINGER_S, self.abort)

    def lost(self, end: "TunnelEnd", error: Exception | None) -> None:
        """A connection is gone."""
        self._ends.remove(end)
        for other in self._ends:
            if error is not None:
                other.transport.abort()
            else:
                other.transport.close()
                self._clock.call_later(LINGER_S, other.transport.abort)
        if not self._ends:
            self._over()


class TunnelEnd(asyncio.BufferedProtocol):
    """One end of a tunnel: what comes in goes out at the other end."""

    __slots__ = ("_tunnel", "has_ended", "other", "transport")

    def __init__(self, tunnel: Tunnel, transport: asyncio.Transport) -> None:
        self._tunnel = tunnel
        self.transport = transport
        self.other: TunnelEnd | None = None
        self.has_ended = False
        """Whether the peer sends nothing any more."""

    def get_buffer(self, sizehint: int) -> memoryview:
        return _read_buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.came(bytes(_read_buffer[:nbytes]))

    def came(self, data: bytes) -> None:
        """Takes what the peer has sent."""
        if self.other is not None and not self.other.transport.is_closing():
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        if self.other is not None and not self.other.transport.is_closing():
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and not self.other.transport.is_closing():
            self.other.transport.resume_reading()

    def eof_received(self) -> bool:
        """The peer sends nothing any more, but may still read."""
        self.has_ended = True
        if self.other is not None and not self.other.transport.is_closing():
            if self.other.transport.can_write_eof():
                self.other.transport.write_eof()
            else:  # TLS has no half of a connection
                self.other.transport.close()
        self._tunnel.half_closed()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._tunnel.lost(self, exc)
