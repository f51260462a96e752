from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.nodes import bus, bus_census, bus_connections
from tests.cluster.redis import Redis


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[Redis]:
    """A server that runs."""
    server = Redis(tmp_path / "redis")
    await server.start()
    yield server
    await server.kill()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tenths of the times after which the bus gives up, and tries again."""
    monkeypatch.setattr(bus, "DEAF_S", 0.4)
    monkeypatch.setattr(bus, "CANARY_S", 0.1)
    monkeypatch.setattr(bus, "PAUSE_S", (0.05, 0.1))
    monkeypatch.setattr(bus_census, "UNHEARD_S", 0.3)
    monkeypatch.setattr(bus_connections, "ATTEMPT_S", 0.4)
    monkeypatch.setattr(bus_connections, "REPLY_S", 0.4)
