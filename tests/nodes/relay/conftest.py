"""Servers that know each other, as several on one database do, and a proxy before them that knows no sessions."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import pytest

from server.keys import SIO
from server.nodes.relay import RELAY, Relay
from server.nodes.relay_owners import Owners
from storage.node_ports import Lease
from tests.conftest import Serve, Server
from tests.nodes.relay.round_robin import RoundRobin
from tests.socketio.conftest import node, node_process  # noqa: F401 -- fixtures


class Leases:
    """The leases of all servers of a test. `seen` are those that each server knows of without a new look."""

    def __init__(self) -> None:
        self.by_name: dict[str, Lease] = {}
        self.seen: dict[str, Lease] = {}
        self.looks = 0

    def add(self, name: str, url: str) -> None:
        self.by_name[name] = self.seen[name] = Lease(name, url, 1, "", 1, ended=False)

    def drop(self, name: str) -> None:
        """The server is no longer alive, and everybody knows."""
        del self.by_name[name], self.seen[name]

    def owners(self, name: str) -> Owners:
        async def look() -> None:
            self.looks += 1
            self.seen = dict(self.by_name)

        def others() -> Mapping[str, Lease]:
            return {other: lease for other, lease in self.seen.items() if other != name}

        return Owners(name, others, look)


class Cluster:
    """Servers `node1`, `node2`, …: each has a database of its own, so sessions open on the first."""

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
        """Somebody with an account on the first server, who reaches it through the proxy."""
        person = await self.first.person(username)
        person.url = self.proxy.url
        return person


StartCluster = Callable[..., Awaitable[Cluster]]


def join(servers: list[Server], leases: Leases) -> None:
    """Makes servers that run know each other."""
    for number, server in enumerate(servers, 1):
        leases.add(f"node{number}", server.url)
        server.app[RELAY].open(leases.owners(f"node{number}"))


@pytest.fixture
async def start_cluster(serve: Serve) -> AsyncIterator[StartCluster]:
    """Starts a cluster: `await start_cluster(3, ping_interval_s=1)` takes settings as `serve` does."""
    proxies: list[RoundRobin] = []

    async def start(count: int = 3, **settings: Any) -> Cluster:
        servers = [await serve(**settings) for _ in range(count)]
        leases = Leases()
        join(servers, leases)
        proxies.append(await RoundRobin.open(*(server.port for server in servers)))
        return Cluster(servers, leases, proxies[-1])

    yield start
    for proxy in proxies:
        await proxy.close()


@pytest.fixture
async def cluster(start_cluster: StartCluster) -> Cluster:
    return await start_cluster()
