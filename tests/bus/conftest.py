from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from server.nodes import bus, bus_census, bus_connections, bus_ears
from tests.cluster.process import Process
from tests.cluster.redis import Redis

Start = Callable[[Process], Awaitable[None]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts a program, which is killed at the end of the test."""
    started: list[Process] = []

    async def start_one(process: Process) -> None:
        started.append(process)
        await process.start()

    yield start_one
    for process in started:
        await process.kill()


@pytest.fixture
async def redis(start: Start, tmp_path: Path) -> Redis:
    """A node that runs."""
    server = Redis(tmp_path / "redis")
    await start(server)
    return server


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tenths of the times after which the bus gives up, and tries again."""
    monkeypatch.setattr(bus_ears, "DEAF_S", 0.4)
    monkeypatch.setattr(bus_ears, "BEHIND_S", 0.8)
    monkeypatch.setattr(bus, "CANARY_S", 0.1)
    monkeypatch.setattr(bus, "PAUSE_S", (0.05, 0.1))
    monkeypatch.setattr(bus_census, "UNHEARD_S", 0.3)
    monkeypatch.setattr(bus_connections, "ATTEMPT_S", 0.4)
    monkeypatch.setattr(bus_connections, "REPLY_S", 0.4)
