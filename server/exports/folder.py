"""The folder of an export, which only its owner may read."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from domain.refusals import NotFound
from server.exports.file_names import file_name
from server.start_error import StartError
from storage.backup_ports import Record, Snapshot

FILES = "files"
"""The folder of the files in it."""


@contextmanager
def new_folder(name: str) -> Iterator[Path]:
    """A new folder, which has another name until the block has ended without an exception. Raises: `StartError`;
    `OSError`."""
    path = Path(name)
    if path.is_symlink() or path.exists():
        raise StartError(f"{path} exists; name a folder that does not")
    part = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.absolute().parent))
    try:
        yield part
        if path.exists():
            raise StartError(f"{path} exists now; nothing is kept")
        part.rename(path)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def new_text(path: Path) -> TextIO:
    """A new file of UTF-8 text."""
    return os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf8", newline="\n"
    )


class ExportedFiles:
    """Copies the files of a store beside the page. `count` and `missing` say how many there are, and how many were
    deleted while they were copied."""

    def __init__(self, snapshot: Snapshot, folder: Path, *, wanted: bool) -> None:
        self._snapshot = snapshot
        self._folder = folder / FILES
        self._wanted = wanted
        self.count = 0
        self.missing = 0

    async def add(self, upload: Record) -> str | None:
        """Copies an upload. Returns where it is, from the folder of the export; None if it is not there."""
        return await self.add_as(upload["id"], file_name(upload["id"], upload["name"]))

    async def add_as(self, file_id: str, name: str) -> str | None:
        """As `add`, under a name."""
        if not self._wanted:
            return None
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._folder / name
        try:
            await _copy(self._snapshot.file(file_id), path)
        except NotFound:
            path.unlink(missing_ok=True)
            self.missing += 1
            return None
        self.count += 1
        return f"{FILES}/{name}"


async def _copy(pieces: AsyncIterator[bytes], path: Path) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        async for piece in pieces:
            out.write(piece)
