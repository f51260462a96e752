"""The file that a backup is written to, and the one that it is read from."""

import errno
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from server.start_error import StartError
from storage.backup.layout import BEGINNING
from storage.files.folder import sync_folder

STANDARD = "-"
"""Stands for standard output and input."""

_COPY_BYTES = 1024 * 1024


@contextmanager
def new_file(name: str, *, force: bool) -> Iterator[BinaryIO]:
    """A file for the backup, which only its owner may read. It has the name `<name>.part` until the block has ended
    without an exception, and then all of it is on disk. An earlier backup is replaced; `force`: whatever file is there.
    Raises: `StartError`; `OSError`."""
    if name == STANDARD:
        yield _standard_output()
        return
    path = Path(name)
    _check_free(path, force=force)
    part = path.with_name(f"{path.name}.part")
    file = _open_part(part)
    try:
        with os.fdopen(file, "wb", buffering=_COPY_BYTES) as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
            _check_free(path, force=force)
            part.rename(path)
        sync_folder(path.parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def old_file(name: str, spool_folder: Path) -> Iterator[BinaryIO]:
    """The file of a backup, which can be read twice: what comes through a pipe is first copied into a file without a
    name, in that folder. Raises: `StartError`; `OSError`."""
    if name == STANDARD:
        if sys.stdin is None or sys.stdin.isatty():
            raise StartError("standard input is a terminal, and no backup")
        with _copied(sys.stdin.buffer, spool_folder) as file:
            yield file
        return
    with open(name, "rb", buffering=_COPY_BYTES) as file:
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            yield file
        else:
            with _copied(file, spool_folder) as copy:
                yield copy


def _standard_output() -> BinaryIO:
    if sys.stdout is None or sys.stdout.isatty():
        raise StartError("a backup is not written to a terminal: name a file, or connect a pipe")
    return cast(BinaryIO, sys.stdout.buffer)


def _check_free(path: Path, *, force: bool) -> None:
    """Raises: `StartError`; `OSError`."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise StartError(f"{path} is a folder; name a file in it")
    if not stat.S_ISREG(mode):
        raise StartError(f"{path} is there, and no plain file")
    if not force and not _is_replaceable(path):
        raise StartError(f"{path} is there, and no backup; --force replaces it")


def _is_replaceable(path: Path) -> bool:
    """Whether the file is empty or an earlier backup. Raises: `OSError`."""
    with open(path, "rb") as file:
        head = file.read(len(BEGINNING))
    return head in (b"", BEGINNING)


def _open_part(part: Path) -> int:
    """Opens the file that is being written, empty; one that another backup has left is used again. Raises:
    `StartError` if another backup is writing it; `OSError`."""
    flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
    file = os.open(part, flags, 0o600)
    try:
        _lock(file, part)
        os.fchmod(file, 0o600)
        os.truncate(file, 0)
    except BaseException:
        os.close(file)
        raise
    return file


def _lock(file: int, part: Path) -> None:
    with suppress(ImportError):
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):
                raise StartError(f"another backup is writing {part}") from None
            return  # a file system without locks
    if not part.exists() or not os.path.samestat(os.fstat(file), part.stat()):
        raise StartError(f"another backup has just written {part}")


@contextmanager
def _copied(source: BinaryIO, folder: Path) -> Iterator[BinaryIO]:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as copy:
        while piece := source.read(_COPY_BYTES):
            copy.write(piece)
        copy.seek(0)
        yield cast(BinaryIO, copy)
