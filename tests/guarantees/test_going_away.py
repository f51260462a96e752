"""SIGTERM under load, with clients that do not cooperate: the server stops in time and loses nothing it acked."""

import asyncio
import itertools
import json
import re
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.clients.copy import Reader, everything
from tests.clients.halfway import stopped_halfway
from tests.clients.people import Person
from tests.clients.program import Program
from tests.clients.wires import WIRES, Frame, Wire
from tests.guarantees.conftest import Start
from tests.patience import SLACK, within

resource = pytest.importorskip("resource")

TIMEOUT_S = 4
BUSY_S = 2 * SLACK
"""How much longer a busy machine may take to end a process."""


async def test_the_server_is_gone_in_time_whatever_clients_do(start: Start, store: dict[str, str]) -> None:
    program = await start(RATE_LIMITS="off", SHUTDOWN_TIMEOUT_S=str(TIMEOUT_S), **store)
    ann = await program.person("ann")
    chat_id = await ann.chat()
    wires = [
        WIRES[kind](ann.http, ann.url, ann.token, lambda frame: None) for kind in WIRES for _ in range(3)
    ]
    assert all(await asyncio.gather(*(wire.open() for wire in wires)))
    acked: list[Frame] = []
    async with stopped_halfway(ann.http, ann.url, ann.token, chat_id):
        writing = [
            asyncio.create_task(_write(wire, chat_id, f"{number}", acked))
            for number, wire in enumerate(wires)
        ]
        while len(acked) < 50:
            await asyncio.sleep(0.01)
        program.send_signal(signal.SIGTERM)
        asked_at = time.monotonic()
        sent = sum(await asyncio.gather(*writing))
        notified_after_s = time.monotonic() - asked_at
        status = await program.ended(3 * TIMEOUT_S)
        took_s = time.monotonic() - asked_at
    assert status == 0
    assert notified_after_s < TIMEOUT_S - 0.5, "those who cooperate need not wait for those who do not"
    assert took_s < TIMEOUT_S + BUSY_S
    assert [wire.close_code for wire in wires] == [1001] * len(wires)
    assert "Traceback" not in program.log
    await program.start()
    stored, _ = await everything(ann, chat_id)
    assert {message["id"]: message for message in acked}.items() <= stored.items()
    assert len(acked) <= len(stored) <= sent


async def _write(wire: Wire, chat_id: int, name: str, acked: list[Frame]) -> int:
    """Sends messages until the connection ends. Returns how many it sent."""
    for number in itertools.count(1):
        answer = await wire.ask("send_message", chat_id=chat_id, content=f"{name} {number}")
        if answer is None:
            return number
        acked.append(answer["message"])
    raise AssertionError


async def _come(program: Program, people: list[Person], chat_id: int, count: int) -> list[Reader]:
    kinds = itertools.cycle(["raw", "socketio"] * 5 + ["polling"])
    readers = [
        Reader(kind, person, chat_id) for kind, person, _ in zip(kinds, itertools.cycle(people), range(count))
    ]
    await _all(readers)
    return readers


async def _all(readers: list[Reader]) -> None:
    """Runs all at once; none may be refused."""
    came = await asyncio.gather(*(reader.catch_up() for reader in readers))
    assert [reader.kind for reader, here in zip(readers, came, strict=True) if not here] == []


async def storm(start: Start, count: int) -> None:
    """All clients are ended with 1001 and connect again at once, without the wait they were asked for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * count + 500
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"needs {wanted} open files, the limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    program = await start(RATE_LIMITS="off")
    people = [await program.person(f"user{number}") for number in range(20)]
    chat_id = await people[0].chat(*people[1:])
    readers = await _come(program, people, chat_id, count)
    program.send_signal(signal.SIGTERM)
    assert await program.ended(10) == 0
    waits = []
    for reader in readers:
        assert reader.wire is not None
        await reader.wire.over.wait()
        assert reader.wire.close_code == 1001
        waits.append(json.loads(reader.wire.close_reason)["retry_in_ms"])
        reader.cut()
    assert all(0 <= wait <= 5_000 for wait in waits)
    assert len(set(waits)) > min(count, 1000) / 2, "spread"
    await program.start()
    for number in range(20):
        await people[1].say(chat_id, f"missed {number}")
    all_here = asyncio.Event()
    writing = asyncio.create_task(_say_until(people[1], chat_id, all_here))
    await _all(readers)
    all_here.set()
    await writing
    stored = await everything(people[0], chat_id)
    for reader in readers:
        assert reader.wire is not None
        assert await reader.wire.ask("ping") is not None
        assert reader.broken is None
        assert (reader.copy.messages, reader.copy.position) == stored
        await reader.close()
    assert "Traceback" not in program.log
    assert "[error" not in program.log


async def _say_until(person: Person, chat_id: int, enough: asyncio.Event) -> None:
    """Sends a message now and then; it reaches all clients that are back already."""
    while not enough.is_set():
        await person.say(chat_id, "meanwhile")
        await asyncio.sleep(0.2)


async def test_two_hundred_come_back_at_once(start: Start) -> None:
    await storm(start, 200)


@pytest.mark.long
async def test_two_thousand_come_back_at_once(start: Start) -> None:
    await storm(start, 2000)


async def test_a_busy_server_keeps_those_who_knock(start: Start) -> None:
    """The backlog of the listening socket takes any number of connections at once; no client must repeat its SYN."""
    if sys.platform != "linux":
        pytest.skip("asks Linux how many may wait")
    most = int(Path("/proc/sys/net/core/somaxconn").read_text())
    if most < 1000:
        pytest.skip(f"net.core.somaxconn is {most}")
    program = await start()
    program.send_signal(signal.SIGSTOP)
    async with within(3):
        knocks = await asyncio.gather(
            *(asyncio.open_connection("127.0.0.1", program.port) for _ in range(500))
        )
    program.send_signal(signal.SIGCONT)
    for _, writer in knocks:
        writer.transport.abort()


async def test_the_server_takes_as_many_open_files_as_it_may(start: Start) -> None:
    """Each connection is an open file, and the limit of a shell is often 1,024."""
    limits = Path("/proc/self/limits")
    if not limits.exists():
        pytest.skip("has no /proc")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
    try:
        program = await start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    (line,) = re.findall(r"Max open files +(\d+)", Path(f"/proc/{program.pid}/limits").read_text())
    assert int(line) == hard
