"""Files in a folder: `<folder>/<two digits>/<id>`, and those that are being written in `<folder>/new/`.

A file gets its name once all of it is on disk, and the folder that has the name is written to disk then. So a name
always stands for a whole file. Only one server uses a folder: what is in `new` when it opens the folder is left over.
"""

import os
import re
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import ParamSpec
from zlib import crc32

from domain.refusals import NotFound
from storage.files.open_file import OpenFile
from storage.files.threads import Threads

_THREADS = 4

_WRITE_BYTES = 64 * 1024
"""How much is written at once. A hundred files that come in at the same time hold so much each."""

_NEW = "new"
_SUB_FOLDERS = 256
_FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}(\.t)?")

P = ParamSpec("P")


class FolderFiles:
    """See `storage.files.ports.Files`. The folder is made with the first file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._threads = Threads("files", _THREADS)

    @classmethod
    async def open(cls, folder: Path) -> "FolderFiles":
        """Opens the folder and removes what was being written when the last server that used it ended. Raises:
        `Unavailable`."""
        files = cls(folder)
        try:
            await files._threads.run_quietly(files._remove_left_over)
        except BaseException:
            await files.close()
            raise
        return files

    async def begin(self) -> "FolderWriting":
        return FolderWriting(self, self._threads, self._folder / _NEW / secrets.token_hex(16))

    async def size(self, file_id: str) -> int | None:
        return await self._threads.run(self._size, file_id)

    async def read(self, file_id: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        file = OpenFile(self.place(file_id))
        try:
            while piece := await self._threads.run(file.read, start, stop):
                start += len(piece)
                yield piece
        finally:
            self._threads.begin(file.close)

    async def delete(self, file_ids: Collection[str]) -> None:
        await self._threads.run(self._delete, file_ids)

    async def ids(self, *, after: str, limit: int, older_than: datetime) -> Sequence[str]:
        return await self._threads.run(self._ids, after, limit, older_than.timestamp())

    async def names(self, *, after: str, limit: int, older_than: datetime) -> Sequence[str]:
        """As `ids`, and changes nothing."""
        return await self._threads.run(self._names, after, limit, older_than.timestamp())

    async def free_bytes(self) -> int | None:
        return await self._threads.run(self._free_bytes)

    async def close(self) -> None:
        await self._threads.close()

    def place(self, file_id: str) -> Path:
        """Where a file is, or would be. Raises: `NotFound` for what cannot be the id of a file."""
        return place_in(self._folder, file_id)

    # In a thread

    def make_folder(self, folder: Path) -> None:
        """Makes a folder within this one, and the way to it, if it is not there yet; the names are on disk then."""
        if folder.is_dir():
            return
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        for one in (self._folder, folder):
            with suppress(FileExistsError):
                one.mkdir(mode=0o700)
                sync_folder(one.parent)

    def _remove_left_over(self) -> None:
        with suppress(FileNotFoundError):
            for left in os.scandir(self._folder / _NEW):
                os.unlink(left.path)

    def _size(self, file_id: str) -> int | None:
        try:
            return self.place(file_id).stat().st_size
        except (NotFound, FileNotFoundError):
            return None

    def _delete(self, file_ids: Collection[str]) -> None:
        """Deletes all that it can, whatever becomes of one of them."""
        folders: set[Path] = set()
        failed: OSError | None = None
        for file_id in file_ids:
            try:
                place = self.place(file_id)
                place.unlink()
                folders.add(place.parent)
            except (NotFound, FileNotFoundError):
                pass
            except OSError as error:
                failed = failed or error
        for folder in folders:
            with suppress(FileNotFoundError):  # removed by hand
                sync_folder(folder)
        if failed is not None:
            raise failed

    def _ids(self, after: str, limit: int, older_than_s: float) -> Sequence[str]:
        if not after:
            self._remove_abandoned(older_than_s)
        return self._names(after, limit, older_than_s)

    def _names(self, after: str, limit: int, older_than_s: float) -> Sequence[str]:
        found: list[str] = []
        for file_id in self._behind(after, older_than_s):
            if len(found) == limit:
                break
            found.append(file_id)
        return found

    def _behind(self, after: str, older_than_s: float) -> Iterator[str]:
        """The ids behind one, by sub-folder and name."""
        first = int(_sub_folder(after), 16) if after else 0
        for number in range(first, _SUB_FOLDERS):
            folder = self._folder / f"{number:02x}"
            with suppress(FileNotFoundError):
                for name in sorted(os.listdir(folder)):
                    is_behind = number > first or name > after
                    if (
                        is_behind
                        and self._is_ours(folder / name)
                        and _changed_before(folder / name, older_than_s)
                    ):
                        yield name

    def _is_ours(self, path: Path) -> bool:
        """Whether it was kept here: something else may be put into the folder by hand, or by the system."""
        return _ID.fullmatch(path.name) is not None and self.place(path.name) == path

    def _remove_abandoned(self, older_than_s: float) -> None:
        folder = self._folder / _NEW
        with suppress(FileNotFoundError):
            for name in os.listdir(folder):
                if _changed_before(folder / name, older_than_s):
                    with suppress(FileNotFoundError):
                        (folder / name).unlink()

    def _free_bytes(self) -> int | None:
        folder = self._folder
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        if not hasattr(os, "statvfs"):
            return None
        disk = os.statvfs(folder)
        return disk.f_bavail * disk.f_frsize


class FolderWriting:
    """See `storage.files.ports.Writing`. The file is made with its first bytes, or when it is kept.

    A caller that is cancelled drops the writing while a thread may still be at work for it: that has to come to its
    end first, and what has not begun does nothing any more.
    """

    def __init__(self, files: FolderFiles, threads: Threads, temporary: Path) -> None:
        self._files = files
        self._threads = threads
        self._temporary = temporary
        self._place: Path | None = None
        self._file = -1
        self._buffer: list[bytes] = []
        self._buffer_bytes = 0
        self._lock = threading.Lock()
        self._dropped = False

    async def write(self, chunk: bytes) -> None:
        self._buffer.append(chunk)
        self._buffer_bytes += len(chunk)
        if self._buffer_bytes >= _WRITE_BYTES:
            await self._threads.run(self._alone, self._flush)

    async def keep(self, file_id: str) -> None:
        self._place = self._files.place(file_id)
        await self._threads.run(self._alone, self._keep, self._place)
        self._place = None

    async def drop(self) -> None:
        await self._threads.run(self._drop)

    def _alone(self, action: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        with self._lock:
            if not self._dropped:
                action(*args, **kwargs)

    def _flush(self) -> None:
        if self._file < 0:
            self._files.make_folder(self._temporary.parent)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS
            self._file = os.open(self._temporary, flags, 0o600)
        content = memoryview(b"".join(self._buffer))
        self._buffer, self._buffer_bytes = [], 0
        while content:
            content = content[os.write(self._file, content) :]

    def _keep(self, place: Path) -> None:
        self._flush()
        os.fsync(self._file)
        self._close()
        self._files.make_folder(place.parent)
        os.rename(self._temporary, place)
        sync_folder(place.parent)

    def _drop(self) -> None:
        with self._lock:
            self._dropped = True
            self._buffer, self._buffer_bytes = [], 0
            self._close()
            for path in (self._temporary, self._place):
                if path is not None:  # the latter if `keep` did not return
                    with suppress(FileNotFoundError):
                        path.unlink()

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def place_in(folder: Path, file_id: str) -> Path:
    """Where a file is in a folder. Raises: `NotFound` for what cannot be the id of a file."""
    if not _ID.fullmatch(file_id):
        raise NotFound("file")
    return folder / _sub_folder(file_id) / file_id


def sync_folder(folder: Path) -> None:
    """Writes the names in a folder to disk. Does nothing on a system that does not open folders."""
    if os.name != "posix":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _sub_folder(file_id: str) -> str:
    """Which of the sub-folders has the file. By a checksum: names that differ only in case are spread, too."""
    return f"{crc32(file_id.encode()) % _SUB_FOLDERS:02x}"


def _changed_before(file: Path, time_s: float) -> bool:
    try:
        return file.stat().st_mtime < time_s
    except FileNotFoundError:
        return False
