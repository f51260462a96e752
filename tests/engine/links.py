"""Links without a peer, that keep what is written to them."""

import asyncio
from typing import Any


class Wire(asyncio.WriteTransport):
    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.unsent = 0

    def write(self, data: bytes) -> None:  # type: ignore[override]
        self.written.append(data)

    def get_write_buffer_size(self) -> int:
        return self.unsent


class Plain:
    def encode(self, event: str, args: Any, namespace: str) -> bytes:
        return event.encode()


class Link:
    dialect = Plain()

    def __init__(self, sid: str) -> None:
        self.sid = sid
        self.line = Wire()
        self.wire: asyncio.WriteTransport | None = self.line
        self.closed = False
        self.session: dict[str, Any] = {}
        self.overflows = 0

    def write(self, blob: bytes) -> None:
        if self.line.unsent > 100:
            self.overflow()
        elif self.wire is not None:
            self.wire.write(blob)

    def overflow(self) -> None:
        self.overflows += 1
        self.wire = None

    def enqueue(self, event: str, args: Any, namespace: str) -> None: ...
