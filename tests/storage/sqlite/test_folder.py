"""The folder of files: modes, what is left over, a disk that is full or may not be written."""

import asyncio
import errno
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from domain.refusals import NotFound
from storage.errors import Unavailable
from storage.files import folder
from storage.files.folder import FolderFiles
from storage.files.owner import own_folder
from storage.sqlite import SqliteStore
from tests.storage.kept import all_ids, clean, keep, read


def everything(path: Path) -> set[str]:
    """All files in a folder, however deep."""
    return {file.name for file in path.rglob("*") if file.is_file()}


async def test_only_the_owner_reads_files(tmp_path: Path) -> None:
    files = await FolderFiles.open(tmp_path / "uploads")
    await keep(files, "file", b"x" * 300_000)
    writing = await files.begin()
    await writing.write(b"x" * 300_000)
    for path in (tmp_path / "uploads").rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600)
    assert stat.S_IMODE((tmp_path / "uploads").stat().st_mode) == 0o700
    await writing.drop()
    await files.close()


async def test_nothing_is_made_before_the_first_file(tmp_path: Path) -> None:
    files = await FolderFiles.open(tmp_path / "some" / "uploads")
    await (await files.begin()).drop()
    assert await files.free_bytes()
    assert await files.size("file") is None
    assert list(tmp_path.iterdir()) == []
    await keep(files, "file")
    assert everything(tmp_path) == {"file"}
    await files.close()


async def test_what_was_being_written_is_removed_at_the_start(tmp_path: Path) -> None:
    files = await FolderFiles.open(tmp_path)
    await keep(files, "kept")
    writing = await files.begin()
    await writing.write(b"x" * 300_000)
    assert len(everything(tmp_path)) == 2
    again = await FolderFiles.open(tmp_path)
    assert everything(tmp_path) == {"kept"}
    assert await read(again, "kept") == b"bytes"
    await writing.drop()
    await files.close()
    await again.close()


async def test_the_folder_is_beside_the_database_or_where_it_is_said(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path / "a.db")
    await keep(store.files, "one")
    await store.close()
    store = await SqliteStore.open(tmp_path / "b.db", tmp_path / "elsewhere")
    await keep(store.files, "two")
    await store.close()
    assert everything(tmp_path / "uploads") == {"one"}
    assert everything(tmp_path / "elsewhere") == {"two"}


async def test_two_databases_do_not_share_a_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each server removes the files that its database does not know."""
    shared = tmp_path / "data" / "uploads"
    first = await SqliteStore.open(tmp_path / "a.db", shared)
    await keep(first.files, "one")
    assert caplog.records == []
    second = await SqliteStore.open(tmp_path / "b.db", shared)
    await clean(second)
    (record,) = caplog.records
    assert str(shared) in record.getMessage()
    await keep(second.files, "two")
    assert await read(first.files, "one")
    assert everything(shared) == {"one"}
    for store in (first, second):
        await store.close()
    for name, file_id in (("b.db", "two"), ("a.db", "one")):
        store = await SqliteStore.open(tmp_path / name, shared)
        assert await read(store.files, file_id)
        await store.close()


def test_one_of_many_stores_gets_the_folder(tmp_path: Path) -> None:
    ids = [f"{number}" * 32 for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(partial(own_folder, tmp_path / "uploads"), ids))
    assert found.count(tmp_path / "uploads") == 1
    assert len(set(found)) == 8
    assert everything(tmp_path) == {"uploads.store"}


def test_a_folder_whose_owner_cannot_be_noted_is_used_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder")
    assert own_folder(tmp_path / "data" / "uploads", "id") == tmp_path / "data" / "uploads"


@pytest.mark.parametrize(
    ("number", "trouble"),
    [(errno.ENOSPC, "full"), (errno.EDQUOT, "full"), (errno.EROFS, "read_only"), (errno.EIO, "failing")],
)
@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
async def test_a_disk_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, trouble: str, call: str
) -> None:
    files = await FolderFiles.open(tmp_path)
    await keep(files, "kept")
    writing = await files.begin()
    await writing.write(b"x" * 1000)

    def fail(*_args: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(folder.os, call, fail)
        with pytest.raises(Unavailable) as raised:
            await writing.keep("file")
    assert raised.value.trouble == trouble
    assert str(tmp_path) not in str(raised.value)
    await writing.drop()
    assert everything(tmp_path) == {"kept"}
    await keep(files, "file")
    assert await read(files, "file") == b"bytes"
    await files.close()


async def test_what_is_put_into_the_folder_by_hand_stays(tmp_path: Path) -> None:
    files = await FolderFiles.open(tmp_path)
    await keep(files, "file")
    place = files.place("file")
    for strange in (place.parent / ".DS_Store", tmp_path / "00" / "file", tmp_path / "lost+found"):
        strange.parent.mkdir(exist_ok=True)
        strange.write_text("strange")
    assert await all_ids(files) == ["file"]
    await files.delete(["file", ".DS_Store", "../lost+found"])
    assert everything(tmp_path) == {".DS_Store", "file", "lost+found"}
    await files.close()


async def test_a_folder_that_is_no_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The operator reads of it once, however many files come."""
    (tmp_path / "uploads").write_text("a file")
    with pytest.raises(Unavailable):
        await FolderFiles.open(tmp_path / "uploads")
    assert caplog.records == []  # the line that stops the start says it
    files = FolderFiles(tmp_path / "uploads")
    for number in range(3):
        with pytest.raises(Unavailable):
            await keep(files, f"file{number}")
    await files.close()
    (record,) = caplog.records
    assert record.getMessage().startswith(
        "files cannot be kept or read: the folder of files cannot be used: "
    )


async def test_a_file_goes_on_being_read_while_it_is_deleted(tmp_path: Path) -> None:
    files = await FolderFiles.open(tmp_path)
    await keep(files, "file", b"x" * 600_000)
    pieces = files.read("file")
    first = await anext(pieces)
    await files.delete(["file"])
    rest = [piece async for piece in pieces]
    assert len(first) + sum(map(len, rest)) == 600_000
    with pytest.raises(NotFound):
        await read(files, "file")
    assert everything(tmp_path) == set()
    await files.close()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files in /proc")
async def test_reading_in_part_lets_go_of_the_file(tmp_path: Path) -> None:
    files = await FolderFiles.open(tmp_path)
    await keep(files, "file", b"x" * 600_000)
    for _ in range(20):
        pieces = files.read("file")
        await anext(pieces)
        await pieces.aclose()
    await files.close()  # which waits for what has begun
    assert [name for name in open_files() if name.startswith(str(tmp_path))] == []


def open_files() -> list[str]:
    """The paths of the files that this process has open."""
    found: list[str] = []
    for number in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):
            found.append(os.readlink(f"/proc/self/fd/{number}"))
    return found


class Held:
    """Holds up a call of `os` in its thread."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        original = getattr(os, call)

        def held(*args: Any) -> Any:
            self.begun.set()
            assert self.go_on.wait(10)
            return original(*args)

        monkeypatch.setattr(folder.os, call, held)

    async def until_begun(self) -> None:
        while not self.begun.is_set():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
async def test_a_writing_that_is_dropped_in_the_middle_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Its thread goes on for a moment, and must not write into a file that somebody else opens meanwhile."""
    files = await FolderFiles.open(tmp_path)
    await keep(files, "kept")
    writing = await files.begin()
    await writing.write(b"x" * 1000)
    with monkeypatch.context() as patched:
        held = Held(patched, call)
        keeping = asyncio.create_task(writing.keep("file"))
        await held.until_begun()
        keeping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await keeping
        dropping = asyncio.create_task(writing.drop())
        await asyncio.sleep(0.05)
        assert not dropping.done()
        held.go_on.set()
        await dropping
    await writing.write(b"x" * 300_000)
    assert everything(tmp_path) == {"kept"}
    await files.close()
    assert everything(tmp_path) == {"kept"}


async def test_a_reader_that_goes_away_disturbs_no_other(tmp_path: Path) -> None:
    files = await FolderFiles.open(tmp_path)
    contents = {f"file{number}": os.urandom(700_000) for number in range(4)}
    for file_id, content in contents.items():
        await keep(files, file_id, content)

    async def go_away(file_id: str, turns: int) -> None:
        pieces = files.read(file_id)
        reading = asyncio.create_task(anext(pieces))
        for _ in range(turns):
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await pieces.aclose()

    for turns in range(12):
        found = await asyncio.gather(
            *(read(files, file_id) for file_id in contents), *(go_away(one, turns) for one in contents)
        )
        assert found[: len(contents)] == list(contents.values())
    await files.close()
