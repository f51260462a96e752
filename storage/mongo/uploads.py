"""Uploads: what files there are, and which are to be deleted."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from domain.changes import Change, MessageDeleted
from domain.file_changes import ChatAvatarChanged, FilesRemoved
from domain.files import Attachment, Upload, UploadTotals, file_ids_of, owner_id
from domain.refusals import NotFound, OverQuota
from storage.errors import Unavailable
from storage.mongo import avatar_notes, freed_files, upload_documents
from storage.mongo.account_writes import check_active
from storage.mongo.database import Collection as Documents
from storage.mongo.database import Database, Document
from storage.mongo.freed_files import FreedFiles
from storage.mongo.log import Log
from storage.mongo.quotas import Quotas
from storage.times import to_micros


class MongoUploads:
    """See `storage.ports.Uploads`."""

    def __init__(self, database: Database, publish: Callable[[Sequence[Change]], None]) -> None:
        self._database = database
        self._log = Log(database)
        self._quotas = Quotas(database)
        self._freed = FreedFiles(database)
        self._publish = publish
        self.catch_up: Callable[[int], Awaitable[None]]
        """Projects all rows of a chat. The store sets it."""

    async def create(self, upload: Upload, *, quota_bytes: int) -> None:
        """The document comes first: an upload that is counted has one, so `expire` finds what a crash leaves."""
        database = self._database
        await check_active(database, upload.user_id)
        document = upload_documents.upload_document(upload) | {"by": upload.id}
        await database.add(database.uploads, document)
        try:
            await self._quotas.add(upload.user_id, upload.id, upload.size, quota_bytes)
            # Once more: the account may have ended before its end could find this upload.
            await check_active(database, upload.user_id)
        except (OverQuota, NotFound) as refusal:
            if isinstance(refusal, NotFound):
                # Not by the document: the end of the account may have taken it away before the upload was counted.
                await self._quotas.take_away(upload.user_id, upload.id, upload.size, counted=True)
            await database.with_retry(partial(database.uploads.delete_one, {"_id": upload.id}))
            raise
        one, counted = {"_id": upload.id}, {"$set": {"counted": True}}
        found = await database.with_retry(partial(database.uploads.update_one, one, counted))
        if not found.matched_count:
            # It took so long that the upload expired, maybe before it was counted.
            await self._quotas.take_away(upload.user_id, upload.id, upload.size, counted=True)
            raise Unavailable("an upload took too long to be added", "slow")

    async def get(self, upload_id: str) -> Upload | None:
        database = self._database
        upload = (await upload_documents.named(database, [upload_id])).get(upload_id)
        if upload is None or upload.message_id is None:
            return upload
        # Of a deleted chat, the messages and their uploads are removed later.
        message = await database.get(database.messages, str(upload.message_id))
        chat = message and await database.get(database.chats, str(message["chat_id"]))
        return None if chat and chat["deleted"] else upload

    async def used_bytes(self, user_id: int) -> int:
        return await self._quotas.used_bytes(user_id)

    async def totals(self) -> UploadTotals:
        uploads = self._database.uploads
        # By two calls: of two sums in one group, FerretDB 1.24 gives the second as 0.
        stages: list[Document] = [{"$group": {"_id": None, "size_bytes": {"$sum": "$size_bytes"}}}]
        found = await self._database.with_retry(lambda: uploads.aggregate(stages).to_list(None))
        count = await self._database.count(uploads, {})
        return UploadTotals(count, int(found[0]["size_bytes"]) if found else 0)

    async def largest(self, limit: int) -> Sequence[Upload]:
        found = await self._database.find(self._database.uploads, {}, sort=[("size_bytes", -1)], limit=limit)
        return [upload_documents.upload_of(document) for document in found]

    async def discard(self, upload_ids: Collection[str]) -> None:
        """Not those that are claimed: their message may be on its way, whatever the caller was told."""
        found = await self._database.get_each(self._database.uploads, sorted(upload_ids))
        unattached = [one for one in found if one is not None and one["message_id"] is None]
        await self._remove(unattached, _NEVER)

    async def expire(self, before: datetime, limit: int) -> int:
        claimed_before = min(before, datetime.now(UTC) - _CLAIM_AGE)
        return await self._remove(
            await self._database.find(
                self._database.uploads,
                {"message_id": None, "created_at": {"$lt": to_micros(before)}},
                sort=[("created_at", 1)],
                limit=limit,
            ),
            to_micros(claimed_before),
        )

    async def end_attached(self, attachments: Sequence[Attachment]) -> None:
        """Takes away the uploads that messages of a deleted chat have."""
        file_ids = file_ids_of(attachments)
        await freed_files.add(self._database, file_ids)
        await self._freed.end_uploads([one.id for one in attachments])
        self.announce(file_ids)

    async def end_account(self, user_id: int, avatar_id: str | None) -> None:
        """Frees the avatar of a user whose account has ended, and takes away their uploads that no message has."""
        unattached = {"user_id": user_id, "message_id": None}
        await self.free_avatar(avatar_id)
        await self._remove(await self._database.find(self._database.uploads, unattached), _NEVER)

    async def free_avatar(self, avatar_id: str | None) -> None:
        """Frees the file of an avatar that is no longer one, if there is any."""
        if avatar_id is not None:
            await freed_files.add(self._database, [avatar_id])
            self.announce([avatar_id])

    async def removals(self, limit: int) -> Sequence[str]:
        return await self._freed.due(limit)

    async def removed(self, file_ids: Collection[str]) -> None:
        """Their uploads have ended, so that their claims are no longer needed: see `upload_documents`."""
        for upload_id in {owner_id(one) for one in file_ids}:
            await upload_documents.give_back(self._database, upload_id)
        await self._freed.done(file_ids)

    async def known(self, file_ids: Collection[str]) -> Collection[str]:
        """A thumbnail is known with its upload."""
        database, owners = self._database, {owner_id(one) for one in file_ids}
        found = await database.get_each(database.uploads, sorted(owners))
        known = {one["_id"] for one in found if one is not None}
        known |= await self._avatars(database.users, owners) | await self._avatars(database.chats, owners)
        if owners - known:
            known |= await self._noted(owners - known)
        return {one for one in file_ids if owner_id(one) in known}

    async def _avatars(self, collection: Documents, avatar_ids: Collection[str]) -> set[str]:
        """Those of the avatars that users, or chats, have."""
        wanted = {"avatar_id": {"$in": sorted(avatar_ids)}}
        found = await self._database.find(collection, wanted, fields=["avatar_id", "deleted"])
        return {one["avatar_id"] for one in found if not one["deleted"]}

    async def _noted(self, avatar_ids: Collection[str]) -> set[str]:
        """Those of the avatars that only the log knows, because the node died that gave them to their chats."""
        database = self._database
        noted = await avatar_notes.chats_of(database, avatar_ids)
        for chat_id in {chat_id for chat_id, _ in noted.values()}:
            await self.catch_up(chat_id)
        known = await self._avatars(database.chats, noted) if noted else set()
        for avatar_id, (_, has_served) in noted.items():
            if has_served:
                await avatar_notes.remove(database, avatar_id)
        return known

    def announce(self, file_ids: Sequence[str]) -> None:
        """Publishes, in a later turn, that files came into the queue."""
        if file_ids:
            asyncio.get_running_loop().call_soon(self._publish, [FilesRemoved(file_ids)])

    def published(self, changes: Sequence[Change]) -> None:
        """A subscriber of the store: the rows of these changes were projected, so the files are in the queue."""
        if _FREEING.isdisjoint(map(type, changes)):  # as with nearly all batches
            return
        for change in changes:
            if isinstance(change, MessageDeleted) and change.file_ids:
                self.announce(change.file_ids)
            elif isinstance(change, ChatAvatarChanged) and change.old_id is not None:
                self.announce([change.old_id])

    async def _remove(self, documents: Sequence[Document], before: int) -> int:
        """Takes away uploads, but for those that a message has after all. A claim that was made before that time, and
        that no message followed, no longer counts."""
        unwanted = [
            upload_documents.upload_of(document)
            for document in documents
            if await upload_documents.claim_unwanted(self._database, self._log, document["_id"], before)
        ]
        self.announce(await self._freed.remove_uploads(unwanted))
        return len(unwanted)


_FREEING = frozenset({MessageDeleted, ChatAvatarChanged})
"""The kinds of changes that free files and are in the log."""

_CLAIM_AGE = timedelta(minutes=10)
"""A message may follow a claim that is younger, however short the time is after which uploads expire: a send that does
not get through gives up within a minute."""

_NEVER = 0
"""A time before all others: no claim is older."""
