"""aiohttp's runner, made to stop promptly and to wait for nobody for ever."""

import asyncio
from typing import Any

from aiohttp import web

from server.app import say_goodbye
from server.http_server import HttpServer

HANDLERS_PART = 0.4
"""Of the time that is left after the goodbye. aiohttp takes it twice; the rest is the store's."""

READ_AHEAD_BYTES = 16 * 1024
"""With twice as much of a body that nobody takes, nothing more of it is read."""

IDLE_TIMEOUT_S = 75.0
"""So long a connection may take to send the head of a request. Reverse proxies keep theirs for 60 s, and go first."""


class Runner(web.AppRunner):
    """Takes what `web.AppRunner` takes. Bodies are not decompressed: a few KiB can become as many MiB.

    A connection accepted in the very turn in which the stop begins is told to close before it has begun to wait for its
    first request, forgets it, and would hold up the stop for the whole shutdown timeout. Clients that poll or
    reconnect make that likely; so all connections are told once more when the application has shut down.

    And aiohttp waits for the whole shutdown timeout for handlers to finish, and once more for those it has cancelled;
    here it is the time in which everything is over, whatever clients do.
    """

    def __init__(self, app: web.Application, **options: Any) -> None:
        options = {
            "keepalive_timeout": IDLE_TIMEOUT_S,
            "auto_decompress": False,
            "read_bufsize": READ_AHEAD_BYTES,
            **options,
        }
        super().__init__(app, **options)

    async def _make_server(self) -> HttpServer:
        return HttpServer(await super()._make_server())

    async def cleanup(self) -> None:
        """Lets nobody in any more, says goodbye, and only then closes what is open: aiohttp would first close the idle
        connections, on which polling clients are about to ask."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._shutdown_timeout
        await self._stop_accepting()
        for site in list(self.sites):
            await site.stop()
        await say_goodbye(self.app)
        self._shutdown_timeout = max(0.0, until - loop.time()) * HANDLERS_PART
        await super().cleanup()

    async def _stop_accepting(self) -> None:
        """Connections that asyncio has accepted are lost, and not even closed, if their server is closed in that very
        turn: their clients would wait for ever. So nothing is accepted any more, and then those are waited for."""
        loop = asyncio.get_running_loop()
        for site in self.sites:
            for door in getattr(getattr(site, "_server", None), "sockets", ()):
                loop.remove_reader(door)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def shutdown(self) -> None:
        await super().shutdown()
        await asyncio.sleep(0)
        if self.server is not None:
            self.server.pre_shutdown()
