"""`kill -9`, of a server before its backup, of a backup and of a restore."""

import asyncio
import os
import random
import sys
import time
from pathlib import Path

import pytest

from storage.sqlite import SqliteStore
from tests.backup.content import fill
from tests.backup.copies import backup, parts
from tests.clients.program import environment, run, running
from tests.storage.world import at, draft

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="has no such signal"),
    pytest.mark.long,
]

KILLS = 12
MESSAGES = 20_000


async def large_store(folder: Path) -> str:
    """A store with so many messages that a kill hits the middle."""
    folder.mkdir()
    store = await SqliteStore.open(folder / "vestnik.db")
    await fill(store)
    sends = [
        store.messages.append(draft(2, 2, f"message {n}", created_at=at(n))) for n in range(100, MESSAGES)
    ]
    await asyncio.gather(*sends)
    await store.close()
    return f"sqlite:///{folder}/vestnik.db"


async def killed(place: Path, *words: str, after_s: float, **settings: str) -> bool:
    """Runs a command and kills it. Returns whether it was still at work."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", *words),
        cwd=place,
        env=environment(**settings),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await asyncio.wait_for(process.wait(), after_s)
    except TimeoutError:
        process.kill()
        await process.wait()
        return True
    assert process.returncode == 0
    return False


async def test_a_server_that_was_killed_is_backed_up_with_all_that_it_acked(tmp_path: Path) -> None:
    async with running(tmp_path) as program:
        ann = await program.person("ann")
        chat_id = await ann.chat()
        acked = [(await ann.say(chat_id, "hello"))["id"] for _ in range(30)]
        await program.kill()
    (tmp_path / "data" / "vestnik.db-shm").unlink()  # as after the machine itself has stopped
    assert (tmp_path / "data" / "vestnik.db-wal").stat().st_size > 0
    status, _, errors = await run(tmp_path, "backup", "one.tar", DATA_DIR=str(tmp_path / "data"))
    assert (status, errors) == (0, "")
    assert (await run(tmp_path, "restore", "one.tar", DATA_DIR=str(tmp_path / "b")))[0] == 0
    restored = await parts(f"sqlite:///{tmp_path}/b/vestnik.db")
    assert restored[1].messages == len(acked)
    async with running(tmp_path) as program:  # the backup has done the database no harm
        again = program.stranger("ann")
        await again.login("ann")
        page = await again.get(f"/chats/{chat_id}/messages", limit=200)
        assert [message["id"] for message in page["messages"]] == acked


async def test_a_backup_that_was_killed_leaves_no_file_with_its_name(tmp_path: Path) -> None:
    url, dice, hits = await large_store(tmp_path / "a"), random.Random(1), 0
    settings = {"DATA_DIR": str(tmp_path / "a")}
    began_s = time.monotonic()
    assert (await run(tmp_path, "backup", "whole.tar", **settings))[0] == 0
    took_s = time.monotonic() - began_s
    for number in range(KILLS):
        name = f"{number}.tar"
        if await killed(tmp_path, "backup", name, after_s=dice.uniform(0, took_s), **settings):
            hits += 1
            assert not (tmp_path / name).exists()
            assert (await run(tmp_path, "backup", name, **settings))[0] == 0
        assert not (tmp_path / f"{name}.part").exists()
    assert hits
    assert (await run(tmp_path, "restore", "whole.tar", DATA_DIR=str(tmp_path / "b")))[0] == 0
    assert await parts(f"sqlite:///{tmp_path}/b/vestnik.db") == await parts(url)


async def test_a_restore_that_was_killed_is_none_and_can_be_begun_again(tmp_path: Path) -> None:
    url, dice, hits = await large_store(tmp_path / "a"), random.Random(2), 0
    content, _ = await backup(url)
    (tmp_path / "one.tar").write_bytes(content)
    began_s = time.monotonic()
    assert (await run(tmp_path, "restore", "one.tar", DATA_DIR=str(tmp_path / "whole")))[0] == 0
    took_s = time.monotonic() - began_s
    target = tmp_path / "b"
    settings = {"DATA_DIR": str(target)}
    for _ in range(KILLS):
        if await killed(tmp_path, "restore", "one.tar", after_s=dice.uniform(0.2, took_s), **settings):
            hits += 1
        if (target / "vestnik.db").exists():  # it was killed after all was done
            assert await parts(f"sqlite:///{target}/vestnik.db") == await parts(url)
            (target / "vestnik.db").unlink()
    assert hits
    assert (await run(tmp_path, "restore", "one.tar", **settings))[0] == 0
    assert await parts(f"sqlite:///{target}/vestnik.db") == await parts(url)
    left = sorted(os.listdir(target))
    assert "vestnik.db.restore" not in left
    async with running(tmp_path, **settings):
        pass
    store = await SqliteStore.open(target / "vestnik.db")
    assert await store.files.size("photo") == 5000
    await store.close()
