"""Files are deleted at once, whatever else the server is doing with files, and whatever becomes of one of them."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from handlers.files import cleaning
from handlers.files.cleaning import Cleaning
from handlers.files.counts import FileCounts
from storage.sqlite import SqliteStore
from tests.clients.clock import ManualClock
from tests.patience import within
from tests.storage.kept import all_ids, keep, queue, upload
from tests.storage.world import World, at


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(tmp_path / "vestnik.db")
    yield store
    await store.close()


@pytest.fixture
async def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def cleaner(store: SqliteStore, clock: ManualClock) -> AsyncIterator[Cleaning]:
    cleaner = Cleaning(store, clock, FileCounts(), ttl_s=3600)
    store.subscribe(cleaner.published)
    cleaner.start()
    await idle(cleaner)
    yield cleaner
    await cleaner.stop()


async def idle(cleaner: Cleaning) -> None:
    """Returns when there is nothing more to do."""
    async with within(10):
        while cleaner._running is not None or cleaner._wanted:
            await asyncio.sleep(0.005)


async def sent(store: SqliteStore, *upload_ids: str) -> Sequence[tuple[int, int]]:
    """Messages with a file each: their ids, with those of their sender."""
    world = World(store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    for upload_id in upload_ids:
        await upload(store, anna, upload_id)
    return [((await world.send(chat_id, anna, attachments=[one])).id, anna) for one in upload_ids]


async def test_files_go_at_once_while_the_server_looks_for_others(
    store: SqliteStore, cleaner: Cleaning, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That may take minutes."""
    monkeypatch.setattr(cleaning, "STEP_FILES", 1)
    monkeypatch.setattr(cleaning, "NOBODYS_AGE", -cleaning.NOBODYS_AGE)
    messages = await sent(store, *(f"file{number}" for number in range(6)))
    before: list[Sequence[str]] = []
    original = store.files.ids

    async def ids(**wanted: Any) -> Sequence[str]:
        """Deletes a message between any two steps."""
        before.append(await all_files())
        if len(before) <= 3:
            message_id, anna = messages[len(before) - 1]
            await store.messages.delete(message_id, anna, at(1))
            await asyncio.sleep(0.05)
        return await original(**wanted)

    async def all_files() -> Sequence[str]:
        return sorted(path.name for path in store.files._folder.rglob("file*"))  # type: ignore[attr-defined]

    monkeypatch.setattr(store.files, "ids", ids)
    clock.advance(2 * cleaning.COLLECT_AFTER_S)
    await idle(cleaner)
    assert [len(names) for names in before[:4]] == [6, 5, 4, 3]
    assert len(before) > 4


async def test_a_file_that_cannot_be_deleted_holds_up_no_other(
    store: SqliteStore, cleaner: Cleaning, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleaning, "STEP_FILES", 2)
    messages = await sent(store, "a", "bad", "c", "d", "e")
    original = os.unlink

    def unlink(path: Any, *args: Any, **options: Any) -> None:
        if Path(path).name == "bad":
            raise OSError(errno.EACCES, "denied")
        original(path, *args, **options)

    with capture_logs() as logs, monkeypatch.context() as patched:
        patched.setattr(os, "unlink", unlink)
        for message_id, anna in messages:
            await store.messages.delete(message_id, anna, at(1))
        await idle(cleaner)
        for _ in range(3):
            clock.advance(cleaning.AGAIN_AFTER_S)
            await idle(cleaner)
        assert await all_ids(store.files) == ["bad"]
        assert await queue(store) == {"bad"}
    (line,) = logs
    assert (line["event"], line["log_level"]) == ("files cannot be deleted now", "warning")
    assert "denied" in line["reason"]
    clock.advance(cleaning.AGAIN_AFTER_S)
    await idle(cleaner)
    assert await all_ids(store.files) == []
    assert await queue(store) == set()


async def test_the_folder_goes_away_while_the_server_runs(store: SqliteStore, cleaner: Cleaning) -> None:
    """By hand: new files are kept, and the queue is emptied."""
    ((message_id, anna),) = await sent(store, "one")
    folder: Path = store.files._folder  # type: ignore[attr-defined]
    folder.rename(folder.with_name("elsewhere"))
    assert await store.files.size("one") is None
    await store.messages.delete(message_id, anna, at(1))
    await idle(cleaner)
    assert await queue(store) == set()
    await keep(store.files, "two")
    assert await all_ids(store.files) == ["two"]
