"""What gates do with files: `ChatApp.files`."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

from domain.file_names import clean_name
from domain.files import Upload, file_ids_of, thumbnail_id
from domain.frozen import frozen
from domain.models import Chat, Draft, User
from domain.permissions import check_avatar, check_send
from domain.refusals import BadContent, NotFound, OverQuota
from domain.text import content_fault
from handlers.commands.chats import chat_summary
from handlers.commands.users import PUBLISHED_WITHIN_S
from handlers.context import Caller, Context
from handlers.files.access import readable
from handlers.files.allowance import Allowance
from handlers.files.cleaning import Cleaning
from handlers.files.content_types import INLINE
from handlers.files.counts import FileCounts
from handlers.files.receiving import Chunks, Receiver, is_avatar_id
from handlers.files.spool import Spools
from handlers.live.fair_semaphore import FairSemaphore
from handlers.live.limits import RECIPIENTS_PER_TOKEN, Limit
from handlers.pictures.small import CONTENT_TYPE as SMALL_TYPE
from handlers.pictures.workers import PictureWorkers
from handlers.wire.errors import ChatError, invalid, not_found
from handlers.wire.file_limits import AVATAR_BYTES_MAX, FILE_OVERHEAD_BYTES
from handlers.wire.file_views import upload_view
from handlers.wire.views import View, message_view, user_view
from storage.errors import Unavailable

AT_ONCE = 256
"""How many files are received at once, each with up to 0.5 MiB in memory. More wait."""

WAITING_MAX = 1024

_AVATAR_LIMITS: Sequence[Limit] = ("uploads", "changes")

Owner = TypeVar("Owner", User, Chat)


@frozen
class Download:
    """A file to be sent. `inline`: browsers may show it in place. `file_id` names the bytes, which never change."""

    file_id: str
    name: str
    content_type: str
    size: int
    inline: bool


class FileService:
    """Receives, reads and takes away files for a `ChatApp`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.counts = FileCounts()
        self._spools = Spools(context.host.spool)
        self.workers = PictureWorkers(context.policy.max_image_pixels, self.counts.picture_s)
        self._turns = FairSemaphore(AT_ONCE, waiting_max=WAITING_MAX)
        self._cleaning = Cleaning(
            context.store, context.clock, self.counts, ttl_s=context.policy.upload_ttl_s
        )

    def start(self) -> None:
        """Begins to delete what nothing refers to."""
        self._context.store.subscribe(self._cleaning.published)
        self._cleaning.start()

    async def close(self) -> None:
        """The caller closes the store afterwards."""
        await self._cleaning.stop()
        self.workers.close()
        self._spools.close()

    @property
    def _receiver(self) -> Receiver:
        return Receiver(self._context.store.files, self._spools, self.workers, self.counts)

    # Sending.

    async def admit(self, caller: Caller, body_bytes: int | None, *, files: int = 1) -> None:
        """Called before the body is read that holds up to so many files. `body_bytes` is how long it says it is, None
        if it does not say. Raises: `ChatError` `rate_limited`, `too_large`."""
        self._context.limiter.peek("uploads", caller.user_id)
        size = max(0, (body_bytes or 0) - files * FILE_OVERHEAD_BYTES)
        if size > files * self._context.policy.max_upload_bytes:
            raise self._allowance(0).too_large()
        (await self._allowance_of(caller.user_id)).check(size)

    @asynccontextmanager
    async def receiving(self, caller: Caller) -> AsyncIterator[None]:
        """Waits until few enough bodies are being received, and counts one to the end of the block. Raises:
        `ChatError`, see `FairSemaphore.of`."""
        async with self._turns.of(str(caller.user_id), gone=caller.gone):
            self.counts.receiving += 1
            try:
                yield
            finally:
                self.counts.receiving -= 1

    async def upload(self, caller: Caller, name: str, chunks: Chunks) -> Upload:
        """Keeps a file as an upload of the caller. Raises: `ChatError` `rate_limited`, `too_large`, `invalid`;
        `Unavailable`; what `chunks` raises. Of a refused file nothing stays."""
        context, user_id = self._context, caller.user_id
        context.limiter.check("uploads", user_id)
        allowance = await self._allowance_of(user_id)
        started_at = context.clock.monotonic()
        try:
            kept = await self._receiver.file(
                allowance.bounded(chunks, self.counts), turn_of=str(user_id), gone=caller.gone
            )
        except Unavailable:
            self.counts.refusals["unavailable"] += 1
            raise
        upload = Upload(
            kept.id,
            user_id,
            clean_name(name),
            kept.content_type,
            kept.size,
            context.clock.now(),
            kept.width,
            kept.height,
            kept.has_thumbnail,
        )
        try:
            await context.store.uploads.create(upload, quota_bytes=context.policy.upload_quota_bytes)
        except BaseException as error:
            await context.store.files.delete(file_ids_of([upload]))
            if isinstance(error, OverQuota):
                self.counts.refusals["quota"] += 1
            if isinstance(error, NotFound):
                raise ChatError("forbidden", "the account is not active") from None
            raise
        self.counts.kept["file" if upload.width is None else "picture"] += 1
        self.counts.kept_bytes += upload.size
        self.counts.receiving_s.observe(context.clock.monotonic() - started_at)
        return upload

    async def discard(self, uploads: Collection[Upload]) -> None:
        """Takes away uploads whose message was refused."""
        if uploads:
            await self._context.store.uploads.discard([upload.id for upload in uploads])

    def view(self, upload: Upload) -> View:
        """An `UploadObject`."""
        return upload_view(upload, self._context.links)

    async def admit_message(
        self, caller: Caller, chat_id: int, client_id: str | None, content: str
    ) -> View | None:
        """Called before the files of a message are received. Returns the message if the caller has sent it before,
        with this `client_id`: then no file is looked at. Raises: what a send would raise, as far as that is known
        without the files."""
        context = self._context
        await context.directory.for_member(caller.user_id, chat_id)
        if client_id is not None:
            probe = Draft(
                chat_id,
                caller.user_id,
                "",
                context.clock.now(),
                client_id=client_id,
                content_fault="none yet",
            )
            try:
                return message_view((await context.store.messages.append(probe)).message, context.links)
            except BadContent:
                pass  # it was not sent before
        fault = content_fault(content, context.policy.max_content_chars, attached=True)
        if fault is not None:
            raise invalid(content=fault)
        check_send(await context.store.chats.actor(chat_id, caller.user_id), context.clock.now())
        return None

    def _allowance(self, used_bytes: int) -> Allowance:
        policy = self._context.policy
        return Allowance(policy.max_upload_bytes, policy.upload_quota_bytes, used_bytes)

    async def _allowance_of(self, user_id: int) -> Allowance:
        if not self._context.policy.upload_quota_bytes:
            return self._allowance(0)
        return self._allowance(await self._context.store.uploads.used_bytes(user_id))

    # Avatars.

    async def set_user_avatar(self, caller: Caller, chunks: Chunks) -> View:
        """Makes a picture the caller's avatar, and returns their user object. Raises: `ChatError` `rate_limited`,
        `too_large`, `unsupported_media`, `invalid`."""
        users = self._context.store.users
        user = await self._with_avatar(caller, chunks, partial(users.set_avatar, caller.user_id))
        await self._context.announcer.published(user.id, PUBLISHED_WITHIN_S)
        return user_view(user, self._context.presence.status_of(user.id), own=True)

    async def admit_chat_avatar(self, caller: Caller, chat_id: int) -> None:
        """Called before the picture is received. Raises: `ChatError` `not_found`; `Forbidden`."""
        await self._context.directory.for_member(caller.user_id, chat_id)
        check_avatar(await self._context.store.chats.actor(chat_id, caller.user_id))

    async def set_chat_avatar(self, caller: Caller, chat_id: int, chunks: Chunks) -> View:
        """Makes a picture the avatar of a chat, and returns the chat as the caller sees it. Raises: as
        `set_user_avatar` and `admit_chat_avatar` do."""
        context = self._context
        chat = await context.directory.for_member(caller.user_id, chat_id)
        context.limiter.spend("changes", caller.user_id, len(chat.members) / RECIPIENTS_PER_TOKEN)
        at = context.clock.now()
        set_avatar = partial(context.store.chats.set_avatar, chat_id, caller.user_id, at=at)
        await self._with_avatar(caller, chunks, set_avatar)
        return await chat_summary(context, caller, chat_id)

    async def _with_avatar(
        self, caller: Caller, chunks: Chunks, set_avatar: Callable[[str], Awaitable[Owner]]
    ) -> Owner:
        """Keeps the picture and gives it to its owner, a user or a chat."""
        for limit in _AVATAR_LIMITS:
            self._context.limiter.check(limit, caller.user_id)
        allowance = Allowance(AVATAR_BYTES_MAX, 0, 0)
        avatar_id = await self._receiver.avatar(
            allowance.bounded(chunks, self.counts), turn_of=str(caller.user_id), gone=caller.gone
        )
        try:
            result = await set_avatar(avatar_id)
        except BaseException:
            await self._context.store.files.delete([avatar_id])
            raise
        self.counts.kept["avatar"] += 1
        return result

    # Reading.

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
        self.counts.served["avatar"] += 1
        return await self._small(avatar_id, "avatar.webp")

    async def _download(self, upload: Upload, thumbnail: bool) -> Download:
        if not thumbnail:
            self.counts.served["file"] += 1
            inline = upload.content_type in INLINE
            return Download(upload.id, upload.name, upload.content_type, upload.size, inline)
        if not upload.has_thumbnail:
            raise not_found("thumbnail")
        self.counts.served["thumbnail"] += 1
        return await self._small(thumbnail_id(upload.id), f"{upload.id}.webp")

    async def _small(self, file_id: str, name: str) -> Download:
        size = await self._context.store.files.size(file_id)
        if size is None:
            raise not_found("picture")
        return Download(file_id, name, SMALL_TYPE, size, inline=True)

    def read(self, download: Download, start: int, stop: int) -> AsyncIterator[bytes]:
        """The bytes from `start` to `stop`, exclusive. Raises: `NotFound` if the file is deleted; `Unavailable`."""
        return self._context.store.files.read(download.file_id, start, stop)
