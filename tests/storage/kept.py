"""What a store has of files, looked at from beneath."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from domain.files import Upload, thumbnail_id
from storage.files.folder import FolderFiles
from storage.files.ports import Files
from storage.mongo import MongoStore
from storage.ports import Store
from tests.storage.world import START

HOUR = timedelta(hours=1)


async def keep(files: Files, file_id: str, content: bytes = b"bytes") -> None:
    """Keeps a file."""
    writing = await files.begin()
    await writing.write(content)
    await writing.keep(file_id)


async def read(files: Files, file_id: str) -> bytes:
    """All of a file."""
    return b"".join([piece async for piece in files.read(file_id)])


async def all_ids(files: Files, *, older_than: datetime | None = None) -> Sequence[str]:
    """The ids of all files that were kept before a time, by default of all; what broken writings have left is removed,
    too."""
    older_than = older_than or datetime.now(UTC) + HOUR
    found: list[str] = []
    while some := await files.ids(after=found[-1] if found else "", limit=100, older_than=older_than):
        found += some
    return found


async def traces(store: Store) -> int:
    """How many files, pieces of files and beginnings of files there are."""
    if isinstance(store, MongoStore):
        database = store._database
        places = (database.files, database.file_pieces, database.file_writings)
        return sum([await database.count(place, {}) for place in places])
    assert isinstance(store.files, FolderFiles)
    folder: Path = store.files._folder
    return sum(path.is_file() for path in folder.rglob("*"))


async def chats_removed(store: Store) -> None:
    """Returns when nothing is left of deleted chats."""
    remover: Any = getattr(store, "_remover")  # noqa: B009 -- of either store
    while getattr(remover, "_work", None) or getattr(remover, "_step", None):
        await asyncio.sleep(0.01)


async def clean(store: Store, *, now: datetime | None = None) -> None:
    """What the server does after a start, with a clock that is turned past all times of grace."""
    await chats_removed(store)
    while await store.uploads.expire(now or datetime.now(UTC) + HOUR, 100):
        pass
    while due := await store.uploads.removals(100):
        await store.files.delete(due)
        await store.uploads.removed(due)
    ids = await all_ids(store.files)
    known = await store.uploads.known(ids)
    await store.files.delete([one for one in ids if one not in known])


async def upload(
    store: Store,
    user_id: int,
    upload_id: str,
    *,
    quota_bytes: int = 0,
    content: bytes = b"bytes",
    **more: object,
) -> Upload:
    """Keeps the bytes of an upload, and those of its thumbnail if it has one, and adds it."""
    fields = {"name": f"{upload_id}.txt", "content_type": "text/plain", "created_at": START} | more
    new = Upload(upload_id, user_id, size=len(content), **fields)  # type: ignore[arg-type]
    await keep(store.files, upload_id, content)
    if new.has_thumbnail:
        await keep(store.files, thumbnail_id(upload_id), b"small")
    await store.uploads.create(new, quota_bytes=quota_bytes)
    return new


async def picture(store: Store, user_id: int, upload_id: str, **more: object) -> Upload:
    """The same of a picture with a thumbnail."""
    fields = {"name": f"{upload_id}.png", "content_type": "image/png", "width": 3, "height": 4}
    return await upload(store, user_id, upload_id, has_thumbnail=True, **(fields | more))  # type: ignore[arg-type]


async def queue(store: Store) -> Collection[str]:
    """The files whose bytes are to be deleted."""
    return set(await store.uploads.removals(1000))
