"""The fixture `start_cluster`, and the logs of its processes in the report of a test that failed."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, DummyCookieJar, TCPConnector

from tests.cluster.cluster import Cluster
from tests.storage.conftest import MongoPlace, new_server

StartCluster = Callable[..., Awaitable[Cluster]]

LOG_LINES_MAX = 100
"""How much of each log a report has: its end."""

_CLUSTERS = pytest.StashKey[list[Cluster]]()


@pytest.fixture
async def start_cluster(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[StartCluster]:
    """Starts nodes on one database: `await start_cluster(3, redis=True, NODE_LEASE_S="10")`.

    `redis`, `toxiproxy`, `front`: see `Cluster`. `own_database`: a server that the test may kill. `together`: also
    the first two nodes start at the same moment. `seed`: of random faults. Settings are environment variables of all
    nodes.
    """
    assert request.node.get_closest_marker("cluster"), "such a test needs the marker `cluster`"
    if sys.platform == "win32":
        pytest.skip("has no signals to end a server with")
    clusters = request.node.stash.setdefault(_CLUSTERS, [])
    async with ClientSession(connector=TCPConnector(limit=0), cookie_jar=DummyCookieJar()) as http:

        async def start(
            nodes: int = 2,
            *,
            redis: bool = False,
            toxiproxy: bool = False,
            front: bool = False,
            own_database: bool = False,
            together: bool = False,
            seed: int = 1,
            **settings: str,
        ) -> Cluster:
            place = tmp_path / f"cluster{len(clusters)}"
            database = new_server(place / "database") if own_database else None
            if database is not None:
                await asyncio.to_thread(database.start)
            url = database.url if database else request.getfixturevalue("mongo_url")
            clusters.append(Cluster(place, http, MongoPlace(url), database, **settings))
            await clusters[-1].start(
                nodes, redis=redis, toxiproxy=toxiproxy, front=front, together=together, seed=seed
            )
            return clusters[-1]

        yield start
        for cluster in clusters:
            await cluster.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Adds the logs to the report of a failed test."""
    report = yield
    if report.failed:  # type: ignore[attr-defined]
        for cluster in item.stash.get(_CLUSTERS, []):
            for name, log in cluster.logs():
                end = "\n".join(log.splitlines()[-LOG_LINES_MAX:])
                report.sections.append((f"log of {name}", end))  # type: ignore[attr-defined]
    return report
