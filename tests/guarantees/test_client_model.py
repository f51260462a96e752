"""Clients of every kind are cut off at random moments while others send text and files, edit, delete, react, pin,
mention, read and search. In the end each has exactly what the server has, and so has a model that only heard the
events; and the files are those of the messages.

A failure prints the seed; `VESTNIK_MODEL_SEED` repeats it, as far as the timing does.
"""

import pytest

from handlers.live import recovery
from storage.sqlite import search_indexer, search_segments
from tests.clients.clock import ManualClock
from tests.clients.people import Person
from tests.cluster.fixtures import StartCluster
from tests.conftest import Serve, Server
from tests.guarantees.play import NAMES, PATIENCE_S, playing
from tests.guarantees.sent_files import QUOTA_BYTES
from tests.guarantees.verdict import check_stored

UNLIMITED = ("messages_per_s", "searches_per_s", "marks_per_s", "changes_per_s", "joins_per_s")


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes gaps and segments of the index frequent; other tests have the real numbers."""
    monkeypatch.setattr(recovery, "REPLAY_MESSAGES_MAX", 25)
    monkeypatch.setattr(search_segments, "SEGMENT_MESSAGES", 8)
    monkeypatch.setattr(search_indexer, "_REST_TIMES", 0)
    for store in ("sqlite", "mongo"):
        monkeypatch.setattr(f"storage.{store}.mentions.LOOK_BACK", 4)


async def started(serve: Serve) -> tuple[Server, dict[str, Person]]:
    server = await serve(
        clock=ManualClock(),
        **dict.fromkeys(UNLIMITED, 0),
        uploads_per_min=0,
        upload_quota_bytes=QUOTA_BYTES,
    )
    return server, {name: await server.person(name) for name in (*NAMES, "dan")}


async def play(serve: Serve, steps: int, patience_s: float = PATIENCE_S) -> None:
    """Plays on one server, and looks at what is stored before and after a restart."""
    server, people = await started(serve)
    async with playing([people], lambda: server.clock.advance(1), patience_s) as one:
        await one.run(steps)
    await check_stored(one.rooms, people, people["dan"])
    await one.check_files(people, server.chat_app.context.store.files)
    await server.restart()
    await check_stored(one.rooms, people, people["dan"])
    await one.check_files(people, server.chat_app.context.store.files)


@pytest.mark.usefixtures("_small")
async def test_all_that_clients_know_is_what_the_server_has(serve: Serve) -> None:
    await play(serve, 250)


@pytest.mark.long
@pytest.mark.stores("mongo")
@pytest.mark.usefixtures("_small")
async def test_the_same_on_mongodb(serve: Serve) -> None:
    await play(serve, 80)


@pytest.mark.long
@pytest.mark.stores
@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize("_round", range(20))
async def test_a_long_play(serve: Serve, store_name: str, _round: int) -> None:
    await play(serve, 1500 if store_name == "sqlite" else 250, 600)


async def lose_a_node(start_cluster: StartCluster, before: int, after: int, patience_s: float) -> None:
    """Plays on two nodes, of which one is killed after some steps; in the end both have the same."""
    cluster = await start_cluster(2, NODE_LEASE_S="8", UPLOAD_QUOTA_BYTES=str(QUOTA_BYTES))
    names = (*NAMES, "dan")
    people = dict(zip(names, await cluster.people(*names), strict=True))
    hosts = [{name: node.host(person) for name, person in people.items()} for node in cluster.nodes]
    async with playing(hosts, patience_s=patience_s) as one:
        await one.run(before)
        await one.lose(hosts[1], cluster.nodes[1].kill)
        await one.go_on(after)
    await cluster.nodes[1].start()
    for host in hosts:
        await check_stored(one.rooms, host, host["dan"])
        await one.check_files(host, (await cluster.mongo.open()).files)


@pytest.mark.long
@pytest.mark.cluster
async def test_one_of_two_nodes_is_killed(start_cluster: StartCluster) -> None:
    await lose_a_node(start_cluster, 80, 50, PATIENCE_S)


@pytest.mark.long
@pytest.mark.cluster
@pytest.mark.parametrize("_round", range(10))
async def test_one_of_two_nodes_is_killed_in_a_long_play(start_cluster: StartCluster, _round: int) -> None:
    await lose_a_node(start_cluster, 250, 120, 600)
