"""Uploads: what files there are, and which are to be deleted."""

import sqlite3
from collections.abc import Collection, Sequence
from datetime import datetime

from domain.decisions.files import check_quota
from domain.files import Upload, UploadTotals, owner_id
from storage.sqlite import upload_rows
from storage.sqlite.accounts import check_active
from storage.sqlite.database import Database
from storage.sqlite.writer import Writer
from storage.times import to_micros


class SqliteUploads:
    """See `storage.ports.Uploads`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, upload: Upload, *, quota_bytes: int) -> None:
        await self._database.write(_create, upload, quota_bytes)

    async def get(self, upload_id: str) -> Upload | None:
        return await self._database.read(upload_rows.get, upload_id)

    async def used_bytes(self, user_id: int) -> int:
        return await self._database.read(upload_rows.used_bytes, user_id)

    async def totals(self) -> UploadTotals:
        return UploadTotals(*await self._database.read(upload_rows.totals))

    async def largest(self, limit: int) -> Sequence[Upload]:
        return await self._database.read(upload_rows.largest, limit)

    async def discard(self, upload_ids: Collection[str]) -> None:
        await self._database.write(_discard, upload_ids)

    async def expire(self, before: datetime, limit: int) -> int:
        return await self._database.write(_expire, to_micros(before), limit)

    async def removals(self, limit: int) -> Sequence[str]:
        return await self._database.read(upload_rows.freed, limit)

    async def removed(self, file_ids: Collection[str]) -> None:
        await self._database.write(_forget_freed, file_ids)

    async def known(self, file_ids: Collection[str]) -> Collection[str]:
        return await self._database.read(_known, file_ids)


def _create(writer: Writer, upload: Upload, quota_bytes: int) -> None:
    check_active(writer.db, upload.user_id)
    check_quota(upload.size, upload_rows.used_bytes(writer.db, upload.user_id), quota_bytes)
    upload_rows.insert(writer.db, upload)


def _discard(writer: Writer, upload_ids: Collection[str]) -> None:
    found = upload_rows.named(writer.db, upload_ids)
    writer.messages.remove_uploads([upload for upload in found if upload.message_id is None])


def _expire(writer: Writer, before: int, limit: int) -> int:
    expired = upload_rows.unattached_before(writer.db, before, limit)
    writer.messages.remove_uploads(expired)
    return len(expired)


def _forget_freed(writer: Writer, file_ids: Collection[str]) -> None:
    upload_rows.forget_freed(writer.db, file_ids)


def _known(db: sqlite3.Connection, file_ids: Collection[str]) -> Collection[str]:
    """A thumbnail is known with its upload."""
    owners = upload_rows.known(db, {owner_id(one) for one in file_ids})
    return {one for one in file_ids if owner_id(one) in owners}
