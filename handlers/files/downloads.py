"""Files that are read: by link, by token, and avatars."""

from collections.abc import AsyncIterator, Mapping

from domain.files import Upload, thumbnail_id
from domain.frozen import frozen
from handlers.context import Caller, Context
from handlers.files.access import readable
from handlers.files.content_types import INLINE
from handlers.files.counts import FileCounts
from handlers.files.receiving import is_avatar_id
from handlers.pictures.small import CONTENT_TYPE as SMALL_TYPE
from handlers.wire.errors import ChatError, not_found


@frozen
class Download:
    """A file to be sent. `inline`: browsers may show it in place. `file_id` names the bytes, which never change."""

    file_id: str
    name: str
    content_type: str
    size: int
    inline: bool


class Downloads:
    """What gates do to send files."""

    def __init__(self, context: Context, counts: FileCounts) -> None:
        self._context = context
        self._counts = counts

    async def by_link(
        self, path: str, query: Mapping[str, str], upload_id: str, *, thumbnail: bool = False
    ) -> Download:
        """The file of a signed link. Raises: `ChatError` `forbidden` for a link that is wrong or has expired,
        `not_found` for a file that is gone."""
        if not self._context.links.is_good(path, query):
            raise ChatError(
                "forbidden", "the link is wrong or has expired; GET /api/uploads/{id}/urls makes new ones"
            )
        upload = await self._context.store.uploads.get(upload_id)
        if upload is None:
            raise not_found("file")
        return await self._download(upload, thumbnail)

    async def by_token(self, caller: Caller, upload_id: str, *, thumbnail: bool = False) -> Download:
        """The file, for those who may read it: see `readable`. Raises: `ChatError` `rate_limited`, `not_found`."""
        self._context.limiter.check("queries", caller.user_id)
        return await self._download(await readable(self._context, caller.user_id, upload_id), thumbnail)

    def is_link(self, query: Mapping[str, str]) -> bool:
        """Whether a request comes by a signed link, good or not."""
        return self._context.links.is_signed(query)

    async def avatar(self, avatar_id: str) -> Download:
        """The avatar that somebody, or a chat, has now. Raises: `ChatError` `not_found`."""
        store = self._context.store
        if not is_avatar_id(avatar_id) or avatar_id not in await store.uploads.known([avatar_id]):
            raise not_found("picture")
        self._counts.served["avatar"] += 1
        return await self._small(avatar_id, "avatar.webp")

    async def _download(self, upload: Upload, thumbnail: bool) -> Download:
        if not thumbnail:
            self._counts.served["file"] += 1
            inline = upload.content_type in INLINE
            return Download(upload.id, upload.name, upload.content_type, upload.size, inline)
        if not upload.has_thumbnail:
            raise not_found("thumbnail")
        self._counts.served["thumbnail"] += 1
        return await self._small(thumbnail_id(upload.id), f"{upload.id}.webp")

    async def _small(self, file_id: str, name: str) -> Download:
        size = await self._context.store.files.size(file_id)
        if size is None:
            raise not_found("picture")
        return Download(file_id, name, SMALL_TYPE, size, inline=True)

    def read(self, download: Download, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes from `start` to `stop`, exclusive. Raises: `NotFound` if the file is deleted; `Unavailable`."""
        return self._context.store.files.read(download.file_id, start, stop)

    def took(self, size: int) -> None:
        """Counts bytes that a client has taken."""
        self._counts.served_bytes += size
