"""Opening, sharing and leaving the file."""

import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from storage.errors import StorageError, Unavailable
from storage.sqlite import SqliteStore
from tests.storage.world import World, draft


async def test_a_second_server_is_refused(path: Path) -> None:
    store = await SqliteStore.open(path)
    with pytest.raises(Unavailable, match=f"cannot open the database {path}: another server has it open"):
        await SqliteStore.open(path)
    program = (
        "import asyncio, sys; from pathlib import Path; from storage.sqlite import SqliteStore\n"
        "asyncio.run(SqliteStore.open(Path(sys.argv[1])))"
    )
    other = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True)
    assert "another server has it open" in other.stderr.splitlines()[-1]
    assert other.returncode == 1
    await store.ping()
    await store.close()
    await (await SqliteStore.open(path)).close()


async def test_readers_from_outside_are_welcome(path: Path) -> None:
    store = await SqliteStore.open(path)
    world = World(store)
    anna = await world.user("anna")
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        assert db.execute("SELECT username FROM users").fetchall() == [("anna",)]
        await world.chat(anna)
        assert db.execute("SELECT count(*) FROM chats").fetchone() == (1,)
    db.close()
    await store.close()


async def test_nothing_is_left_open_or_lying_about(path: Path) -> None:
    store = await SqliteStore.open(path)
    world = World(store)
    anna = await world.user()
    await world.send(await world.chat(anna), anna)
    await store.close()
    left = {thread.name.split("_")[0] for thread in threading.enumerate()}
    assert not left & {"sqlite-writer", "sqlite-reader"}
    assert {file.name for file in path.parent.iterdir()} == {
        *("vestnik.db", "vestnik.db.lock"),
        "uploads.store",
    }


async def test_only_the_owner_of_the_server_reads_the_file(path: Path) -> None:
    store = await SqliteStore.open(path)
    await World(store).user()
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    await store.close()


async def test_acks_mean_on_disk(path: Path) -> None:
    store = await SqliteStore.open(path)
    writer = store._database._writer
    pragmas = {
        name: writer.db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")
    }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2}
    await store.close()


@pytest.mark.parametrize("kind", ["not a database", "a directory", "no directory", "no right"])
async def test_a_file_that_cannot_be_opened(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.db"
    if kind == "not a database":
        path.write_text("Dear diary, " * 500)
    elif kind == "a directory":
        path.mkdir()
    elif kind == "no directory":
        path = tmp_path / "missing" / "x.db"
    else:
        path = Path("/proc/vestnik.db")
    for _ in range(2):
        with pytest.raises(StorageError, match=f"cannot open the database {path}: .+"):
            await SqliteStore.open(path)


async def test_a_file_that_another_program_locks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.sqlite.connection.BUSY_TIMEOUT_S", 0.05)
    store = await SqliteStore.open(path)
    world = World(store)
    anna = await world.user()
    chat_id = await world.chat(anna)
    outside = sqlite3.connect(path, isolation_level=None)
    outside.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="locked"):
        await store.messages.append(draft(chat_id, anna))
    assert (await store.messages.history(chat_id, limit=5)).messages == []
    outside.execute("ROLLBACK")
    outside.close()
    assert (await world.send(chat_id, anna)).seq == 1
    await store.close()
