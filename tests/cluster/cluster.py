"""Several nodes, each a process of its own, on one database."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientSession

from tests.clients.people import Person
from tests.cluster.front import Front
from tests.cluster.node import Node
from tests.cluster.process import Process
from tests.cluster.redis import Redis
from tests.cluster.toxiproxy import Link, Toxiproxy
from tests.storage.conftest import MongoPlace
from tests.storage.mongo.server import Server as Database

SECRET_KEY = "the secret key of all nodes of a test, 32 bytes or more"


class Cluster:
    """`nodes` are numbered from 0. What is not asked for is None.

    `database` is a server of this cluster's own, `redis` what the nodes get as `REDIS_URL`, `toxiproxy` stands
    between each node and what it uses (`node.links`), `front` is nginx before all nodes.
    """

    def __init__(
        self, place: Path, http: ClientSession, mongo: MongoPlace, database: Database | None, **settings: str
    ) -> None:
        self.place, self.http, self.mongo, self.database = place, http, mongo, database
        self.nodes: list[Node] = []
        self.redis: Redis | None = None
        self.toxiproxy: Toxiproxy | None = None
        self.front: Front | None = None
        self._settings = {
            "SECRET_KEY": SECRET_KEY,
            "RATE_LIMITS": "off",
            "TRUSTED_PROXIES": "127.0.0.1",
            **settings,
        }
        self._people: list[Person] = []

    async def start(
        self, nodes: int, *, redis: bool, toxiproxy: bool, front: bool, together: bool, seed: int
    ) -> None:
        if redis:
            self.redis = Redis(self.place / "redis")
            await self.redis.start()
        if toxiproxy:
            self.toxiproxy = Toxiproxy(self.place / "toxiproxy", self.http, seed)
            await self.toxiproxy.start()
        prepared = [await self.prepare() for _ in range(nodes)]
        first = [] if together else prepared[:1]
        for node in first:
            await node.start()
        await asyncio.gather(*(node.start() for node in prepared if node not in first))
        if front:  # it learns the ports when the nodes have them
            self.front = Front(self.place / "front", [node.port for node in self.nodes])
            await self.front.start()

    async def prepare(self, **settings: str) -> Node:
        """One more node, with settings of its own, which has not been started yet."""
        name = f"node{len(self.nodes)}"
        place = self.place / name
        place.mkdir(parents=True)
        links: dict[str, Link] = {}
        stores = {"DATABASE_URL": self.mongo.url}
        if self.redis is not None:
            stores["REDIS_URL"] = self.redis.url
        if self.toxiproxy is not None:
            for what, variable in (("database", "DATABASE_URL"), ("redis", "REDIS_URL")):
                if variable in stores:
                    links[what], stores[variable] = await self._proxied(f"{name}_{what}", stores[variable])
        node = Node(place, self.http, links, **{**self._settings, **stores, **settings})
        self.nodes.append(node)
        return node

    async def add(self, **settings: str) -> Node:
        """Starts one more node, with settings of its own."""
        node = await self.prepare(**settings)
        await node.start()
        return node

    async def _proxied(self, name: str, url: str) -> tuple[Link, str]:
        """A proxy in front of the server of a URL on this machine, and the URL that leads through it."""
        assert self.toxiproxy is not None
        parts = urlsplit(url)
        assert parts.port is not None, f"toxiproxy needs the port of {parts.hostname}"
        link = await self.toxiproxy.link(name, parts.port)
        return link, parts._replace(netloc=f"127.0.0.1:{link.port}").geturl()

    async def person(self, username: str, node: Node | None = None, **more: Any) -> Person:
        """A new user, registered and logged in at a node, the first if none is given."""
        at = node or self.nodes[0]
        person = at.stranger(username)
        person.id = (await person.register(username, **more))["id"]
        await person.login(username)
        self._people.append(person)
        return person

    async def people(self, *usernames: str) -> list[Person]:
        return [await self.person(username) for username in usernames]

    def through_front(self, person: Person) -> Person:
        """The same person, as a client of nginx."""
        assert self.front is not None
        here = self.nodes[0].host(person)
        here.url, here.ws_url = self.front.url, self.front.url.replace("http", "ws") + "/ws"
        return here

    def logs(self) -> Iterator[tuple[str, str]]:
        """The log of each process, with its name."""
        for node in self.nodes:
            if (node.place / "log").exists():
                yield node.name, node.log
        for process in self._helpers():
            yield process.name, process.log

    async def close(self) -> None:
        """Kills all processes, those that are suspended as well, and drops the database."""
        for node in self.nodes:
            await node.close()
        for process in self._helpers():
            await process.kill()
        if self.database is None:
            await self.mongo.drop()
        else:
            self.database.kill()

    def _helpers(self) -> Sequence[Process]:
        return [process for process in (self.front, self.toxiproxy, self.redis) if process is not None]
