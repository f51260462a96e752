"""The real server on a port of its own, with real clients."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
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
from server.keys import CHAT_APP, SIO
from server.runner import Runner
from tests.clients.client import Client
from tests.clients.documented import FAULTS
from tests.clients.people import Person
from tests.clients.ports import HeldPort
from tests.clients.raw import RawClient
from tests.clients.rest import RestClient
from tests.clients.wires import WIRES
from tests.cluster.fixtures import pytest_runtest_makereport, start_cluster  # noqa: F401 -- pytest finds them here
from tests.hangs import (  # noqa: F401 -- pytest finds them here
    pytest_runtest_call,
    pytest_runtest_setup,
    pytest_runtest_teardown,
)
from tests.storage.conftest import mongo_url  # noqa: F401 -- a fixture

STORES = ("sqlite", "mongo")

SECRET = "a secret key of the tests, long enough for HS512, which wants 64 bytes"

_MEMORY = Path("/dev/shm")
_MEMORY_BYTES_MIN = 2 << 30
"""What must be free there. Tests that pass leave nothing, so a run needs far less."""

_POLICY_FIELDS = {entry.name for entry in fields(Policy)}


class Server:
    """A server that can be stopped and started again on the same port and data."""

    def __init__(
        self,
        config: Config,
        clock: Clock | None = None,
        *,
        wire: str = "raw",
        send_buffer_bytes: int | None = None,
    ) -> None:
        """`wire`: what people connect over. `send_buffer_bytes`: how much the system buffers for a peer that does not
        read, in place of several MiB."""
        self.config = config
        self.wire = wire
        self._send_buffer_bytes = send_buffer_bytes
        self.clock: Any = clock
        self._held_port = HeldPort()
        self.http = ClientSession(connector=TCPConnector(limit=0), cookie_jar=DummyCookieJar())
        self._app: web.Application | None = None
        self._runner: Runner | None = None
        self._clients: list[Client] = []
        self._people: list[Person] = []

    @property
    def port(self) -> int:
        return self._held_port.number

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    @property
    def app(self) -> web.Application:
        assert self._app is not None, "it was never started"
        return self._app

    @property
    def chat_app(self) -> ChatApp:
        return self.app[CHAT_APP]

    async def start(self) -> None:
        listener = self._listener()
        self._app = create_app(replace(self.config, port=self.port), clock=self.clock)
        self._runner = Runner(self.app, access_log=None, shutdown_timeout=self.config.shutdown_timeout_s)
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()

    def _listener(self) -> socket.socket:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self._send_buffer_bytes is not None:  # the connections inherit it
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._send_buffer_bytes)
        listener.bind(("127.0.0.1", self.port))
        return listener

    async def stop(self) -> None:
        """Stops as SIGTERM does; does nothing if the server is stopped already."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def person(self, username: str, **more: Any) -> Person:
        """A new user, logged in."""
        person = Person(self.http, self.url, self.ws_url, username, self.wire)
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
        """A raw connection with any token, or none, whose first frame has not been read."""
        client = await RawClient.open(self.http, self.ws_url, token, **options)
        self._clients.append(client)
        return client

    async def close(self) -> None:
        """Ends the clients, then the server, which waits for no client that a test has left open."""
        for client in [*self._clients, *(client for person in self._people for client in person.clients)]:
            await client.close()
        await self.http.close()
        if self._runner is not None:
            engine = self.app[SIO].eio
            engine.close_timeout_s = 0
            await self.stop()
            for websocket in list(engine._websockets):
                websocket.transport.abort()
            await asyncio.sleep(0)  # in which the transports close


Serve = Callable[..., Awaitable[Server]]


@asynccontextmanager
async def serving(folder: Path, mongo: str | None = None, wire: str = "raw") -> AsyncIterator[Serve]:
    """Yields the function behind the fixture `serve`. Its servers keep their data in the folder, or in the MongoDB at
    this URL, and people connect over this wire."""
    servers: list[Server] = []

    async def start(
        clock: Clock | None = None, send_buffer_bytes: int | None = None, **settings: Any
    ) -> Server:
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
        server = Server(Config(**settings), clock, wire=wire, send_buffer_bytes=send_buffer_bytes)
        servers.append(server)
        await server.start()
        return server

    yield start
    for server in servers:
        await server.close()


@pytest.fixture
def wire_name() -> str:
    """What people connect over; see the marker `wires`."""
    return "raw"


@pytest.fixture
async def serve(
    store_name: str, wire_name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Serve]:
    """Starts servers: `await serve(clock=ManualClock(), messages_per_s=0)` takes settings of Config and Policy."""
    mongo = request.getfixturevalue("mongo_url") if store_name == "mongo" else None
    async with serving(tmp_path, mongo, wire_name) as start:
        yield start


@pytest.fixture
async def server(serve: Serve) -> Server:
    """A server with the default settings."""
    return await serve()


def pytest_configure() -> None:
    """Keeps the files of the tests in memory where there is room, unless `PYTEST_DEBUG_TEMPROOT` names a place.

    A new database waits for the disk for most of the time that it takes. What a killed process wrote is there
    afterwards as it is on a disk.
    """
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _MEMORY_BYTES_MIN:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[None]:
    """Fails a test in which the server said something that its documents do not have, but with the marker
    `undocumented`."""
    FAULTS.clear()
    result = yield
    assert FAULTS == [] or pyfuncitem.get_closest_marker("undocumented")
    return result


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--stores",
        choices=("sqlite", "chosen", "all"),
        default="chosen",
        help="on which stores tests of the whole server run: on SQLite alone; on MongoDB too where the test asks for "
        "it (the default); on MongoDB too unless the test asks for SQLite alone",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Gives `store_name` the values that `--stores` and the marker `stores` name, and `wire_name` those of `wires`."""
    if "store_name" not in metafunc.fixturenames:
        return
    whole = metafunc.config.getoption("--stores") == "all"
    stores = _marked(metafunc, "stores", STORES) or (STORES if whole else STORES[:1])
    wires = _marked(metafunc, "wires", tuple(WIRES))
    if not wires:
        metafunc.parametrize("store_name", stores)
        return
    # Stores and wires do not depend on each other: one wire is enough for the second store.
    pairs = [
        (store, wire) for store in stores for wire in wires if whole or store == stores[0] or wire == wires[0]
    ]
    metafunc.parametrize(("store_name", "wire_name"), pairs)


def _marked(metafunc: pytest.Metafunc, name: str, every: Sequence[str]) -> Sequence[str]:
    """The arguments of the marker, `every` if it has none; empty without the marker."""
    marker = metafunc.definition.get_closest_marker(name)
    return () if marker is None else marker.args or every


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked `long_on_mongo` are long on MongoDB. With `--stores=sqlite`, those that need one are deselected."""
    for item in items:
        if item.get_closest_marker("long_on_mongo") and _is_on_mongo(item):
            item.add_marker("long")
    if config.getoption("--stores") == "sqlite":
        left_out = [item for item in items if _needs_mongo(item)]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def _needs_mongo(item: pytest.Item) -> bool:
    fixtures: list[str] = getattr(item, "fixturenames", [])
    return _is_on_mongo(item) or bool({"mongo_url", "own_server", "start_cluster"}.intersection(fixtures))


def _is_on_mongo(item: pytest.Item) -> bool:
    given = getattr(item, "callspec", None)
    return given is not None and "mongo" in given.params.values()
