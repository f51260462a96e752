"""Forms with files: one part after the other, each read in pieces."""

import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any, cast

from aiohttp import BadContentDispositionHeader, BodyPartReader, MultipartReader, hdrs, web
from aiohttp.http import HttpProcessingError
from aiohttp.multipart import BadContentDispositionParam

from handlers.wire.errors import ChatError
from server.files.bodies import PIECE_BYTES, BoundedBody
from server.files.disposition import disposition_of

PARTS_MAX = 64
FIELD_BYTES_MAX = 64 * 1024
"""What the fields of a form may hold together: the longest message and its ids."""

_PLAIN = frozenset({"binary", "8bit", "7bit"})

# They repeat what a client has sent, and are of aiohttp's own reader, which is not used: see `disposition`.
warnings.filterwarnings("ignore", category=BadContentDispositionHeader)
warnings.filterwarnings("ignore", category=BadContentDispositionParam)


class Part:
    """A part of a form: a field, or a file with the name that its sender gave it. To be read before the next one."""

    def __init__(self, reader: BodyPartReader) -> None:
        """Raises: `ChatError` `bad_request`; `ValueError`."""
        disposition = disposition_of(reader.headers.get(hdrs.CONTENT_DISPOSITION, ""))
        encoding = reader.headers.get(hdrs.CONTENT_TRANSFER_ENCODING, "binary").lower()
        if disposition is None or encoding not in _PLAIN or hdrs.CONTENT_ENCODING in reader.headers:
            raise unreadable()
        self.name = disposition.name
        self.filename = disposition.filename
        self._reader = reader

    async def pieces(self) -> AsyncIterator[bytes]:
        """The content. Raises: `ChatError`."""
        while not self._reader.at_eof():
            with readable():
                piece = await self._reader.read_chunk(PIECE_BYTES)
            if piece:
                yield bytes(piece)

    async def skip(self) -> None:
        """Reads the content to its end."""
        async for _ in self.pieces():
            pass


class Form:
    """The body of a request as a form. Raises: `ChatError` `unsupported_media` for another body; as `BoundedBody`
    does."""

    def __init__(self, request: web.Request, bytes_max: int) -> None:
        if request.content_type != "multipart/form-data":
            raise ChatError("unsupported_media", "the body has to be multipart/form-data")
        body = BoundedBody(request, bytes_max)
        with readable():
            self._reader = MultipartReader(request.headers, cast(Any, body))
        self._field_bytes = 0

    async def parts(self) -> AsyncIterator[Part]:
        """Each part; its content is skipped if it is not read. Raises: `ChatError` `bad_request` for what is no form,
        and for one that breaks off; what `BoundedBody` raises."""
        count = 0
        while True:
            with readable():
                reader = await self._reader.next()
            if reader is None:
                return
            count += 1
            if count > PARTS_MAX or not isinstance(reader, BodyPartReader):
                raise unreadable()
            with readable():
                part = Part(reader)
            yield part
            await part.skip()

    async def text_of(self, part: Part) -> str:
        """The content of a field. Raises: `ChatError` `too_large`; `bad_request` for what is no UTF-8."""
        value = bytearray()
        async for piece in part.pieces():
            value += piece
            self._field_bytes += len(piece)
            if self._field_bytes > FIELD_BYTES_MAX:
                raise ChatError("too_large", f"the fields have at most {FIELD_BYTES_MAX} bytes together")
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise unreadable() from None


@contextmanager
def readable() -> Iterator[None]:
    """Raises `ChatError` `bad_request` for what aiohttp cannot read."""
    try:
        yield
    except (ValueError, AssertionError, RuntimeError, RuntimeWarning, HttpProcessingError):
        raise unreadable() from None


def unreadable() -> ChatError:
    return ChatError("bad_request", "the form cannot be read")
