"""The metrics as text, in the format that Prometheus reads."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from server.engine import AsyncServer
from server.engine.links import unsent_bytes
from server.metrics.chat_families import CONNECTIONS, STORE, TRAFFIC
from server.metrics.families import Family
from server.metrics.file_families import FILES
from server.metrics.hook_families import HOOKS
from server.metrics.incoming_families import INCOMING
from server.metrics.node_families import BUS, NODES, RELAY
from server.metrics.server_families import SERVER
from server.metrics.sources import Sources

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

FAMILIES: tuple[Family, ...] = (
    *SERVER,
    *CONNECTIONS,
    *TRAFFIC,
    *FILES,
    *INCOMING,
    *HOOKS,
    *STORE,
    *NODES,
    *RELAY,
    *BUS,
)

LINKS_PER_TURN = 1000
"""How many connections are asked what waits for them in one turn of the loop; 1,000 take 0.1 ms."""


class Exposition:
    """Makes the text. Callers that come while it is being made get the same text."""

    def __init__(self, sio: AsyncServer, sources: Callable[[int], Sources]) -> None:
        """`sources` is called with the bytes that wait unsent."""
        self._sio = sio
        self._sources = sources
        self._making: asyncio.Task[bytes] | None = None
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)
        PlatformCollector(registry=self._process)
        GCCollector(registry=self._process)

    async def text(self) -> bytes:
        if self._making is None:
            self._making = asyncio.create_task(self._make())
            self._making.add_done_callback(self._made)
        return await asyncio.shield(self._making)

    def _made(self, _making: object) -> None:
        self._making = None

    async def _make(self) -> bytes:
        # In a thread: the system lists each open file, which takes milliseconds with 10,000 connections.
        process = await asyncio.to_thread(generate_latest, self._process)
        sources = self._sources(await _unsent_bytes(self._sio))
        return generate_latest(_Made([family.metric(sources) for family in FAMILIES])) + process


async def _unsent_bytes(sio: AsyncServer) -> int:
    links = list(sio.eio.sockets.values())
    total = 0
    for start in range(0, len(links), LINKS_PER_TURN):
        total += sum(map(unsent_bytes, links[start : start + LINKS_PER_TURN]))
        await asyncio.sleep(0)
    return total


class _Made(Collector):
    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics
