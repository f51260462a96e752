"""Everything here runs against a real server on a free port, under asyncio's event loop and under uvloop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import socketio
from aiohttp import web

from server.engine import EngineServer
from tests.engine.clocks import ManualClock
from tests.engine.peers import Peer

try:
    import uvloop
except ImportError:
    LOOPS = {"asyncio": asyncio.SelectorEventLoop}
else:
    LOOPS = {"asyncio": asyncio.SelectorEventLoop, "uvloop": uvloop.new_event_loop}

Serve = Callable[..., Awaitable[Peer]]


@pytest.fixture
def clock() -> ManualClock:
    """A clock for the server, which the test turns."""
    return ManualClock()


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return LOOPS


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts a server, as `web.run_app` does, and gives a client that speaks its protocol by hand."""
    running: list[web.AppRunner] = []
    engines: list[EngineServer] = []
    async with aiohttp.ClientSession() as session:

        async def start(server: socketio.AsyncServer | EngineServer, **options: Any) -> Peer:
            app = web.Application()
            server.attach(app)
            engine = getattr(server, "eio", server)
            if isinstance(engine, EngineServer):
                engines.append(engine)
            running.append(web.AppRunner(app, access_log=None, shutdown_timeout=1.0, **options))
            await running[-1].setup()
            await web.TCPSite(running[-1], "127.0.0.1", 0).start()
            path = "socket.io" if isinstance(server, socketio.AsyncServer) else "engine.io"
            return Peer(session, f"http://127.0.0.1:{running[-1].addresses[0][1]}/{path}/")

        yield start
        for engine in engines:
            engine.close_timeout_s = 0.05  # the clients that a test has left fetch nothing any more
        clocks = [engine.clock for engine in engines if isinstance(engine.clock, ManualClock)]
        flowing = [asyncio.ensure_future(clock.flow()) for clock in clocks]
        for runner in running:
            await runner.cleanup()
        for flow in flowing:
            flow.cancel()
