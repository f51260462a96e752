"""Three nodes behind nginx are restarted in turn, or killed, under load: no message is lost, none is there twice."""

import asyncio
import itertools
import json
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientError

from tests.clients.copy import Reader, everything
from tests.clients.people import Person
from tests.clients.wires import WIRES, Frame
from tests.cluster.cluster import Cluster
from tests.cluster.fixtures import StartCluster
from tests.cluster.node import Node
from tests.deploy.nginx import Nginx, nginx_before

pytestmark = pytest.mark.cluster

DRAIN_S = 1.5
STOPPED_S = 20
WRITERS = 3
READERS = 6
PAUSE_S = 0.3
MESSAGES_MAX = 1_500
AWAY_MAX_S = 15
"""How long a reader may be without a connection. On a quiet machine: 1.2 s, of which it was told to wait up to 1 s."""

BEHIND_S = 15
"""How long a node may take to know of everything that others did, on a busy machine."""


class Writer:
    """Posts messages through nginx, and repeats each with its `client_id` until it is acked."""

    def __init__(self, person: Person, chat_id: int) -> None:
        self.acked: list[Frame] = []
        self.failures: Counter[object] = Counter()
        self._person, self._chat_id = person, chat_id

    async def run(self, enough: asyncio.Event) -> None:
        for number in itertools.count():
            if enough.is_set():
                return
            await self._send(f"{self._person.username} {number}")
            await asyncio.sleep(PAUSE_S)

    async def _send(self, content: str) -> None:
        body = {"chat_id": self._chat_id, "content": content, "client_id": content}
        while True:
            try:
                status, answer = await self._person.request("POST", "/messages", json=body)
            except (ClientError, OSError, json.JSONDecodeError) as error:
                self.failures[type(error).__name__] += 1
            else:
                if status in (200, 201):
                    self.acked.append(answer)
                    return
                self.failures[status] += 1
            await asyncio.sleep(0.05)


class Follower:
    """Keeps a `Reader` connected, as clients do: a lost connection comes back after the time that it was told."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.endings: Counter[int | None] = Counter()
        self.away_s: list[float] = []
        self.refused = 0

    async def run(self) -> None:
        await self.reader.settle()
        while True:
            wire = self.reader.wire
            assert wire is not None
            await wire.over.wait()
            lost_at = time.monotonic()
            self.endings[wire.close_code] += 1
            self.reader.cut()
            await asyncio.sleep(_retry_s(wire.close_reason))
            while not await self.reader.catch_up():
                self.refused += self.reader.wire is None or self.reader.wire.over.is_set()
                await asyncio.sleep(0.2)
            self.away_s.append(time.monotonic() - lost_at)


def _retry_s(reason: str) -> float:
    try:
        return float(json.loads(reason)["retry_in_ms"]) / 1000
    except (ValueError, KeyError, TypeError):
        return random.uniform(0, 1)


@asynccontextmanager
async def under_load(
    cluster: Cluster, nginx: Nginx
) -> AsyncIterator[tuple[Sequence[Writer], Sequence[Follower]]]:
    """Writers and followers in one chat, through nginx; at the end the writers stop and the followers settle."""
    people = await cluster.people(*(f"writer{number}" for number in range(WRITERS)))
    reading = await cluster.person("reader")
    chat_id = await people[0].chat(*people[1:], reading)
    for person in (*people, reading):
        person.url = nginx.url
    writers = [Writer(person, chat_id) for person in people]
    kinds = itertools.cycle(WIRES)
    followers = [
        Follower(Reader(kind, reading, chat_id)) for kind, _ in zip(kinds, range(READERS), strict=False)
    ]
    following = [asyncio.create_task(follower.run()) for follower in followers]
    enough = asyncio.Event()
    writing = [asyncio.create_task(writer.run(enough)) for writer in writers]
    try:
        yield writers, followers
        enough.set()
        await asyncio.gather(*writing)
    finally:
        for task in (*writing, *following):
            task.cancel()
        results = await asyncio.gather(*following, return_exceptions=True)
    assert [str(result) for result in results if not isinstance(result, asyncio.CancelledError)] == []
    await check(reading, chat_id, writers, followers)


async def check(
    person: Person, chat_id: int, writers: Sequence[Writer], followers: Sequence[Follower]
) -> None:
    """Every acked message is stored once, as it was acked, and every reader has exactly what is stored."""
    acked = {str(message["content"]): message for writer in writers for message in writer.acked}
    stored, _ = await everything(person, chat_id)
    assert {message["content"]: message for message in stored.values()} == acked
    assert len(stored) == len(acked) == sum(len(writer.acked) for writer in writers) <= MESSAGES_MAX
    for follower in followers:
        async with asyncio.timeout(BEHIND_S):
            while follower.reader.copy.position < len(stored):
                await follower.reader.settle()
        assert follower.reader.broken is None, (
            follower.reader.kind,
            follower.endings,
            follower.reader.broken,
        )
        assert follower.reader.copy.messages == stored
        await follower.reader.close()


async def restart(node: Node) -> float:
    """Restarts a node as an operator does; how long it took to stop."""
    asked_at = time.monotonic()
    node.send_signal(signal.SIGTERM)
    assert await node.ended(STOPPED_S) == 0
    stopped_after_s = time.monotonic() - asked_at
    await node.start()
    await node.ready()
    return stopped_after_s


@asynccontextmanager
async def three_servers(
    start_cluster: StartCluster,
) -> AsyncIterator[tuple[Cluster, Sequence[Writer], Sequence[Follower]]]:
    """Three nodes behind nginx, under load."""
    cluster = await start_cluster(3, DRAIN_S=str(DRAIN_S), SHUTDOWN_TIMEOUT_S="15")
    addresses = [f"127.0.0.1:{node.port}" for node in cluster.nodes]
    async with (
        nginx_before(cluster.place / "nginx", *addresses) as nginx,
        under_load(cluster, nginx) as (writers, followers),
    ):
        await asyncio.sleep(1)
        yield cluster, writers, followers
    for node in cluster.nodes:
        assert "Traceback" not in node.log


async def test_three_nodes_are_restarted_in_turn(start_cluster: StartCluster) -> None:
    async with three_servers(start_cluster) as (cluster, writers, followers):
        for node in cluster.nodes:
            assert await restart(node) < STOPPED_S
            await asyncio.sleep(0.5)
    failures = sum((writer.failures for writer in writers), Counter())
    assert failures == {}, "nginx hands each call to a server that takes it"
    for follower in followers:
        # A poll that another node hands on to the owner of its session breaks off when that node stops.
        broken_off = {None} if follower.reader.kind == "polling" else set()
        assert follower.endings.keys() - broken_off <= {1001}, follower.reader.kind
        assert follower.refused == 0 or broken_off, follower.reader.kind
    assert max(s for follower in followers for s in follower.away_s) < AWAY_MAX_S


@pytest.mark.long
async def test_a_node_is_killed_and_comes_back(start_cluster: StartCluster) -> None:
    """A call that it had taken may fail; its repeat is the same message."""
    async with three_servers(start_cluster) as (cluster, writers, followers):
        for node in cluster.nodes[:2]:
            await node.kill()
            await asyncio.sleep(2)
            await node.start()
            await node.ready()
    assert any(follower.endings for follower in followers)
    assert sum(writer.failures.total() for writer in writers) <= 2 * WRITERS, "what was under way at a kill"
    assert max(s for follower in followers for s in follower.away_s) < AWAY_MAX_S
