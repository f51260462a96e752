from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bus.redis_server import RedisServer


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that runs."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()
