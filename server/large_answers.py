"""Large answers over HTTP: written in chunks as their peers read them, and bounded in total."""

import asyncio
from typing import Any

from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

CHUNK_BYTES = 64 * 1024
"""An answer up to this size is sent in one write."""

STALL_TIMEOUT_S = 20.0
"""A peer that reads nothing of its answer for this long is cut off."""


class OnePerTurn:
    """Lets one large answer be encoded in each turn of the loop: a page of 1 MiB takes up to 10 ms."""

    def __init__(self) -> None:
        self._is_taken = False

    async def turn(self) -> None:
        """Returns in a turn of the loop in which no other caller has returned from here."""
        while self._is_taken:  # noqa: ASYNC110 -- it waits for the next turn of the loop
            await asyncio.sleep(0)
        self._is_taken = True
        asyncio.get_running_loop().call_soon(self._free)

    def _free(self) -> None:
        self._is_taken = False


class Unsent:
    """Counts the bytes of large answers that their peers have not read yet.

    Beyond `limit_bytes` the peer that has read nothing for the longest time is cut off, so that peers who read nothing
    do not lock out those who read.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._sending: dict[Sending, None] = {}
        """In the order of their last progress, the stalest first."""
        self._by_user: dict[int, int] = {}
        self.total_bytes = 0

    def of(self, user_id: int) -> int:
        """How many bytes are unsent for a user; always 0 for user 0, which stands for strangers."""
        return self._by_user.get(user_id, 0)

    def add(self, sending: "Sending", size: int) -> None:
        """Called before an answer of `size` bytes is sent."""
        self._sending[sending] = None
        self._change(sending.user_id, size)
        while self.total_bytes > self._limit_bytes and len(self._sending) > 1:
            stalest = next(iter(self._sending))
            if stalest is sending:
                return
            stalest.cut()

    def took(self, sending: "Sending", size: int) -> None:
        """Called when the peer has read `size` more bytes."""
        if self._sending.pop(sending, sending) is None:
            self._sending[sending] = None
            self._change(sending.user_id, -size)

    def remove(self, sending: "Sending", left: int) -> None:
        """Called when the rest of an answer is dropped or sent; nothing happens the second time."""
        if self._sending.pop(sending, sending) is None:
            self._change(sending.user_id, -left)

    def _change(self, user_id: int, size: int) -> None:
        self.total_bytes += size
        if user_id:
            self._by_user[user_id] = self._by_user.get(user_id, 0) + size
            if not self._by_user[user_id]:
                del self._by_user[user_id]


class Sending:
    """A large answer that is being sent to a peer."""

    __slots__ = ("_left", "_transport", "_unsent", "user_id")

    def __init__(self, unsent: Unsent, user_id: int, size: int, transport: asyncio.Transport | None) -> None:
        self.user_id = user_id
        self._unsent = unsent
        self._left = size
        self._transport = transport
        unsent.add(self, size)

    def took(self, size: int) -> None:
        """Called when the peer has read `size` more bytes."""
        self._unsent.took(self, size)
        self._left -= size

    def cut(self) -> None:
        """Cuts the peer off."""
        self.over()
        if self._transport is not None:
            self._transport.abort()

    def over(self) -> None:
        """Called when nothing more is sent."""
        self._unsent.remove(self, self._left)


class PacedBody(Payload):
    """A body that waits for its peer after each chunk, and cuts off a peer that takes nothing."""


class Chunks(PacedBody):
    """A body that waits for its peer after each chunk, so that the connection buffers no more than one."""

    _default_content_type = "application/json"

    def __init__(self, body: bytes, unsent: Unsent, user_id: int) -> None:
        super().__init__(body)
        self._size = len(body)
        self._unsent = unsent
        self._user_id = user_id

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return bytes(self._value).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Raises: `TimeoutError` when the peer takes nothing."""
        body: bytes = self._value
        chunk = b""
        transport: Any = getattr(writer, "transport", None)
        sending = Sending(self._unsent, self._user_id, len(body), transport)
        if transport is not None:
            # `drain` then waits until the system has taken all that was written.
            transport.set_write_buffer_limits(high=CHUNK_BYTES // 4, low=0)
        try:
            for start in range(0, len(body), CHUNK_BYTES):
                chunk = body[start : start + CHUNK_BYTES]
                async with asyncio.timeout(STALL_TIMEOUT_S):
                    await writer.write(chunk)
                    await writer.drain()
                sending.took(len(chunk))
        finally:
            # A broken connection leaves its Python frames in a reference cycle with the exception: free the body now.
            self._value = body = chunk = b""
            sending.over()


def body_of(body: bytes, unsent: Unsent, user_id: int) -> bytes | Chunks:
    """The body of an answer: as it is, or in `Chunks` if it is large."""
    return body if len(body) <= CHUNK_BYTES else Chunks(body, unsent, user_id)
