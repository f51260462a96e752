"""`vestnik backup` and `vestnik restore` as an operator runs them."""

import asyncio
import os
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from storage.sqlite import SqliteStore
from tests.backup.copies import parts
from tests.clients.people import Person
from tests.clients.program import environment, run, running
from tests.storage.kept import upload
from tests.storage.world import World

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has no modes")


async def vestnik(place: Path, *words: str, data: str = "data", **settings: str) -> tuple[int, str]:
    """Runs the command line; its exit status and output."""
    status, output, errors = await run(place, *words, DATA_DIR=str(place / data), **settings)
    return status, output + errors


async def refused(place: Path, *words: str, data: str = "data", **settings: str) -> str:
    """The one line of a refusal."""
    status, said = await vestnik(place, *words, data=data, **settings)
    assert status == 1
    (line,) = said.splitlines()
    return line


async def test_of_a_running_server_and_into_another_place(tmp_path: Path) -> None:
    """Everything that was acked before it began is in it, while others go on writing."""
    async with running(tmp_path) as program:
        ann, bob = await program.person("ann"), await program.person("bob")
        chat_id = await ann.chat(bob)
        client = await ann.connect()
        acked: list[int] = []
        writing = asyncio.create_task(_write(ann, chat_id, acked))
        while len(acked) < 20:
            await asyncio.sleep(0.01)
        before = list(acked)
        status, said = await vestnik(tmp_path, "backup", "one.tar")
        assert status == 0
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing
        assert said.startswith("backup: one.tar: 2 users, 1 chat, ")
        assert stat.S_IMODE((tmp_path / "one.tar").stat().st_mode) == 0o600
        assert "stop it first" in await refused(tmp_path, "restore", "one.tar")
        assert (await vestnik(tmp_path, "restore", "one.tar", data="other"))[0] == 0
        await client.close()
    restored = await parts(f"sqlite:///{tmp_path}/other/vestnik.db")
    assert restored[1].messages >= len(before)
    assert "is not empty" in await refused(tmp_path, "restore", "one.tar", data="other")
    async with running(tmp_path, DATA_DIR=str(tmp_path / "other")) as program:
        again = program.stranger("bob")
        await again.login("bob")
        page = await again.get(f"/chats/{chat_id}/messages", limit=200)
        assert {message["id"] for message in page["messages"]} >= set(before)
        client = await again.connect()
        ack = await client.command("join_chat", chat_id=chat_id, after_seq=1, epoch="of the server before")
        assert ack["gap"] is True
        await client.close()


async def _write(person: Person, chat_id: int, acked: list[int]) -> None:
    while True:
        acked.append((await person.say(chat_id, "hello"))["id"])


async def test_through_a_pipe(tmp_path: Path) -> None:
    assert (await vestnik(tmp_path, "user", "create", "ann"))[0] == 0

    def pipe() -> subprocess.CompletedProcess[bytes]:
        command = f"{sys.executable} -m server backup - | DATA_DIR=other {sys.executable} -m server restore -"
        settings = {**environment(DATA_DIR=str(tmp_path / "data"))}
        return subprocess.run(["sh", "-c", command], cwd=tmp_path, env=settings, capture_output=True)

    done = await asyncio.to_thread(pipe)
    assert done.returncode == 0
    assert b"restore: standard input: 1 user, 0 chats, 0 messages, 0 files" in done.stdout
    assert await parts(f"sqlite:///{tmp_path}/other/vestnik.db") == await parts(
        f"sqlite:///{tmp_path}/data/vestnik.db"
    )


async def test_one_line_says_what_is_wrong(tmp_path: Path) -> None:
    assert f"there is no database {tmp_path}/data/vestnik.db" in await refused(tmp_path, "backup", "one.tar")
    assert (await vestnik(tmp_path, "user", "create", "ann"))[0] == 0
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("elsewhere")
    (tmp_path / "vestnik.db").write_bytes(b"SQLite format 3")
    before = sorted(tmp_path.iterdir())
    assert "folder is a folder" in await refused(tmp_path, "backup", "folder", "--force")
    assert "no plain file" in await refused(tmp_path, "backup", "link", "--force")
    assert "is there, and no backup" in await refused(tmp_path, "backup", "vestnik.db")
    assert "No such file" in await refused(tmp_path, "backup", "nowhere/one.tar")
    assert "no plain file" in await refused(tmp_path, "backup", "/dev/full", "--force")
    for name, said in (("nowhere", "No such file"), ("folder", "Is a directory"), ("/dev/null", "cut off")):
        assert said in await refused(tmp_path, "restore", name, data="other")
    assert sorted(path for path in tmp_path.iterdir() if path.name != "other") == before
    assert sorted(os.listdir(tmp_path / "other")) == ["secret_key", "vestnik.db.lock"]


async def test_an_earlier_backup_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "one.tar").touch(0o644)
    assert (await vestnik(tmp_path, "user", "create", "ann"))[0] == 0
    assert "1 user," in (await vestnik(tmp_path, "backup", "one.tar"))[1]
    assert (await vestnik(tmp_path, "user", "create", "bob"))[0] == 0
    assert "2 users," in (await vestnik(tmp_path, "backup", "one.tar"))[1]
    assert stat.S_IMODE((tmp_path / "one.tar").stat().st_mode) == 0o600
    (tmp_path / "one.tar").write_bytes(b"notes")
    assert "2 users," in (await vestnik(tmp_path, "backup", "one.tar", "--force"))[1]


async def test_of_a_full_disk_nothing_is_left(tmp_path: Path) -> None:
    """The limit for a file stands for the end of the disk."""
    (tmp_path / "data").mkdir()
    store = await SqliteStore.open(tmp_path / "data" / "vestnik.db")
    await upload(store, await World(store).user(), "large", content=bytes(200_000))
    await store.close()
    assert (await vestnik(tmp_path, "backup", "good.tar"))[0] == 0
    assert "File too large" in await _limited(tmp_path, 200, "backup", "one.tar")
    assert "cannot be written" in await _limited(tmp_path, 20, "restore", "good.tar", data="other")
    assert sorted(os.listdir(tmp_path)) == ["data", "good.tar", "other"]
    assert sorted(os.listdir(tmp_path / "other")) == ["secret_key", "vestnik.db.lock"]


async def _limited(place: Path, blocks: int, *words: str, data: str = "data") -> str:
    """The one line of a command that may make no file larger than so many blocks of 512 bytes."""
    program = f"ulimit -f {blocks}; exec {sys.executable} -m server {' '.join(words)}"
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", program),
        cwd=place,
        env=environment(DATA_DIR=str(place / data)),
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert process.returncode == 1
    (line,) = errors.decode().splitlines()
    return line
