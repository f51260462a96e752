"""The queue of files that nothing refers to any more, and the end of uploads.

There are no transactions, so an upload ends in steps, each of which may be taken twice. First its files come into the
queue, then the message that had it becomes a tombstone, then the quota gets the bytes back and the document of the
upload goes. A file in the queue whose upload is still there is not due: the second step may be missing, and then the
message has the file.
"""

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial

from domain.files import Upload, file_ids_of, owner_id
from storage.mongo.bulk import insert_missing
from storage.mongo.database import Database
from storage.mongo.quotas import Quotas
from storage.mongo.upload_documents import upload_of

_AT_ONCE = 100


class FreedFiles:
    """The queue, and what has to happen before a file in it is due."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._quotas = Quotas(database)

    async def end_uploads(self, upload_ids: Sequence[str]) -> None:
        """Takes the last step for uploads whose files are in the queue and that no message has any more."""
        database = self._database
        found = await database.get_each(database.uploads, upload_ids)
        documents = [document for document in found if document is not None]
        for one in documents:
            await self._quotas.take_away(
                one["user_id"], one["_id"], one["size_bytes"], counted=one["counted"]
            )
        deletions = [partial(database.uploads.delete_one, {"_id": one["_id"]}) for one in documents]
        await asyncio.gather(*map(database.with_retry, deletions))

    async def remove_uploads(self, uploads: Sequence[Upload]) -> Sequence[str]:
        """Takes all steps for uploads that no message has. Returns the ids of their files."""
        file_ids = file_ids_of(uploads)
        await add(self._database, file_ids)
        await self.end_uploads([upload.id for upload in uploads])
        return file_ids

    async def due(self, limit: int) -> Sequence[str]:
        """Files in the queue whose uploads have ended, at most `limit`. Ends those uploads of which a crash left the
        last step."""
        due: list[str] = []
        after = ""
        while len(due) < limit:
            database = self._database
            some = await database.find(
                database.freed_files, {"_id": {"$gt": after}}, sort=[("_id", 1)], limit=_AT_ONCE
            )
            file_ids = [document["_id"] for document in some]
            kept = await self._kept(sorted({owner_id(file_id) for file_id in file_ids}))
            due += [file_id for file_id in file_ids if owner_id(file_id) not in kept]
            if len(some) < _AT_ONCE:
                break
            after = file_ids[-1]
        return due[:limit]

    async def done(self, file_ids: Iterable[str]) -> None:
        """Takes files out of the queue."""
        database = self._database
        for file_id in file_ids:
            await database.with_retry(partial(database.freed_files.delete_one, {"_id": file_id}))

    async def _kept(self, upload_ids: Sequence[str]) -> set[str]:
        """Those of the uploads that a message may still have."""
        database = self._database
        found = await database.get_each(database.uploads, upload_ids)
        uploads = [upload_of(document) for document in found if document is not None]
        message_ids = [str(upload.message_id or 0) for upload in uploads]
        messages = await database.get_each(database.messages, message_ids)
        ended: list[str] = []
        for upload, message in zip(uploads, messages, strict=True):
            if message is not None and message["deleted"]:
                ended.append(upload.id)
        await self.end_uploads(ended)
        return {upload.id for upload in uploads}.difference(ended)


async def add(database: Database, file_ids: Iterable[str]) -> None:
    """Puts files into the queue."""
    await insert_missing(database, database.freed_files, [{"_id": file_id} for file_id in file_ids])
