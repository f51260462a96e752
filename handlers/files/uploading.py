"""Takes files that people send, and makes them uploads."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from domain.file_names import clean_name
from domain.files import Upload, file_ids_of
from domain.models import Draft
from domain.permissions import check_send
from domain.refusals import BadContent, BadReference, NotFound, OverQuota, Refusal
from domain.text import content_fault
from handlers.context import Caller, Context
from handlers.files.allowance import Allowance
from handlers.files.counts import FileCounts
from handlers.files.receiving import Chunks, Receiver
from handlers.live.fair_semaphore import FairSemaphore
from handlers.wire.errors import ChatError, invalid
from handlers.wire.file_limits import FILE_OVERHEAD_BYTES
from handlers.wire.file_views import upload_view
from handlers.wire.views import View, message_view
from storage.errors import Unavailable

AT_ONCE = 256
"""How many bodies with files are received at once, each with up to 0.5 MiB in memory. More wait."""

WAITING_MAX = 1024


class Uploading:
    """What gates do to receive files. `receiver` keeps their bytes."""

    def __init__(self, context: Context, receiver: Receiver, counts: FileCounts) -> None:
        self._context = context
        self._receiver = receiver
        self._counts = counts
        self._turns = FairSemaphore(AT_ONCE, waiting_max=WAITING_MAX)

    async def admit(self, caller: Caller, body_bytes: int | None, *, files: int = 1) -> None:
        """Called before the body is read that holds up to so many files. `body_bytes` is how long it says it is, None
        if it does not say. Raises: `ChatError` `rate_limited`, `too_large`."""
        self._context.limiter.peek("uploads", caller.user_id)
        size = max(0, (body_bytes or 0) - files * FILE_OVERHEAD_BYTES)
        (await self._allowance_of(caller.user_id)).check(size, self._counts, files=files)

    @asynccontextmanager
    async def receiving(self, caller: Caller) -> AsyncIterator[None]:
        """Waits until few enough bodies are being received, and counts one to the end of the block. Raises:
        `ChatError`, see `FairSemaphore.of`."""
        async with self._turns.of(str(caller.user_id), gone=caller.gone):
            self._counts.receiving += 1
            try:
                yield
            finally:
                self._counts.receiving -= 1

    async def upload(self, caller: Caller, name: str, chunks: Chunks) -> Upload:
        """Keeps a file as an upload of the caller. Raises: `ChatError` `rate_limited`, `too_large`, `invalid`;
        `Unavailable`; what `chunks` raises. Of a refused file nothing stays."""
        context, user_id = self._context, caller.user_id
        context.limiter.check("uploads", user_id)
        allowance = await self._allowance_of(user_id)
        started_at = context.clock.monotonic()
        try:
            kept = await self._receiver.file(
                allowance.bounded(chunks, self._counts), turn_of=str(user_id), gone=caller.gone
            )
        except Unavailable:
            self._counts.refusals["unavailable"] += 1
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
        except Refusal as error:
            await context.store.files.delete(file_ids_of([upload]))
            if isinstance(error, OverQuota):
                self._counts.refusals["quota"] += 1
            if isinstance(error, NotFound):
                raise ChatError("forbidden", "the account is not active") from None
            raise
        # After any other failure the upload may be there: `Cleaning` finds out.
        self._counts.kept["file" if upload.width is None else "picture"] += 1
        self._counts.kept_bytes += upload.size
        self._counts.receiving_s.observe(context.clock.monotonic() - started_at)
        return upload

    async def discard(self, uploads: Collection[Upload]) -> None:
        """Takes away uploads whose message was refused."""
        if uploads:
            await self._context.store.uploads.discard([upload.id for upload in uploads])

    def view(self, upload: Upload) -> View:
        """An `UploadObject`."""
        return upload_view(upload, self._context.links)

    async def admit_message(
        self, caller: Caller, chat_id: int, client_id: str | None, content: str, reply_to: int | None
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
        if reply_to is not None:
            message = await context.store.messages.get(reply_to)
            if message is None or message.chat_id != chat_id:
                raise BadReference("reply_to")
        return None

    def _allowance(self, used_bytes: int) -> Allowance:
        policy = self._context.policy
        return Allowance(policy.max_upload_bytes, policy.upload_quota_bytes, used_bytes)

    async def _allowance_of(self, user_id: int) -> Allowance:
        if not self._context.policy.upload_quota_bytes:
            return self._allowance(0)
        return self._allowance(await self._context.store.uploads.used_bytes(user_id))
