"""Receives files: their bytes go to where files are kept as they come, those of pictures by way of a temporary file.

Memory holds one piece of a file at a time. A file that is refused, or whose sender goes away, leaves nothing.
"""

import secrets
from collections.abc import AsyncIterator
from typing import BinaryIO

from domain.files import thumbnail_id
from domain.frozen import frozen
from handlers.files.content_types import HEAD_BYTES, content_type_of
from handlers.files.counts import FileCounts
from handlers.files.spool import Spools, disk_errors
from handlers.live.fair_semaphore import Gone, never
from handlers.pictures.container import BrokenPicture, TooManyPixels
from handlers.pictures.kinds import KINDS
from handlers.pictures.processing import Picture
from handlers.pictures.small import AVATAR, THUMBNAIL, Wanted
from handlers.pictures.workers import PictureWorkers
from handlers.wire.errors import ChatError, invalid
from storage.ports import Store

Chunks = AsyncIterator[bytes]

ID_BYTES = 16
AVATAR_ID_BYTES = 24
"""Ids of avatars are longer than those of uploads, so that neither is taken for the other: see `is_avatar_id`."""

AVATAR_ID_CHARS = AVATAR_ID_BYTES * 4 // 3


@frozen
class KeptFile:
    """A file that is on disk, with its thumbnail if it has one, and that nobody knows yet."""

    id: str
    content_type: str
    size: int
    width: int | None = None
    height: int | None = None
    has_thumbnail: bool = False


class Receiver:
    """Receives files. `turn_of` is the key under which a picture waits for its turn, and `gone` says that the sender
    has gone: see `PictureWorkers`."""

    def __init__(self, store: Store, spools: Spools, workers: PictureWorkers, counts: FileCounts) -> None:
        self._store = store
        self._spools = spools
        self._workers = workers
        self._counts = counts

    async def file(self, chunks: Chunks, *, turn_of: str, gone: Gone = never) -> KeptFile:
        """Keeps a file, of a picture the file without its metadata and a thumbnail. Raises: `ChatError` `invalid` for a
        picture that is broken or too large; `Unavailable`; what `chunks` raises."""
        content_type, rest = await self._typed(chunks)
        if content_type not in KINDS:
            file_id = secrets.token_urlsafe(ID_BYTES)
            return KeptFile(file_id, content_type, await self._keep(file_id, rest))
        return await self._picture(content_type, rest, turn_of, gone)

    async def avatar(self, chunks: Chunks, *, turn_of: str, gone: Gone = never) -> str:
        """Keeps a picture as an avatar, and returns its id. Raises: `ChatError` `unsupported_media` for what is no
        picture, else as `file` does."""
        content_type, rest = await self._typed(chunks)
        if content_type not in KINDS:
            self._counts.refusals["type"] += 1
            raise ChatError("unsupported_media", "an avatar has to be a JPEG, PNG, GIF or WebP picture")
        async with self._spools.open() as source, self._spools.open() as cleaned:
            await source.fill(rest)
            picture = await self._process(source.file, content_type, cleaned.file, AVATAR, turn_of, gone)
        if picture.small is None:
            self._counts.refusals["pixels"] += 1
            raise invalid(file="is too large to be decoded")
        avatar_id = secrets.token_urlsafe(AVATAR_ID_BYTES)
        await self._keep(avatar_id, _once(picture.small))
        return avatar_id

    async def _typed(self, chunks: Chunks) -> tuple[str, Chunks]:
        """What is in a file, and all of it. Comparing it with all types that there are takes milliseconds."""
        head, rest = await _beginning(chunks)
        return await self._spools.threads.run(content_type_of, head), rest

    async def _picture(self, content_type: str, chunks: Chunks, turn_of: str, gone: Gone) -> KeptFile:
        file_id = secrets.token_urlsafe(ID_BYTES)
        async with self._spools.open() as cleaned:
            async with self._spools.open() as source:
                await source.fill(chunks)
                picture = await self._process(
                    source.file, content_type, cleaned.file, THUMBNAIL, turn_of, gone
                )
            try:
                if picture.small is not None:
                    await self._keep(thumbnail_id(file_id), _once(picture.small))
                size = await self._keep(file_id, cleaned.read())
            except BaseException:
                await self._store.files.delete([thumbnail_id(file_id)])
                raise
        return KeptFile(file_id, content_type, size, picture.width, picture.height, picture.small is not None)

    async def _process(
        self,
        source: BinaryIO,
        content_type: str,
        cleaned: BinaryIO,
        wanted: Wanted,
        turn_of: str,
        gone: Gone,
    ) -> Picture:
        try:
            with disk_errors():
                return await self._workers.process(
                    source, content_type, cleaned, wanted=wanted, turn_of=turn_of, gone=gone
                )
        except BrokenPicture:
            self._counts.refusals["broken"] += 1
            raise invalid(file="is no whole picture, though it begins as one") from None
        except TooManyPixels:
            self._counts.refusals["pixels"] += 1
            raise invalid(file=f"has more than {self._workers.pixels_max} pixels") from None

    async def _keep(self, file_id: str, chunks: Chunks) -> int:
        """Keeps the bytes under the id, and returns how many they are."""
        size = 0
        writing = await self._store.files.begin()
        try:
            async for chunk in chunks:
                size += len(chunk)
                await writing.write(chunk)
            await writing.keep(file_id)
        finally:
            await writing.drop()
        return size


def is_avatar_id(file_id: str) -> bool:
    """Whether this may be the id of an avatar; that of an upload is not."""
    return len(file_id) == AVATAR_ID_CHARS


async def _beginning(chunks: Chunks) -> tuple[bytes, Chunks]:
    """The first `HEAD_BYTES`, of a shorter file all of it, and the whole file."""
    head = bytearray()
    async for chunk in chunks:
        head += chunk
        if len(head) >= HEAD_BYTES:
            break
    return bytes(head[:HEAD_BYTES]), _joined(head, chunks)


async def _joined(head: bytearray, rest: Chunks) -> Chunks:
    """`head` is emptied."""
    if head:
        first = bytes(head)
        head.clear()
        yield first
        del first
    async for chunk in rest:
        yield chunk


async def _once(data: bytes) -> Chunks:
    yield data
