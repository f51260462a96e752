"""Several nodes on one database: how late an event is on another node, what a delivery costs over two nodes, and how
long the clients of a killed node take to recover.

The database is that of `MONGODB_URL`, else FerretDB, which is slower than MongoDB in all that it does.
"""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from benchmarks import load_client
from benchmarks.bus import redis
from benchmarks.cases import Case, Timing
from benchmarks.machine import cpu_s
from benchmarks.node_clients import lags, recover
from benchmarks.runs import Figures
from benchmarks.targets import BUILD, ROOT, Server, free_port, running
from benchmarks.vestnik import add_chat, add_users, connections_of, seed_at, serving, token_of
from storage.ports import Store

LATENCY = {False: "from node to node without Redis", True: "from node to node with Redis"}
ROOM = Case("room of 1,000 on MongoDB, 50 messages a second", "latency", 1, 1000, 8)
RATE = 50.0
OVER_NODES = {1: f"{ROOM.name}, one node", 2: f"{ROOM.name}, two nodes"}
STORM = "recovery of the clients of a killed node"

STORM_NODES, STORM_CHATS = 3, 20


def is_possible() -> bool:
    """Whether there is a database, or Go to build one with, and Redis."""
    found = "MONGODB_URL" in os.environ or shutil.which("go") is not None
    return found and shutil.which("redis-server") is not None


@dataclass(frozen=True, slots=True)
class Nodes:
    """Running nodes: ports and process ids, in one order."""

    ports: Sequence[int]
    pids: Sequence[int]


@contextmanager
def database(directory: Path, *, beside_the_load: bool = True) -> Iterator[str]:
    """Runs FerretDB, unless `MONGODB_URL` names a server: on the core of the load or of the nodes. Yields the URL of
    an empty database."""
    name = f"vestnik_bench_{uuid4().hex[:16]}"
    url = os.environ.get("MONGODB_URL")
    if url is not None:
        yield f"{url}/{name}"
        return
    program, port = BUILD / "ferretdb", free_port()
    source = ROOT / "tests" / "ferretdb"
    subprocess.run(["go", "build", "-o", program, "."], cwd=source, check=True)  # noqa: S603, S607
    settings = {"DO_NOT_TRACK": "1", "FERRETDB_TELEMETRY": "disable"}
    command = [str(program), f"127.0.0.1:{port}", str(directory)]
    with running(command, port, directory, settings, beside_the_load=beside_the_load):
        yield f"mongodb://127.0.0.1:{port}/{name}"


@contextmanager
def nodes(directory: Path, count: int, url: str, redis_url: str | None) -> Iterator[Nodes]:
    """Runs nodes on one database."""
    settings = {"DATABASE_URL": url} | ({"REDIS_URL": redis_url} if redis_url else {})
    with ExitStack() as stack:
        found = []
        for number in range(count):
            place = directory / f"node{number}"
            place.mkdir()
            found.append(stack.enter_context(serving(place, **settings)))
        ports, pids = zip(*found, strict=True)
        yield Nodes(ports, pids)


@contextmanager
def _places(*names: str) -> Iterator[list[Path]]:
    """New folders with these names, and one for the nodes."""
    with tempfile.TemporaryDirectory(prefix="vestnik-bench-") as name:
        places = [Path(name) / each for each in (*names, "nodes")]
        for place in places:
            place.mkdir()
        yield places


def latency(messages: int, *, with_redis: bool) -> tuple[Figures, list[str]]:
    """Somebody on one node sends 50 messages a second. How long after the ack the event is on the other node."""
    with _places("database", "redis") as (db, bus, place), ExitStack() as stack:
        url = stack.enter_context(database(db))
        redis_url = stack.enter_context(redis(bus)) if with_redis else None
        ann, bob, chat_id = seed_at(url, _two)
        running_nodes = stack.enter_context(nodes(place, 2, url, redis_url))
        here, there = running_nodes.ports
        after_ack_s, wrong = asyncio.run(
            lags((here, token_of(ann)), (there, token_of(bob)), chat_id, messages)
        )
    ordered = sorted(after_ack_s)
    at = {"p50": ordered[len(ordered) // 2], "p99": ordered[int(0.99 * (len(ordered) - 1))]}
    return {f"lag_{point}_ms": lag_s * 1e3 for point, lag_s in at.items()}, wrong


async def _two(store: Store) -> tuple[int, int, int]:
    ann, bob = await add_users(store, 2)
    return ann, bob, await add_chat(store, "chat", [ann, bob])


def fan_out(client: Path, case: Case, timing: Timing, count: int) -> tuple[Figures, list[str]]:
    """The case over these many nodes, each with an equal share of the connections; with Redis if there are several. The
    load client takes a core of its own, as it polls at a fixed rate."""
    with _places("database", "redis") as (db, bus, place), ExitStack() as stack:
        url = stack.enter_context(database(db, beside_the_load=False))
        redis_url = stack.enter_context(redis(bus)) if count > 1 else None
        planned = seed_at(url, lambda store: connections_of(store, case))
        running_nodes = stack.enter_context(nodes(place, count, url, redis_url))
        ports = running_nodes.ports
        connections = [replace(each, port=ports[n % count]) for n, each in enumerate(planned)]
        server = Server(ports[0], running_nodes.pids, connections)
        return load_client.run(client, server, case, "raw", timing, RATE)


def storm(clients: int) -> tuple[Figures, list[str]]:
    """A third of the clients are on a node that is killed. They connect to the two others at once, and recover."""
    with _places("database", "redis") as (db, bus, place), ExitStack() as stack:
        url = stack.enter_context(database(db))
        redis_url = stack.enter_context(redis(bus))
        members = seed_at(url, lambda store: _crowd(store, clients))
        running_nodes = stack.enter_context(nodes(place, STORM_NODES, url, redis_url))
        living = running_nodes.pids[:-1]
        used_s = [0.0]

        def sample() -> None:
            used_s.append(cpu_s(living))

        took_s, wrong = asyncio.run(recover(running_nodes.ports, running_nodes.pids[-1], members, sample))
    ordered = sorted(took_s)
    return {
        "clients": len(ordered),
        "recovered_p50_s": ordered[len(ordered) // 2],
        "recovered_all_s": ordered[-1],
        "cpu_ms_per_client": (used_s[-1] - used_s[-2]) * 1e3 / len(ordered),
    }, wrong


async def _crowd(store: Store, clients: int) -> list[tuple[str, int]]:
    """The token and the chat of each client."""
    user_ids = await add_users(store, clients)
    members: list[tuple[str, int]] = []
    for number in range(STORM_CHATS):
        some = user_ids[number::STORM_CHATS]
        chat_id = await add_chat(store, f"chat {number}", some)
        members += [(token_of(user_id), chat_id) for user_id in some]
    return members
