"""Large answers: written in chunks as their peers take them, and bounded all together."""

import asyncio
from typing import Any

from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import Payload

CHUNK_BYTES = 64 * 1024
"""An answer that is not larger goes in one write."""

STALL_TIMEOUT_S = 20.0
"""A peer that takes nothing of its answer for this long is cut off."""


class OnePerTurn:
    """Lets one large answer be made in a turn of the loop: to write a page of 1 MiB as JSON takes up to 10 ms."""

    def __init__(self) -> None:
        self._is_taken = False

    async def turn(self) -> None:
        """Returns in a turn of the loop in which nobody else has returned from here."""
        while self._is_taken:  # noqa: ASYNC110 -- a turn of the loop is what is waited for
            await asyncio.sleep(0)
        self._is_taken = True
        asyncio.get_running_loop().call_soon(self._free)

    def _free(self) -> None:
        self._is_taken = False


class Unsent:
    """What is held of large answers until their peers take it.

    `limit_bytes` bounds it: whoever has taken nothing for the longest time is cut off to make room, so that those who
    read nothing lock out nobody who reads.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._sending: dict[Sending, None] = {}
        """In the order of their last progress."""
        self._by_user: dict[int, int] = {}
        self.total_bytes = 0

    def of(self, user_id: int) -> int:
        """How many bytes are held for a user; 0 also for user 0, who is nobody."""
        return self._by_user.get(user_id, 0)

    def add(self, sending: "Sending", size: int) -> None:
        """An answer is about to be sent."""
        self._sending[sending] = None
        self._change(sending.user_id, size)
        while self.total_bytes > self._limit_bytes and len(self._sending) > 1:
            stalest = next(iter(self._sending))
            if stalest is sending:
                return
            stalest.cut()

    def took(self, sending: "Sending", size: int) -> None:
        """The peer has taken so many bytes."""
        if self._sending.pop(sending, sending) is None:
            self._sending[sending] = None
            self._change(sending.user_id, -size)

    def remove(self, sending: "Sending", left: int) -> None:
        """Nothing more of it is held; nothing happens the second time."""
        if self._sending.pop(sending, sending) is None:
            self._change(sending.user_id, -left)

    def _change(self, user_id: int, size: int) -> None:
        self.total_bytes += size
        if user_id:
            self._by_user[user_id] = self._by_user.get(user_id, 0) + size
            if not self._by_user[user_id]:
                del self._by_user[user_id]


class Sending:
    """A large answer on its way to a peer."""

    __slots__ = ("_left", "_transport", "_unsent", "user_id")

    def __init__(self, unsent: Unsent, user_id: int, size: int, transport: asyncio.Transport | None) -> None:
        self.user_id = user_id
        self._unsent = unsent
        self._left = size
        self._transport = transport
        unsent.add(self, size)

    def took(self, size: int) -> None:
        self._unsent.took(self, size)
        self._left -= size

    def cut(self) -> None:
        """Cuts the peer off."""
        self.over()
        if self._transport is not None:
            self._transport.abort()

    def over(self) -> None:
        self._unsent.remove(self, self._left)


class Chunks(Payload):
    """A body that waits for its peer after each chunk: until then the connection itself holds no more than one."""

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
            # What is written counts as taken when the system has all of it.
            transport.set_write_buffer_limits(high=CHUNK_BYTES // 4, low=0)
        try:
            for start in range(0, len(body), CHUNK_BYTES):
                chunk = body[start : start + CHUNK_BYTES]
                async with asyncio.timeout(STALL_TIMEOUT_S):
                    await writer.write(chunk)
                    await writer.drain()
                sending.took(len(chunk))
        finally:
            # A connection that breaks leaves its frames in a circle with the error, for the collector to find one day.
            self._value = body = chunk = b""
            sending.over()


def body_of(body: bytes, unsent: Unsent, user_id: int) -> bytes | Chunks:
    """What of a body to give to an answer."""
    return body if len(body) <= CHUNK_BYTES else Chunks(body, unsent, user_id)
