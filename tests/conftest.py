"""The real server on a port of its own, with real clients."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import ClientSession, DummyCookieJar, TCPConnector, web

from handlers.chat_app import ChatApp
from handlers.live.clock import Clock
from handlers.policy import Policy
from server.app import create_app
from server.config import Config
from server.keys import CHAT_APP
from server.runner import Runner
from tests.clients.people import Person
from tests.clients.raw import RawClient
from tests.clients.rest import RestClient
from tests.storage.conftest import mongo_url  # noqa: F401 -- a fixture

SECRET = "a secret key of the tests, long enough for HS512, which wants 64 bytes"

_POLICY_FIELDS = {entry.name for entry in fields(Policy)}


class Server:
    """A server that can be stopped and started again on the same port and data."""

    def __init__(self, config: Config, clock: Clock | None) -> None:
        self.config = config
        self.clock: Any = clock
        self.port = 0
        self.http = ClientSession(connector=TCPConnector(limit=0), cookie_jar=DummyCookieJar())
        self.app: web.Application | None = None
        self._runner: Runner | None = None
        self._clients: list[RawClient] = []
        self._people: list[Person] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    @property
    def chat_app(self) -> ChatApp:
        assert self.app is not None
        return self.app[CHAT_APP]

    async def start(self) -> None:
        self.app = create_app(self.config, clock=self.clock)
        self._runner = Runner(self.app, access_log=None, shutdown_timeout=self.config.shutdown_timeout_s)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """As SIGTERM does; nothing happens if it is stopped."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def person(self, username: str, **more: Any) -> Person:
        """A new user, logged in."""
        person = Person(self.http, self.url, self.ws_url, username)
        self._people.append(person)
        person.id = (await person.register(username, **more))["id"]
        await person.login(username)
        return person

    async def people(self, *usernames: str) -> list[Person]:
        return [await self.person(username) for username in usernames]

    def stranger(self) -> RestClient:
        """A REST client without a token."""
        return RestClient(self.http, self.url)

    async def open(self, token: str | None = None, **options: Any) -> RawClient:
        """A raw connection with any token, or none; nothing of what it was told is read yet."""
        client = await RawClient.open(self.http, self.ws_url, token, **options)
        self._clients.append(client)
        return client

    async def close(self) -> None:
        """Ends the clients, then the server."""
        for client in [*self._clients, *(client for person in self._people for client in person.clients)]:
            await client.close()
        await self.stop()
        await self.http.close()


Serve = Callable[..., Awaitable[Server]]


@asynccontextmanager
async def serving(folder: Path, mongo: str | None = None) -> AsyncIterator[Serve]:
    """What the fixture `serve` gives: servers with their data in the folder, or in the MongoDB at this URL."""
    servers: list[Server] = []

    async def start(clock: Clock | None = None, **settings: Any) -> Server:
        policy = replace(
            Policy(), **{name: settings.pop(name) for name in _POLICY_FIELDS.intersection(settings)}
        )
        data_dir = folder / f"data{len(servers)}"
        data_dir.mkdir()
        settings = {
            "secret_key": SECRET,
            "data_dir": data_dir,
            "bcrypt_cost": 4,
            "policy": policy,
            **settings,
        }
        if mongo:
            settings.setdefault("database_url", f"{mongo}/vestnik_test_{uuid4().hex[:16]}")
        server = Server(Config(**settings), clock)
        servers.append(server)
        await server.start()
        return server

    yield start
    for server in servers:
        await server.close()


@pytest.fixture(params=["sqlite", "mongo"])
async def serve(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Serve]:
    """Starts servers: `await serve(clock=ManualClock(), messages_per_s=0)` takes settings of Config and Policy."""
    mongo = request.getfixturevalue("mongo_url") if request.param == "mongo" else None
    async with serving(tmp_path, mongo) as start:
        yield start


@pytest.fixture
async def server(serve: Serve) -> Server:
    """A server with the default settings."""
    return await serve()
