"""Bodies that are read in pieces: bounded in bytes, and from senders that are not too slow."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any, TypeVar

from aiohttp import HttpVersion11, hdrs, web

from handlers.wire.errors import ChatError
from server.keys import CHAT_APP

PIECE_BYTES = 32 * 1024
"""How much is read at once. A form holds two pieces of each file."""

GRACE_S = 30.0
"""How long the server waits for a sender in all, besides what their bytes give them."""

LEAST_BYTES_PER_S = 8 * 1024
"""A sender who is slower than this for longer than `GRACE_S` is cut off: 25 MiB may take 54 minutes."""

PAUSE_S = 60.0
"""A sender of whom nothing comes for this long is cut off, however fast they were before: a phone that has lost its
network says nothing."""

LINES_MAX = 1000
"""How many lines a form may have around its files: boundaries, headers of parts, and what precedes the first part. Each
takes some 10 µs of the event loop, and a body has room for millions of empty ones."""

T = TypeVar("T")


class BoundedBody:
    """The body of a request as `aiohttp.MultipartReader` reads it. Time that the server itself takes between two reads
    does not count."""

    def __init__(self, request: web.Request, bytes_max: int) -> None:
        """Raises: `ChatError` `too_large` for a body that says that it is longer, `unsupported_media` for one that is
        compressed."""
        if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
            raise ChatError("unsupported_media", "the body has to be uncompressed")
        self._bytes_max = bytes_max
        self._content = request.content
        self._counts = request.app[CHAT_APP].files.counts
        if (request.content_length or 0) > bytes_max:
            raise self._too_large()
        self._received = 0
        self._lines = 0
        self._waited_s = 0.0

    async def read(self, n: int = PIECE_BYTES) -> bytes:
        """Raises: `ChatError` `too_large`, `bad_request` for a sender who is too slow."""
        return self._counted(await self._in_time(self._content.read(min(n, PIECE_BYTES))))

    async def readline(self, *, max_line_length: int | None = None) -> bytes:
        """Raises: as `read` does; `ValueError` for a line that is too long, or one of too many."""
        self._lines += 1
        if self._lines > LINES_MAX:
            raise ValueError("too many lines")
        line = self._content.readline(max_line_length=max_line_length)
        return self._counted(await self._in_time(line))

    def unread_data(self, data: bytes) -> None:
        self._received -= len(data)
        self._content.unread_data(data)

    def at_eof(self) -> bool:
        return self._content.at_eof()

    async def pieces(self) -> AsyncIterator[bytes]:
        """All of the body. Raises: as `read` does."""
        while piece := await self.read():
            yield piece

    async def _in_time(self, reading: Awaitable[T]) -> T:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            left_s = GRACE_S + self._received / LEAST_BYTES_PER_S - self._waited_s
            async with asyncio.timeout(min(left_s, PAUSE_S)):
                return await reading
        except TimeoutError:
            self._counts.refusals["slow"] += 1
            raise ChatError("bad_request", "the body did not come in time") from None
        finally:
            self._waited_s += loop.time() - began

    def _counted(self, data: bytes) -> bytes:
        self._received += len(data)
        if self._received > self._bytes_max:
            raise self._too_large()
        return data

    def _too_large(self) -> ChatError:
        self._counts.refusals["too_large"] += 1
        return ChatError("too_large", f"the body has at most {self._bytes_max} bytes")


async def no_continue(request: web.Request) -> None:
    """Handles the `Expect` header of a request whose body is not asked for yet: see `ask_for_body`."""
    if request.headers.get(hdrs.EXPECT, "").lower() != "100-continue":
        raise web.HTTPExpectationFailed


async def ask_for_body(request: web.Request) -> None:
    """Tells a client that waits for it to send the body. A client that is refused before sends none."""
    if hdrs.EXPECT in request.headers and request.version >= HttpVersion11:
        writer: Any = request.writer
        await writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        writer.output_size = 0  # as aiohttp does: the answer itself has not begun
