"""`METRICS_PORT`: a port of its own for metrics, open to programs of this machine alone."""

import socket

from aiohttp import web

from server.http_counts import HttpCounts
from server.keys import HTTP_COUNTS
from server.metrics.route import EXPOSITION, metrics
from server.middlewares import answer_errors, send_in_time
from server.runner import Runner
from server.start_error import StartError

HOST = "127.0.0.1"
BACKLOG = 16

STOP_S = 0.1
"""How long the stop waits for a scrape; the store is closed by then."""


class MetricsListener:
    """Serves `/metrics` and nothing else, without a token."""

    def __init__(self, port: int) -> None:
        """Takes the port. Raises: `StartError`."""
        self._runner: Runner | None = None
        self._socket = socket.socket()
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((HOST, port))
            self._socket.listen(BACKLOG)  # only a listening socket makes a second bind fail
        except OSError as error:
            self._socket.close()
            raise StartError(f"METRICS_PORT: cannot listen on {HOST}:{port}: {error.strerror}") from None

    async def start(self, served: web.Application) -> None:
        """Answers from now on with the metrics of this application."""
        app = web.Application(middlewares=[send_in_time, answer_errors])
        app[EXPOSITION] = served[EXPOSITION]
        app[HTTP_COUNTS] = HttpCounts()  # what is asked here says nothing of the chat
        app.router.add_get("/metrics", metrics)
        self._runner = Runner(app, access_log=None, shutdown_timeout=STOP_S)
        await self._runner.setup()
        await web.SockSite(self._runner, self._socket, backlog=BACKLOG).start()

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        self._socket.close()
