"""The interface to the bytes of files. tests/storage/contract/test_files.py says the same as tests, for both places.

What files there are is up to `storage.ports.Uploads`: a file is kept first, then named there; it is taken out there
first, then deleted here. So what a crash leaves is bytes that nobody knows, never a name without bytes.

Any method may raise `Unavailable`; its trouble is `full` if there is no room.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import Protocol

PIECE_BYTES = 256 * 1024
"""How many bytes `Files.read` gives at once at most."""


class Writing(Protocol):
    """A file that is being written. Nobody can read it before it is kept. After a call that has raised, or whose caller
    was cancelled, it can only be dropped."""

    async def write(self, chunk: bytes) -> None:
        """Appends the chunk. Memory holds no more of the file than `PIECE_BYTES` and this chunk."""

    async def keep(self, file_id: str) -> None:
        """Gives the file its id, under which no file was ever kept. When this returns, the file is on disk and
        survives `kill -9`. Nothing is written after this."""

    async def drop(self) -> None:
        """Removes what was written. Does nothing after `keep` has returned, or after a drop; so it may be called
        whatever happened before."""


class Files(Protocol):
    async def begin(self) -> Writing:
        """Begins a file."""

    async def size(self, file_id: str) -> int | None:
        """How many bytes the file has; None if there is no such file."""

    def read(self, file_id: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `stop` (exclusive; None: to the end), in pieces of at most `PIECE_BYTES`.
        Raises: `NotFound`, also for a file that is deleted meanwhile; a folder may still give the rest of it."""

    async def delete(self, file_ids: Collection[str]) -> None:
        """Deletes files for good. Unknown ids are passed over. If one of them cannot be deleted, others may be."""

    async def ids(self, *, after: str, limit: int, older_than: datetime) -> Sequence[str]:
        """The ids of at most `limit` files that were kept before that time, in an order of its own, behind the file
        `after` ("": from the first); fewer than `limit` if these are all. The file `after` may be deleted by now.

        A call with `after` "" also removes what writings that ended before that time without `keep` or `drop` have
        left, as they do in a crash."""

    async def free_bytes(self) -> int | None:
        """How much room is left; None if that is not known."""

    async def close(self) -> None:
        """Lets go. Closing twice is fine."""
