"""Fills in what is known of uploads, and what the quotas count."""

import time
from collections.abc import Iterable
from uuid import uuid4

from domain.files import Upload
from storage.mongo.backup.inserts import Inserts
from storage.mongo.database import Database, Document
from storage.mongo.quotas import added, entry_key
from storage.mongo.upload_documents import claim_key, upload_document
from storage.times import to_micros


class UploadFiller:
    """Knows how much each user has, and in how many entries."""

    def __init__(self, database: Database, inserts: Inserts) -> None:
        self._database = database
        self._inserts = inserts
        self._entries: dict[int, tuple[int, int]] = {}
        """By user: the number of entries, and the sum of bytes."""

    async def add(self, uploads: Iterable[Upload], claimed_by: str | None = None) -> None:
        """Adds uploads. `claimed_by` is the name of the send of the message that has them, None without one
        (`upload_documents`). Raises: as `Inserts.add`."""
        for upload in uploads:
            document = upload_document(upload) | {"by": upload.id, "counted": True}
            await self._inserts.add(self._database.uploads, [document])
            await self._inserts.add(self._database.quotas, [self._entry(upload)])
            if claimed_by is not None:
                claim = {
                    "_id": claim_key(upload.id),
                    "upload": upload.id,
                    "by": claimed_by,
                    "at": to_micros(upload.created_at),
                }
                await self._inserts.add(self._database.claims, [claim])

    def _entry(self, upload: Upload) -> Document:
        n, used = self._entries.get(upload.user_id, (0, 0))
        n, used = self._entries[upload.user_id] = n + 1, used + upload.size
        return {
            "_id": entry_key(upload.user_id, n),
            "user_id": upload.user_id,
            "n": n,
            "used": used,
            "entry": added(upload.id),
            "at": time.time(),
            "by": uuid4().hex,
        }
