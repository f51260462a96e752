"""One node of a cluster."""

import signal
from copy import copy
from pathlib import Path

from aiohttp import ClientError, ClientSession

from tests.clients.people import Person
from tests.clients.program import Program
from tests.cluster.process import suspend
from tests.cluster.toxiproxy import Link
from tests.cluster.waiting import until


class Node(Program):
    """`python -m server` with a folder and a port of its own. `links` has its proxies by what is behind them:
    "database", "redis"."""

    def __init__(self, place: Path, http: ClientSession, links: dict[str, Link], **settings: str) -> None:
        super().__init__(place, http, **settings)
        self.links = links

    @property
    def name(self) -> str:
        return self.place.name

    @property
    def ws_url(self) -> str:
        return self.url.replace("http", "ws") + "/ws"

    def host(self, person: Person) -> Person:
        """The same person, with the same token, as a client of this node."""
        here = copy(person)
        here.url, here.ws_url, here.clients = self.url, self.ws_url, []
        return here

    def pause(self) -> None:
        """Suspends the process (SIGSTOP); its port and connections stay open."""
        suspend(self.pid)

    def resume(self) -> None:
        self.send_signal(signal.SIGCONT)

    async def is_ready(self) -> bool:
        """Whether `/health/ready` is 200 now."""
        try:
            async with self.http.get(f"{self.url}/health/ready") as answer:
                return answer.status == 200
        except (ClientError, OSError):
            return False

    async def is_unready(self) -> bool:
        return not await self.is_ready()

    async def ready(self, within_s: float = 20.0) -> None:
        await until(self.is_ready, within_s)
