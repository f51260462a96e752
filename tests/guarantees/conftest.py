"""The server as a program of its own, on both stores."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp import ClientSession, DummyCookieJar, TCPConnector

from tests.clients.program import Program

Start = Callable[..., Awaitable[Program]]


@pytest.fixture(params=["sqlite", "mongo"])
def store(request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings that choose the store."""
    if request.param == "sqlite":
        return {}
    return {"DATABASE_URL": f"{request.getfixturevalue('mongo_url')}/vestnik_test_{uuid4().hex[:16]}"}


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts programs: `await start(SHUTDOWN_TIMEOUT_S="3")` takes environment variables."""
    if sys.platform == "win32":
        pytest.skip("has no signals to end a server with")
    programs: list[Program] = []
    async with ClientSession(connector=TCPConnector(limit=0), cookie_jar=DummyCookieJar()) as http:

        async def new(**settings: str) -> Program:
            place = tmp_path / f"program{len(programs)}"
            place.mkdir()
            programs.append(Program(place, http, **settings))
            await programs[-1].start()
            return programs[-1]

        yield new
        for program in programs:
            await program.close()
