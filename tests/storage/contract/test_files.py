"""The bytes of files: a folder, and a database."""

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from domain.refusals import NotFound
from storage.errors import Unavailable
from storage.files.ports import PIECE_BYTES, Files
from storage.ports import Store
from tests.storage.conftest import Place
from tests.storage.kept import HOUR, all_ids, traces

pytestmark = pytest.mark.long_on_mongo

SIZES = (0, 1, 255 * 1024 - 1, 255 * 1024, 255 * 1024 + 1, PIECE_BYTES, 600_000)
"""Around the ends of pieces."""


async def keep(files: Files, file_id: str, content: bytes, *, chunk: int = 64 * 1024) -> None:
    writing = await files.begin()
    for start in range(0, len(content), chunk):
        await writing.write(content[start : start + chunk])
    await writing.keep(file_id)


async def read(files: Files, file_id: str, start: int = 0, stop: int | None = None) -> bytes:
    pieces = [piece async for piece in files.read(file_id, start, stop)]
    assert all(0 < len(piece) <= PIECE_BYTES for piece in pieces)
    return b"".join(pieces)


async def pages(files: Files, *, limit: int, older_than: datetime) -> Sequence[str]:
    """All ids, `limit` at a time."""
    found: list[str] = []
    while True:
        some = await files.ids(after=found[-1] if found else "", limit=limit, older_than=older_than)
        found += some
        if len(some) < limit:
            return found


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_kept_is_read(store: Store, size: int) -> None:
    content = os.urandom(size)
    await keep(store.files, "file", content)
    assert await store.files.size("file") == size
    assert await read(store.files, "file") == content


async def test_any_part_is_read(store: Store) -> None:
    content = os.urandom(600_000)
    await keep(store.files, "file", content)
    ends = [0, 1, 255 * 1024 - 1, 255 * 1024, 255 * 1024 + 1, PIECE_BYTES, 599_999, 600_000, 700_000]
    for start in ends:
        assert await read(store.files, "file", start) == content[start:]
        for stop in ends:
            assert await read(store.files, "file", start, stop) == content[start:stop]


async def test_files_outlive_a_store(place: Place) -> None:
    store = await place.open()
    content = os.urandom(300_000)
    await keep(store.files, "file", content)
    await keep(store.files, "file.t", b"small")
    await store.close()
    store = await place.open()
    assert await read(store.files, "file") == content
    assert await read(store.files, "file.t") == b"small"
    await store.close()
    with pytest.raises(Unavailable):
        await store.files.size("file")


@pytest.mark.parametrize("chunk", [1000, 300_000])
async def test_nobody_sees_what_is_not_kept(store: Store, chunk: int) -> None:
    files = store.files
    writing = await files.begin()
    await writing.write(b"x" * chunk)
    await writing.write(b"x" * chunk)
    assert await all_ids(files) == []
    await writing.drop()
    await writing.drop()
    assert await all_ids(files) == []
    await (await files.begin()).drop()
    writing = await files.begin()
    await writing.write(b"x" * chunk)
    await writing.keep("kept")
    await writing.drop()
    assert await read(files, "kept") == b"x" * chunk


async def test_unknown_files(store: Store) -> None:
    for file_id in ("unknown", "", "..", "../vestnik.db", "a/b", "a\0b", "a.txt", "x" * 300):
        assert await store.files.size(file_id) is None
        with pytest.raises(NotFound):
            await read(store.files, file_id)
        await store.files.delete([file_id])


async def test_deleted_files_are_gone(store: Store) -> None:
    for file_id in ("a", "b", "c"):
        await keep(store.files, file_id, file_id.encode() * 300_000)
    await store.files.delete(["a", "c", "unknown"])
    await store.files.delete(["a"])
    await store.files.delete([])
    assert await all_ids(store.files) == ["b"]
    assert await read(store.files, "b") == b"b" * 300_000
    with pytest.raises(NotFound):
        await read(store.files, "a")


async def test_ids_come_page_by_page(store: Store) -> None:
    kept = {f"file{number}" for number in range(25)} | {"file1.t"}
    for file_id in kept:
        await keep(store.files, file_id, b"x")
    later = datetime.now(UTC) + HOUR
    found = await pages(store.files, limit=1000, older_than=later)
    assert len(found) == len(kept)
    assert set(found) == kept
    for limit in (1, 7, 26):
        assert await pages(store.files, limit=limit, older_than=later) == found
    assert await pages(store.files, limit=7, older_than=later - 2 * HOUR) == []
    # A file that is gone by now still has its place.
    await store.files.delete([found[9]])
    assert await store.files.ids(after=found[9], limit=100, older_than=later) == found[10:]


@pytest.mark.parametrize("turns", [1, 3, 10, 50])
async def test_a_writing_that_is_cancelled_leaves_nothing(store: Store, turns: int) -> None:
    """As when a client goes away in the middle of its body."""
    files = store.files
    writing = await files.begin()

    async def write() -> None:
        for _ in range(3):
            await writing.write(b"x" * 300_000)
        await writing.keep("file")

    task = asyncio.create_task(write())
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await writing.drop()
    await asyncio.sleep(0.1)  # for what the database is still told to write
    if task.done() and not task.cancelled():
        await files.delete(["file"])  # it came to its end before
    assert await all_ids(files) == []
    assert await traces(store) == 0


async def test_many_writings_side_by_side(store: Store) -> None:
    contents = {f"file{number}": os.urandom(1 + 40_000 * number) for number in range(12)}
    await asyncio.gather(*(keep(store.files, *one, chunk=9000) for one in contents.items()))
    assert {one: await read(store.files, one) for one in contents} == contents


async def test_room(store: Store) -> None:
    free = await store.files.free_bytes()
    assert free is None or free > 0
    await keep(store.files, "file", b"x")
    free = await store.files.free_bytes()
    assert free is None or free > 0


@pytest.mark.parametrize("chunk", [1000, 300_000])
async def test_what_a_writing_left_is_removed(store: Store, chunk: int) -> None:
    """A server that dies ends its writings without a word."""
    files = store.files
    writing = await files.begin()
    for _ in range(3):
        await writing.write(b"x" * chunk)
    await keep(files, "kept", b"x")
    for grace in (-HOUR, HOUR):
        assert await all_ids(files, older_than=datetime.now(UTC) + grace) == ["kept"] * (grace == HOUR)
    if chunk > PIECE_BYTES:
        with pytest.raises(Unavailable):
            await writing.keep("late")
    await writing.drop()
    assert await all_ids(files) == ["kept"]
    await files.delete(["kept"])
    assert await traces(store) == 0
