"""Nodes that know each other, as several on one database do, and a proxy before them that knows no sessions."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import pytest

from server.keys import SIO
from server.nodes.relay import RELAY, Relay
from tests.conftest import Serve, Server
from tests.engine.clocks import ManualClock
from tests.engine.conftest import LOOPS
from tests.nodes.relay.bare_nodes import BareNode
from tests.nodes.relay.leases import Leases
from tests.nodes.relay.round_robin import RoundRobin
from tests.socketio.conftest import node_process  # noqa: F401 -- a fixture
from tests.socketio.node import Node, NodeProcess, need_node


class Group:
    """Nodes `node1`, `node2`, …: each has a database of its own, so sessions open on the first."""

    def __init__(self, servers: list[Server], leases: Leases, proxy: RoundRobin) -> None:
        self.servers = servers
        self.leases = leases
        self.proxy = proxy

    @property
    def first(self) -> Server:
        return self.servers[0]

    @property
    def relays(self) -> list[Relay]:
        return [server.app[RELAY] for server in self.servers]

    @property
    def relayed(self) -> int:
        return sum(relay.relayed for relay in self.relays)

    def engine(self, number: int) -> Any:
        return self.servers[number].app[SIO].eio

    async def person(self, username: str) -> Any:
        """Somebody with an account on the first node, who reaches it through the proxy."""
        person = await self.first.person(username)
        person.url = self.proxy.url
        return person


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return LOOPS


StartGroup = Callable[..., Awaitable[Group]]
OpenProxy = Callable[..., Awaitable[RoundRobin]]


def join(servers: list[Server], leases: Leases) -> None:
    """Makes nodes that run know each other."""
    for number, server in enumerate(servers, 1):
        leases.add(f"node{number}", server.url)
        server.app[RELAY].open(leases.owners(f"node{number}"))


@pytest.fixture
async def open_proxy() -> AsyncIterator[OpenProxy]:
    """Opens proxies before nodes on these ports."""
    proxies: list[RoundRobin] = []

    async def open_proxy(*ports: int) -> RoundRobin:
        proxies.append(await RoundRobin.open(*ports))
        return proxies[-1]

    yield open_proxy
    for proxy in proxies:
        await proxy.close()


@pytest.fixture
async def start_group(serve: Serve, open_proxy: OpenProxy) -> StartGroup:
    """Starts a group: `await start_group(3, ping_interval_s=1)` takes settings as `serve` does."""

    async def start(count: int = 3, **settings: Any) -> Group:
        servers = [await serve(**settings) for _ in range(count)]
        leases = Leases()
        join(servers, leases)
        return Group(servers, leases, await open_proxy(*(server.port for server in servers)))

    return start


@pytest.fixture
async def group(start_group: StartGroup) -> Group:
    return await start_group()


StartNodes = Callable[..., Awaitable[list[BareNode]]]


@pytest.fixture
def leases() -> Leases:
    """Those of `start_nodes`."""
    return Leases()


@pytest.fixture
async def start_nodes(leases: Leases) -> AsyncIterator[StartNodes]:
    """Starts nodes that echo, `node1`, `node2`, …: `await start_nodes(2, clock=clock)` takes the engine's options."""
    nodes: list[BareNode] = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:

        async def start(count: int = 2, **options: Any) -> list[BareNode]:
            for _ in range(count):
                nodes.append(BareNode(f"node{len(nodes) + 1}", leases, http, **options))
                await nodes[-1].start()
            return nodes

        yield start
        for one in nodes:
            await one.stop()


@pytest.fixture
async def nodes(start_nodes: StartNodes) -> list[BareNode]:
    """Two of them."""
    return await start_nodes()


@pytest.fixture
def clock() -> ManualClock:
    """A clock for the engines, which the test turns."""
    return ManualClock()


@pytest.fixture
async def proxy(nodes: list[BareNode], open_proxy: OpenProxy) -> RoundRobin:
    """A proxy before `nodes`."""
    return await open_proxy(*(each.port for each in nodes))


@pytest.fixture
async def node(
    node_process: NodeProcess,  # noqa: F811 -- the fixture
    serve: Serve,
    start_nodes: StartNodes,
    open_proxy: OpenProxy,
) -> AsyncIterator[Node]:
    """Official clients; they are gone before the nodes and the proxies are."""
    need_node()
    async with Node(node_process) as node:
        yield node
