"""Fills an empty place from a backup, which is read twice: once before anything is written, to find whether it is
whole, and once to write it. What is written then is read from the store again, and compared."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import BinaryIO

from storage.backup.digests import Part, parts_of
from storage.backup.errors import BadBackup
from storage.backup.reading import BackupReader, FileItem, Manifest, MissingFile
from storage.backup_ports import Batch, Restoration
from storage.errors import StorageError

Progress = Callable[[int], None]
"""Is called now and then with how many bytes of the backup are read, or how many messages are compared."""

Digests = dict[int | None, str]
"""The digest of each part, by chat id; None: of what belongs to no chat."""


async def verify(file: BinaryIO, progress: Progress = lambda read_bytes: None) -> Manifest:
    """Reads a backup from its beginning to its end. Raises: `BadBackup` if it is not whole, or was changed; `OSError`
    for the file."""
    reader = BackupReader(file)
    manifest: Manifest | None = None
    for item in reader.items():
        progress(reader.read_bytes)
        await asyncio.sleep(0)  # so that it can be cancelled
        if isinstance(item, Manifest):
            manifest = item
    assert manifest is not None
    return manifest


async def fill(
    file: BinaryIO,
    restoration: Restoration,
    progress: Progress = lambda read_bytes: None,
    compared: Progress = lambda messages: None,
) -> Manifest:
    """Writes a backup, which was verified, into an empty place, compares what is there then with the backup, and
    finishes. `compared` is called with the number of messages. Raises: `StorageError`, and before the end nothing is a
    store; `OSError` for the file."""
    reader = BackupReader(file, verified=True)
    try:
        manifest, digests = await _write(reader, restoration, progress)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadBackup("it has changed since it was checked") from error
    await _compare(restoration, digests, compared)
    await restoration.finish()
    return manifest


async def _write(
    reader: BackupReader, restoration: Restoration, progress: Progress
) -> tuple[Manifest, Digests]:
    digests = Digests()
    manifest: Manifest | None = None
    for item in reader.items():
        progress(reader.read_bytes)
        await asyncio.sleep(0)
        if isinstance(item, Batch):
            await restoration.put(item)
        elif isinstance(item, Part):
            digests[item.chat_id] = item.digest
        elif isinstance(item, FileItem):
            await restoration.put_file(item.file_id, _pieces(item.pieces))
        elif isinstance(item, MissingFile):
            await restoration.drop_file(item.file_id)
        else:
            manifest = item
    assert manifest is not None
    return manifest, digests


async def _compare(restoration: Restoration, digests: Digests, compared: Progress) -> None:
    """Raises: `StorageError` if a store that reads what was written would not give the same records."""
    snapshot = await restoration.written()
    messages = 0
    try:
        async for part in parts_of(snapshot):
            messages += part.messages
            compared(messages)
            await asyncio.sleep(0)
            if digests.pop(part.chat_id, None) != part.digest:
                raise StorageError(_differs(part.chat_id))
    finally:
        await snapshot.close()
    for chat_id in digests:
        raise StorageError(_differs(chat_id))


def _differs(chat_id: int | None) -> str:
    what = "what belongs to no chat" if chat_id is None else f"chat {chat_id}"
    return f"what was written differs from the backup in {what}; nothing is kept of it"


async def _pieces(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
