"""`vestnik restore` into MongoDB is killed again and again, and then comes to its end."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from storage.backup.making import make_backup
from storage.mongo.connection import as_it_is, connect
from storage.mongo.restore_mark import RestoreMark
from storage.open import open_snapshot, open_store
from tests.backup.content import fill
from tests.storage.conftest import MongoPlace, close
from tests.storage.mongo.test_restored import parts
from tests.storage.world import World

ROOT = Path(__file__).parents[3]

MESSAGES = 1500


def command(place: MongoPlace, folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    environment = os.environ | {
        "DATABASE_URL": place.url,
        "DATA_DIR": str(folder / "data"),
        "SECRET_KEY": "k" * 32,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "server", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


async def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    said, _ = await asyncio.to_thread(process.communicate)
    return process.returncode, said


@pytest.mark.long
async def test_a_restore_is_killed_and_run_again(tmp_path: Path, mongo_place: MongoPlace) -> None:
    url, file = f"sqlite:///{tmp_path}/vestnik.db", tmp_path / "all.tar"
    store = await open_store(url)
    world = await fill(store)
    chat_id = await world.chat(1, 2, name="Large")
    for start in range(0, MESSAGES, 250):
        sent = await asyncio.gather(*(world.send(chat_id, 1, f"m{start + one}") for one in range(250)))
        await asyncio.gather(*(store.messages.edit(one.id, 1, "edited", one.created_at) for one in sent[::9]))
    await close(store)
    before, snapshot = await parts(url), await open_snapshot(url)
    with file.open("wb") as out:
        await make_backup(snapshot, out, version="tests")
    await snapshot.close()
    (tmp_path / "data").mkdir()
    killed = 0
    for pause_s in (0.3, 0.8, 1.5):
        process = command(mongo_place, tmp_path, "restore", str(file))
        while process.poll() is None and not await is_marked(mongo_place):
            await asyncio.sleep(0.05)
        await asyncio.sleep(pause_s)
        process.send_signal(signal.SIGKILL)
        status, _ = await ended(process)
        killed += status == -signal.SIGKILL
        if status == -signal.SIGKILL:
            for refused in (["user", "list"], ["backup", str(tmp_path / "none.tar")], ["serve"]):
                status, said = await ended(command(mongo_place, tmp_path, *refused))
                assert status == 1
                assert "or was interrupted" in said.splitlines()[-1]
    assert killed
    status, said = await ended(command(mongo_place, tmp_path, "restore", str(file)))
    assert status == 0, said
    assert await parts(mongo_place.url) == before
    status, said = await ended(command(mongo_place, tmp_path, "restore", str(file)))
    assert (status, said.count("\n")) == (1, 1)
    assert "is not empty" in said
    restored = await mongo_place.open()
    assert len(await World(restored).everything(chat_id)) == MESSAGES
    await close(restored)


async def is_marked(place: MongoPlace) -> bool:
    database = await connect(place.url, 5, as_it_is)
    try:
        return await RestoreMark(database).is_there()
    finally:
        database.close()
