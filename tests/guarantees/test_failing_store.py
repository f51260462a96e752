"""Stores that fail say so, on a real disk: to clients what is wrong, to probes that it is, and to the log in one line.
And they serve again by themselves."""

import asyncio
import os
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.clients.people import Person
from tests.clients.program import Program, refused_start
from tests.clients.wires import WIRES, Wire
from tests.guarantees.conftest import Start
from tests.patience import within

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="breaks disks as Linux does it")

SECRET_TEXT = "nobody-logs-this-text"


@contextmanager
def small_disk(place: Path, size: str = "2m") -> Iterator[Path]:
    """Mounts a file system of its own, which only root may do."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("may not mount a small disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        while True:
            try:
                file.write(bytes(4096))
            except OSError:
                return filler


class Chat:
    """Anna in a chat, with a connection to every gate."""

    def __init__(self, program: Program, anna: Person, chat_id: int, wires: dict[str, Wire]) -> None:
        self.program, self.anna, self.chat_id, self.wires = program, anna, chat_id, wires
        self.acked: list[int] = []

    async def say(self) -> list[tuple[bool, str]]:
        """Sends a message at every gate: REST, then the wires. For each: whether it was acked, else the error."""
        body = {"chat_id": self.chat_id, "content": SECRET_TEXT}
        status, answer = await self.anna.request("POST", "/messages", json=body)
        received = [(status == 201, "" if status == 201 else answer["error"]["message"])]
        if status == 201:
            self.acked.append(answer["id"])
        else:
            assert (status, answer["error"]["code"]) == (503, "unavailable")
        for wire in self.wires.values():
            frame = await wire.ask("send_message", **body)
            assert frame is not None
            acked = "message" in frame and isinstance(frame["message"], dict)
            received.append((acked, "" if acked else frame["message"]))
            if acked:
                self.acked.append(frame["message"]["id"])
            else:
                assert (frame["code"], frame["retryable"]) == ("unavailable", True)
        return received

    async def works(self) -> None:
        assert {acked for acked, _ in await self.say()} == {True}

    async def fails(self, words: str) -> None:
        for acked, message in await self.say():
            assert not acked
            assert words in message

    async def ready(self) -> tuple[int, str | None]:
        async with self.anna.http.get(f"{self.program.url}/health/ready") as answer:
            return answer.status, (await answer.json()).get("store")

    async def serves_again(self) -> None:
        """Waits until the server is ready again, without a write."""
        async with within(20):
            while (await self.ready())[0] != 200:
                await asyncio.sleep(0.1)

    def lines(self, what: str) -> list[str]:
        log = re.sub(r"\x1b\[[0-9;]*m", "", self.program.log)
        return [line for line in log.splitlines() if what in line]

    async def check_history(self) -> None:
        """Asserts that every acked message is stored."""
        stored: set[int] = set()
        cursor: dict[str, str] = {}
        while True:
            page = await self.anna.get(f"/chats/{self.chat_id}/messages", limit="200", **cursor)
            stored |= {message["id"] for message in page["messages"]}
            if not page["has_more_before"]:
                break
            cursor = {"before": str(page["messages"][0]["id"])}
        assert set(self.acked) <= stored


@asynccontextmanager
async def chat_of(program: Program, anna: Person | None = None, chat_id: int = 0) -> AsyncIterator[Chat]:
    if anna is None:
        anna = await program.person("anna")
        chat_id = await anna.chat()
    wires = {
        kind: wire(program.http, program.url, anna.token, lambda _frame: None) for kind, wire in WIRES.items()
    }
    for wire in wires.values():
        assert await wire.open()
    try:
        yield Chat(program, anna, chat_id, wires)
    finally:
        for wire in wires.values():
            await wire.close()


async def one_failure(chat: Chat, trouble: str, words: str, mend: Any) -> None:
    """Checks one failure of the store from its errors to the recovery; the store fails already, and `mend` removes the
    cause."""
    for _ in range(3):
        await chat.fails(words)
    assert await chat.ready() == (503, trouble)
    (line,) = chat.lines("the store fails")
    assert trouble in line
    assert chat.lines("the store serves again") == []
    mend()
    await chat.serves_again()
    (line,) = chat.lines("the store serves again")
    assert f"refused_writes={3 * (1 + len(chat.wires))}" in line
    await chat.works()
    await chat.check_history()
    assert len(chat.lines("the store")) == 2
    assert SECRET_TEXT not in chat.program.log


async def test_a_full_disk(start: Start, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        program = await start(DATA_DIR=str(disk / "data"))
        async with chat_of(program) as chat:
            await chat.works()
            filler = fill(disk)
            await one_failure(chat, "full", "the store is full", filler.unlink)
        await program.kill()


async def test_a_log_on_the_full_disk_harms_nobody(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        async with ClientSession() as http:
            program = Program(disk, http)
            await program.start()
            try:
                async with chat_of(program) as chat:
                    await chat.works()
                    with (disk / "log").open("ab") as log:
                        log.write(b"\n" * (-log.tell() % 4096))  # no room even for a line
                    filler = fill(disk)
                    async with asyncio.timeout(30):
                        await chat.fails("the store is full")
                        assert await chat.ready() == (503, "full")
                    filler.unlink()
                    await chat.serves_again()
                    await chat.works()
                    await chat.check_history()
                    assert len(chat.lines("the store serves again")) == 1
            finally:
                await program.close()


async def test_a_full_disk_is_noticed_by_the_probe_though_nobody_writes(start: Start, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        program = await start(DATA_DIR=str(disk / "data"))
        async with chat_of(program) as chat:
            filler = fill(disk)
            async with within(20):
                while await chat.ready() != (503, "full"):
                    await asyncio.sleep(0.1)
            filler.unlink()
            await chat.serves_again()
            assert len(chat.lines("the store")) == 2
        await program.kill()


async def test_a_file_that_may_not_grow(start: Start) -> None:
    program = await start()
    async with chat_of(program) as chat:
        await chat.works()
        wal = program.place / "data" / "vestnik.db-wal"
        _, hard = resource.prlimit(program.pid, resource.RLIMIT_FSIZE)

        def limit(size_bytes: int) -> None:
            resource.prlimit(program.pid, resource.RLIMIT_FSIZE, (size_bytes, hard))

        limit(wal.stat().st_size)
        await one_failure(chat, "full", "the store is full", lambda: limit(hard))


async def test_a_write_lock_that_somebody_else_holds(start: Start) -> None:
    program = await start()
    async with chat_of(program) as chat:
        await chat.works()
        db = sqlite3.connect(program.place / "data" / "vestnik.db", isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        answers = await asyncio.gather(
            *(chat.anna.request("POST", "/messages", json=body(chat)) for _ in range(9))
        )
        assert {(status, answer["error"]["message"]) for status, answer in answers} == {
            (503, "the store is locked by another program; nothing was changed")
        }
        assert await chat.ready() == (503, "locked")
        db.execute("ROLLBACK")
        db.close()
        await chat.serves_again()
        await chat.works()
        assert len(chat.lines("the store")) == 2


def body(chat: Chat) -> dict[str, Any]:
    return {"chat_id": chat.chat_id, "content": SECRET_TEXT}


async def test_files_that_become_read_only(start: Start) -> None:
    with TemporaryDirectory(
        dir="/var/tmp"
    ) as folder:  # a file in memory, made immutable, may be written by who has it open
        program = await start(DATA_DIR=folder)
        async with chat_of(program) as chat:
            await chat.works()
            files = [str(Path(folder) / name) for name in ("vestnik.db", "vestnik.db-wal")]
            if subprocess.run(["chattr", "+i", *files], capture_output=True, check=False).returncode:
                pytest.skip("may not make files immutable")
            try:
                await one_failure(
                    chat,
                    "read_only",
                    "the store may not be written",
                    lambda: subprocess.run(["chattr", "-i", *files], check=True),
                )
            finally:
                subprocess.run(["chattr", "-i", *files], check=True)
        await program.stop()


async def test_broken_pages(start: Start) -> None:
    """Only writes to that page fail: the server is not ready until such a write succeeds."""
    program = await start()
    async with chat_of(program) as chat:
        await chat.works()
        anna, chat_id = chat.anna, chat.chat_id
    program.send_signal(signal.SIGTERM)
    await program.ended(20)
    path = program.place / "data" / "vestnik.db"
    whole = path.read_bytes()
    with sqlite3.connect(path) as db:
        (page_size,) = db.execute("PRAGMA page_size").fetchone()
        (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'messages'").fetchone()
    db.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * page_size)
        file.write(b"\xff" * page_size)
    await program.start()
    async with chat_of(program, anna, chat_id) as chat:
        await chat.fails("the store is damaged")
        await asyncio.sleep(3)  # the probe repeats, and a write to another page does not satisfy it
        assert await chat.ready() == (503, "broken")
        assert len(chat.lines("the store fails")) == 1
        assert chat.lines("the store serves again") == []
        with path.open("r+b") as file:
            file.write(whole)
        await chat.serves_again()
        await chat.works()
        assert len(chat.lines("the store serves again")) == 1


@pytest.mark.parametrize("how", ["database", "log", "index", "replaced", "emptied", "renamed", "folder"])
async def test_nothing_is_acked_into_a_file_that_is_gone(start: Start, how: str) -> None:
    program = await start()
    async with chat_of(program) as chat:
        for _ in range(5):
            await chat.works()
        acked = list(chat.acked)
        data = program.place / "data"
        path = data / "vestnik.db"
        if how == "database":
            path.unlink()
        elif how == "log":
            (data / "vestnik.db-wal").unlink()
        elif how == "index":
            (data / "vestnik.db-shm").unlink()
        elif how == "replaced":
            shutil.copy(path, data / "copy")
            (data / "copy").rename(path)
        elif how == "renamed":
            path.rename(data / "elsewhere.db")
        elif how == "emptied":
            os.truncate(path, 0)
        else:
            shutil.rmtree(data)
        await chat.fails("the store is gone")
        assert chat.acked == acked
        assert await chat.ready() == (503, "gone")
        (line,) = chat.lines("the store fails")
        assert "vestnik.db" in line
        if how not in ("log", "index"):
            return
        # What was acked before is saved into the database, and survives a kill.
        async with within(20):
            while not chat.lines("is saved into the database file"):
                await asyncio.sleep(0.05)
        anna, chat_id = chat.anna, chat.chat_id
    await program.kill()
    await program.start()
    async with chat_of(program, anna, chat_id) as chat:
        chat.acked = acked
        await chat.check_history()
        await chat.works()


async def test_a_header_that_is_overwritten_is_noticed(start: Start) -> None:
    program = await start()
    async with chat_of(program) as chat:
        await chat.works()
        path = program.place / "data" / "vestnik.db"
        with path.open("r+b") as file:
            page = file.read(4096)
            file.seek(0)
            file.write(bytes(4096))
        async with within(20):
            while await chat.ready() != (503, "broken"):
                await asyncio.sleep(0.05)
        await chat.fails("the store is damaged")
        assert "was overwritten" in chat.lines("the store fails")[0]
        with path.open("r+b") as file:
            file.write(page)
        await chat.serves_again()
        await chat.works()


async def test_a_file_that_comes_back_is_written_again(start: Start) -> None:
    program = await start()
    async with chat_of(program) as chat:
        await chat.works()
        data = program.place / "data"
        data.rename(program.place / "elsewhere")
        await chat.fails("the store is gone")
        (program.place / "elsewhere").rename(data)
        await chat.serves_again()
        await chat.works()
        await chat.check_history()


async def test_a_start_that_cannot_write_stops_with_one_line(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        folder = disk / "data"
        async with ClientSession() as http:
            program = Program(tmp_path, http, DATA_DIR=str(folder))
            await program.start()
            program.send_signal(signal.SIGTERM)
            await program.ended(20)
        filler = fill(disk)
        line = await refused_start(tmp_path, DATA_DIR=str(folder))
        assert line.startswith("vestnik: DATA_DIR: cannot open the database")
        assert re.search("full|No space left", line)
        filler.unlink()
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        line = await refused_start(tmp_path, DATA_DIR=str(folder))
        assert "ead-only" in line
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        db = sqlite3.connect(folder / "vestnik.db", isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        assert "locked" in await refused_start(tmp_path, DATA_DIR=str(folder))
        db.close()
        (folder / "vestnik.db").write_bytes(b"\xff" * 8192)
        assert "not a database" in await refused_start(tmp_path, DATA_DIR=str(folder))
