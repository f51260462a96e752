"""Temporary files on the disk of this machine, for pictures that are being read and rewritten."""

import errno
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from storage.errors import Unavailable
from storage.files.threads import Threads

PIECE_BYTES = 64 * 1024
_THREADS = 2


class Spool:
    """A temporary file without a name: when it is closed, or the process ends, nothing is left. It is used in threads,
    by one call at a time."""

    def __init__(self, file: BinaryIO, threads: Threads) -> None:
        self.file = file
        self._threads = threads

    async def fill(self, chunks: AsyncIterator[bytes]) -> None:
        """Writes all chunks. Small ones are gathered: waking a thread takes longer than writing them. Raises:
        `Unavailable`; what `chunks` raises."""
        gathered = bytearray()
        async for chunk in chunks:
            gathered += chunk
            if len(gathered) >= PIECE_BYTES:
                await self._threads.run(self.file.write, bytes(gathered))
                gathered.clear()
        await self._threads.run(self.file.write, gathered)

    async def read(self) -> AsyncIterator[bytes]:
        """All of the file, from its beginning, in pieces. Raises: `Unavailable`."""
        await self._threads.run(self.file.seek, 0)
        while piece := await self._threads.run(self.file.read, PIECE_BYTES):
            yield piece


class Spools:
    """Makes temporary files in a folder, which it makes if need be; None: where the system has such files."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self.threads = Threads("spool", _THREADS, "the folder of temporary files")

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Spool]:
        """A new file, to the end of the block. Raises: `Unavailable`."""
        file = await self.threads.run(self._open)
        try:
            yield Spool(file, self.threads)
        finally:
            self.threads.begin(file.close)  # freeing a large file takes a while

    async def close(self) -> None:
        """Waits for the threads."""
        await self.threads.close()

    def _open(self) -> BinaryIO:
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
        return cast(BinaryIO, tempfile.TemporaryFile(dir=self._folder))


@contextmanager
def disk_errors() -> Iterator[None]:
    """Raises `Unavailable` for what the disk of a temporary file refuses."""
    try:
        yield
    except OSError as error:
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        text = f"a temporary file cannot be used: {error.strerror}"
        raise Unavailable(text, "full" if is_full else "failing") from error
