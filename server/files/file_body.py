"""The body of an answer that is read from where files are kept, as fast as its peer takes it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from aiohttp.abc import AbstractStreamWriter

from domain.refusals import NotFound
from handlers.chat_app import Download, Downloads
from handlers.wire.errors import not_found
from server.large_answers import STALL_TIMEOUT_S, PacedBody, Sending, Unsent

SLICE_BYTES = 64 * 1024


class FileBody(PacedBody):
    """The bytes of a file from `start` to `stop`. Memory holds one piece of them, which counts as unsent for
    `user_id`."""

    _default_content_type = "application/octet-stream"

    def __init__(
        self, downloads: Downloads, download: Download, start: int, stop: int, unsent: Unsent, user_id: int
    ) -> None:
        super().__init__(None)
        self._size = self._bytes = stop - start
        self._downloads = downloads
        self._download = download
        self._pieces: AsyncIterator[bytes] = downloads.read(download, start, stop)
        self._first = b""
        self._unsent = unsent
        self._user_id = user_id

    async def begin(self) -> None:
        """Reads the first piece, so that a file that cannot be read is answered with an error. Raises: `ChatError`
        `not_found`; `Unavailable`."""
        try:
            self._first = await anext(self._pieces, b"") if self._size else b""
        except NotFound:
            raise not_found("file") from None

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        raise TypeError("a file is no text")

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Raises: `TimeoutError` when the peer takes nothing; `ConnectionError` when the file ends too early: the peer
        then sees a broken answer."""
        transport: Any = getattr(writer, "transport", None)
        if transport is not None:
            transport.set_write_buffer_limits(high=SLICE_BYTES // 4, low=0)
        try:
            left = self._bytes - await self._send(writer, transport, self._first)
            self._first = b""
            while left:
                piece = await self._next()
                left -= await self._send(writer, transport, piece)
        except ConnectionError:
            if transport is not None:
                transport.abort()
            raise
        finally:
            await self._stop_reading()

    async def _next(self) -> bytes:
        """Raises: `ConnectionError` if there is no more."""
        try:
            piece = await anext(self._pieces, b"")
        except ConnectionError:
            raise
        except Exception as error:
            raise ConnectionResetError("the file cannot be read on") from error
        if not piece:
            raise ConnectionResetError("the file has ended too early")
        return piece

    async def _send(self, writer: AbstractStreamWriter, transport: Any, piece: bytes) -> int:
        sending = Sending(self._unsent, self._user_id, len(piece), transport)
        try:
            for start in range(0, len(piece), SLICE_BYTES):
                chunk = piece[start : start + SLICE_BYTES]
                async with asyncio.timeout(STALL_TIMEOUT_S):
                    await writer.write(chunk)
                    await writer.drain()
                sending.took(len(chunk))
                self._downloads.took(len(chunk))
        finally:
            sending.over()
        return len(piece)

    async def _stop_reading(self) -> None:
        close = getattr(self._pieces, "aclose", None)
        if close is not None:
            await close()
