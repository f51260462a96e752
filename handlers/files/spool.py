"""Temporary files on the disk of this machine, for pictures that are being read and rewritten."""

import asyncio
import errno
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import BinaryIO, ParamSpec, TypeVar, cast

from storage.errors import Trouble, Unavailable

PIECE_BYTES = 64 * 1024
_THREADS = 2

P = ParamSpec("P")
T = TypeVar("T")


class Spool:
    """A temporary file without a name: when it is closed, or the process ends, nothing is left. It is used in the
    threads of its `Spools`, by one call at a time."""

    def __init__(self, file: BinaryIO, spools: "Spools") -> None:
        self.file = file
        self._spools = spools

    async def write(self, chunk: bytes) -> None:
        """Raises: `Unavailable`."""
        with disk_errors():
            await self._spools.run(self.file.write, chunk)

    async def read(self) -> AsyncIterator[bytes]:
        """All of the file, from its beginning, in pieces. Raises: `Unavailable`."""
        with disk_errors():
            await self._spools.run(self.file.seek, 0)
        while True:
            with disk_errors():
                piece = await self._spools.run(self.file.read, PIECE_BYTES)
            if not piece:
                return
            yield piece


class Spools:
    """Makes temporary files in a folder, which it makes if need be; None: where the system has such files."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._threads = ThreadPoolExecutor(_THREADS, "spool")

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Spool]:
        """A new file, to the end of the block. Raises: `Unavailable`."""
        with disk_errors():
            file = await self.run(self._open)
        try:
            yield Spool(file, self)
        finally:
            self._threads.submit(file.close)  # freeing a large file takes a while

    def run(self, action: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "asyncio.Future[T]":
        """Runs an action in a thread."""
        return asyncio.wrap_future(self._threads.submit(action, *args, **kwargs))

    def close(self) -> None:
        """Called when no file is open any more."""
        self._threads.shutdown(wait=False)

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
        trouble: Trouble = "full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "failing"
        raise Unavailable(f"a temporary file cannot be used: {error.strerror}", trouble) from error
