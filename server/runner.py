"""aiohttp's runner, made to stop promptly and to wait for no client for ever."""

import asyncio
from typing import Any

from aiohttp import web

from server.app import say_goodbye
from server.http_server import HttpServer
from server.keys import SIO

HANDLERS_PART = 0.4
"""The part of the time left after the goodbye that handlers get. aiohttp waits for it twice; the store gets the
rest."""

FIRST_REQUEST_S = 0.1
"""How long a stop waits for the first requests of connections that were accepted just before it."""

FIRST_REQUEST_LOOK_S = 0.005

HANDLERS_LEAST_S = 0.01
"""aiohttp takes 0 for no limit."""

READ_AHEAD_BYTES = 16 * 1024
"""With twice this much of a body that no handler reads, nothing more of it is read from the connection."""

IDLE_TIMEOUT_S = 75.0
"""How long a connection may take to send the head of a request. Reverse proxies close theirs first, after 60 s."""


class Runner(web.AppRunner):
    """Takes the options of `web.AppRunner`. Bodies are not decompressed: a few KiB can become as many MiB.

    A connection that is accepted in the same turn in which the stop begins misses the request to close, and would hold
    up the stop for the whole shutdown timeout. Clients that poll or reconnect make that likely, so all connections are
    asked to close once more when the application has shut down.

    aiohttp waits up to the shutdown timeout for handlers to finish, and as long again for those it has cancelled. Here
    the shutdown timeout is the time for the whole stop, whatever clients do.
    """

    def __init__(self, app: web.Application, **options: Any) -> None:
        options = {
            "keepalive_timeout": IDLE_TIMEOUT_S,
            "auto_decompress": False,
            "read_bufsize": READ_AHEAD_BYTES,
            **options,
        }
        super().__init__(app, **options)
        self._stop_by: float | None = None

    def begin_stop(self) -> None:
        """The time for the whole stop runs from now, not from `cleanup`."""
        self._stop_by = asyncio.get_running_loop().time() + self._shutdown_timeout

    def hurry(self) -> None:
        """Lets `cleanup` wait for nobody."""
        self._stop_by = asyncio.get_running_loop().time()
        self.app[SIO].eio.close_timeout_s = 0

    async def _make_server(self) -> HttpServer:
        return HttpServer(await super()._make_server())

    async def cleanup(self) -> None:
        """Stops accepting, says goodbye, and only then closes what is open. aiohttp would first close the idle
        connections, on which polling clients are about to send their next request."""
        if self._stop_by is None:
            self.begin_stop()
        await self._stop_accepting()
        for site in list(self.sites):
            await site.stop()
        await say_goodbye(self.app)
        self._shutdown_timeout = max(HANDLERS_LEAST_S, self._left_s() * HANDLERS_PART)
        await super().cleanup()

    def _left_s(self) -> float:
        assert self._stop_by is not None
        return self._stop_by - asyncio.get_running_loop().time()

    async def _stop_accepting(self) -> None:
        """Stops accepting, and waits for connections that are being accepted: if their server were closed in the same
        turn, asyncio would lose them without closing them, and their clients would wait for ever."""
        loop = asyncio.get_running_loop()
        for site in self.sites:
            for listener in getattr(getattr(site, "_server", None), "sockets", ()):
                loop.remove_reader(listener)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await self._take_first_requests()

    async def _take_first_requests(self) -> None:
        """Reads what clients have sent over connections that were accepted a moment ago: aiohttp would close such a
        connection as idle, and the client would have no answer."""
        ends_at = asyncio.get_running_loop().time() + min(FIRST_REQUEST_S, max(self._left_s(), 0))
        while asyncio.get_running_loop().time() < ends_at:
            if self.server is None or all(one._request_count for one in self.server.connections):
                return
            await asyncio.sleep(FIRST_REQUEST_LOOK_S)

    async def shutdown(self) -> None:
        await super().shutdown()
        await asyncio.sleep(0)
        if self.server is not None:
            self.server.pre_shutdown()
