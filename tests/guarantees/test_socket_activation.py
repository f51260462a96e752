"""A server that inherits its listening socket restarts without one refused connection."""

import asyncio
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.clients.people import Person
from tests.clients.program import Program
from tests.clients.wires import WIRES, Wire

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="no socket activation")

PROBE_EVERY_S = 0.005
RESTARTS = 3


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(4096)
        yield listening


@pytest.fixture
async def program(tmp_path: Path, listener: socket.socket) -> AsyncIterator[Program]:
    async with ClientSession() as http:
        program = Program(tmp_path, http)
        program.listener = listener
        yield program
        await program.close()


class Probes:
    """Asks the server every few milliseconds, each time over a new connection, and counts the outcomes."""

    def __init__(self, port: int) -> None:
        self.outcomes: Counter[str] = Counter()
        self.longest_s = 0.0
        self._port = port
        self._asking: set[asyncio.Task[None]] = set()
        self._enough = asyncio.Event()
        self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        self._enough.set()
        await self._running
        await asyncio.gather(*self._asking)

    async def _run(self) -> None:
        while not self._enough.is_set():
            asking = asyncio.create_task(self._ask())
            self._asking.add(asking)
            asking.add_done_callback(self._asking.discard)
            await asyncio.sleep(PROBE_EVERY_S)

    async def _ask(self) -> None:
        asked_at = time.monotonic()
        try:
            async with asyncio.timeout(30):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                writer.write(b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                answer = await reader.read()
                writer.close()
            self.outcomes[answer[:15].decode() or "no answer"] += 1
        except (OSError, TimeoutError) as error:
            self.outcomes[type(error).__name__] += 1
        self.longest_s = max(self.longest_s, time.monotonic() - asked_at)


async def test_three_restarts_refuse_nobody(program: Program, listener: socket.socket) -> None:
    await program.start()
    assert program.port == listener.getsockname()[1]
    probes = Probes(program.port)
    for _ in range(RESTARTS):
        await asyncio.sleep(0.3)
        assert await program.stop() == 0
        await program.start()
    await asyncio.sleep(0.3)
    await probes.stop()
    assert probes.outcomes.keys() == {"HTTP/1.1 200 OK"}, probes.outcomes
    assert probes.outcomes.total() > 100
    assert "Traceback" not in program.log


async def test_a_client_that_comes_while_the_server_is_down_is_served_when_it_is_up(program: Program) -> None:
    await program.start()
    ann = await program.person("ann")
    await program.stop()
    wires = [open_wire(kind, ann) for kind in WIRES]
    opening = [asyncio.create_task(wire.open()) for wire in wires]
    await asyncio.sleep(0.2)
    assert not any(task.done() for task in opening)
    await program.start()
    assert all(await asyncio.gather(*opening))
    for wire in wires:
        assert await wire.ask("ping") is not None
        await wire.close()


def open_wire(kind: str, person: Person) -> Wire:
    return WIRES[kind](person.http, person.url, person.token, lambda _frame: None)
