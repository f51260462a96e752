"""A stop in a connection's wire: what is written to it in a turn goes out at once."""

import asyncio
from collections.abc import Sequence

from .links import Link


class Cork(asyncio.WriteTransport):
    """Stands in for a link's wire until it is drawn. The replies go after what is written meanwhile."""

    __slots__ = ("_link", "_parts", "_replies", "_wire", "sid")

    def __init__(self, link: Link, wire: asyncio.WriteTransport, replies: Sequence[bytes]) -> None:
        self._link = link
        self.sid = link.sid
        self._wire = wire
        self._parts: list[bytes] = []
        self._replies = replies
        link.wire = self

    def write(self, data: bytes) -> None:  # type: ignore[override]
        self._parts.append(data)

    def get_write_buffer_size(self) -> int:
        return self._wire.get_write_buffer_size()

    def draw(self) -> None:
        """Writes everything, unless the link has ended."""
        if self._link.wire is not self:
            return
        self._link.wire = self._wire
        self._link.write(b"".join((*self._parts, *self._replies)))
