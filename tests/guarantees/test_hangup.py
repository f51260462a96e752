"""SIGHUP, the signal of a closed terminal, stops the server in order, unless it is ignored."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.clients.people import Person
from tests.clients.program import environment
from tests.clients.wires import WIRES, Wire
from tests.guarantees.conftest import Start

pty = pytest.importorskip("pty")
fcntl = pytest.importorskip("fcntl")
termios = pytest.importorskip("termios")

ENDED_S = 20


async def open_wires(person: Person) -> list[Wire]:
    wires = [WIRES[kind](person.http, person.url, person.token, lambda _frame: None) for kind in WIRES]
    assert all(await asyncio.gather(*(wire.open() for wire in wires)))
    return wires


async def assert_asked_to_come_back(wires: list[Wire]) -> None:
    async with asyncio.timeout(ENDED_S):
        await asyncio.gather(*(wire.over.wait() for wire in wires))
    assert [wire.close_code for wire in wires] == [1001] * len(wires)
    assert all("retry_in_ms" in wire.close_reason for wire in wires)


@pytest.mark.parametrize("name", ["SIGHUP", "SIGINT", "SIGTERM"])
async def test_every_connection_is_1001_and_the_status_is_0(start: Start, name: str) -> None:
    program = await start(SHUTDOWN_TIMEOUT_S="4")
    wires = await open_wires(await program.person("ann"))
    program.send_signal(signal.Signals[name])
    await assert_asked_to_come_back(wires)
    assert await program.ended(ENDED_S) == 0
    assert "Traceback" not in program.log


@asynccontextmanager
async def in_a_terminal(place: Path, *, ignoring: bool = False) -> AsyncIterator[tuple[Any, int, str]]:
    """A server that owns a terminal. Yields the process, the other end of the terminal, and the URL."""
    ours, its = pty.openpty()

    def own_the_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        if ignoring:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server"),
        cwd=place,
        env=environment(DATA_DIR=str(place / "data"), SHUTDOWN_TIMEOUT_S="4"),
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
        preexec_fn=own_the_terminal,
    )
    os.close(its)
    shown = b""
    while not (found := re.search(rb"http://127\.0\.0\.1:(\d+)", shown)):
        shown += await asyncio.wait_for(asyncio.to_thread(os.read, ours, 4096), 60)
    try:
        yield process, ours, f"http://127.0.0.1:{int(found[1])}"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def person_at(http: ClientSession, url: str) -> Person:
    ann = Person(http, url, url.replace("http", "ws") + "/ws", "ann")
    ann.id = (await ann.register("ann"))["id"]
    await ann.login("ann")
    return ann


async def test_a_terminal_that_is_closed_stops_it_in_order(tmp_path: Path) -> None:
    async with ClientSession() as http, in_a_terminal(tmp_path) as (process, terminal, url):
        wires = await open_wires(await person_at(http, url))
        os.close(terminal)
        await assert_asked_to_come_back(wires)
        assert await asyncio.wait_for(process.wait(), ENDED_S) == 0
    assert not (tmp_path / "data" / "control.sock").exists(), "the end of a stop was reached"


async def test_under_nohup_it_goes_on(tmp_path: Path) -> None:
    async with ClientSession() as http, in_a_terminal(tmp_path, ignoring=True) as (process, terminal, url):
        ann = await person_at(http, url)
        process.send_signal(signal.SIGHUP)
        assert (await ann.get("/users/me"))["id"] == ann.id
        process.terminate()
        assert await asyncio.wait_for(process.wait(), ENDED_S) == 0
        os.close(terminal)
