"""`vestnik user …` where something is in its way: the disk, the output, a server that starts or stops."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from storage.open import open_store
from tests.clients.program import environment, running
from tests.guarantees.test_failing_store import fill, small_disk
from tests.test_user_command import say

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has no sockets in the file system")

TOO_LONG = "vestnik: no name and no address is longer than 1,000 characters\n"


async def usernames(tmp_path: Path) -> list[str]:
    status, output, errors = await say(tmp_path, "list", "--json")
    assert (status, errors) == (0, "")
    return [one["username"] for one in json.loads(output)]


async def with_output(tmp_path: Path, output: Any, *words: str) -> tuple[int, str]:
    """Runs `vestnik user` with another standard output; its exit status, and what it says of errors."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", "user", *words),
        cwd=tmp_path,
        env=environment(DATA_DIR=str(tmp_path / "data")),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode or 0, errors.decode()


async def test_a_name_that_is_far_too_long_is_one_short_line(tmp_path: Path) -> None:
    long = "x" * 70_000

    async def assert_refused() -> None:
        for words in (("ban", long), ("create", "ann", "--email", long)):
            assert await say(tmp_path, *words) == (1, "", TOO_LONG)

    await assert_refused()
    async with running(tmp_path):
        await assert_refused()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no device that is full")
async def test_output_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        status, errors = await with_output(tmp_path, full, "create", "ann")
        assert (status, errors.count("\n")) == (1, 1)
        assert errors.startswith("vestnik: create is done, but the output could not be written: ")
        assert "`vestnik user password` makes another password" in errors
        status, errors = await with_output(tmp_path, full, "ban", "ann")
        assert (status, errors.count("\n"), "password" in errors) == (1, 1, False)
        status, errors = await with_output(tmp_path, full, "list")
        assert (status, errors.count("\n")) == (1, 1)
    assert await usernames(tmp_path) == ["ann"]


async def test_a_reader_who_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    assert (await say(tmp_path, "create", "ann"))[0] == 0
    reader, writer = os.pipe()
    os.close(reader)
    assert await with_output(tmp_path, writer, "list") == (1, "")
    os.close(writer)


async def test_names_that_the_terminal_has_no_signs_for(tmp_path: Path) -> None:
    ascii_only = {"PYTHONIOENCODING": "ascii"}
    assert (await say(tmp_path, "create", "ann", "--display-name", "Аня 😀"))[0] == 0
    status, output, errors = await say(tmp_path, "list", **ascii_only)
    assert (status, output.splitlines()[1].endswith("??? ?"), errors) == (0, True, "")
    status, output, errors = await say(tmp_path, "list", "--json", **ascii_only)
    assert (status, json.loads(output)[0]["display_name"], errors) == (0, "Аня 😀", "")


async def test_it_works_while_the_server_starts_and_stops(tmp_path: Path) -> None:
    """Each of them finds the server, or the store that nobody has open."""
    made: list[str] = []

    async def create_until(done: "asyncio.Task[Any]", at_once: int = 2) -> None:
        async def create() -> None:
            name = f"user{len(made)}"
            made.append(name)
            status, _, errors = await say(tmp_path, "create", name)
            assert (status, errors) == (0, "")

        while not done.done():
            await asyncio.gather(*(create() for _ in range(at_once)))
        await done

    async with running(tmp_path) as program:
        await program.stop()
        await create_until(asyncio.create_task(program.start()))
        await create_until(asyncio.create_task(program.stop()))
        await program.start()
        assert sorted(await usernames(tmp_path)) == sorted(made)


async def test_a_server_waits_for_a_command_that_has_the_store_open(tmp_path: Path) -> None:
    async with running(tmp_path) as program:
        await program.stop()
        store = await open_store(f"sqlite:///{tmp_path / 'data' / 'vestnik.db'}")
        starting = asyncio.create_task(program.start())
        await asyncio.sleep(1)
        assert not starting.done()
        await store.close()
        await starting


async def test_a_full_disk_is_one_line_and_changes_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "data"):
        assert (await say(tmp_path, "create", "ann"))[0] == 0
        filler = fill(tmp_path / "data")

        async def assert_refused() -> None:
            for words in (("create", "bob"), ("delete", "ann")):
                status, output, errors = await say(tmp_path, *words)
                assert (status, output, errors.count("\n")) == (1, "", 1), words
                assert "full" in errors or "No space left" in errors, words

        await assert_refused()
        filler.unlink()
        assert await usernames(tmp_path) == ["ann"]
        async with running(tmp_path):
            filler = fill(tmp_path / "data")
            await assert_refused()
            filler.unlink()
            assert (await say(tmp_path, "ban", "ann"))[0] == 0
