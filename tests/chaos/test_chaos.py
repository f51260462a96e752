"""Nodes, Redis, the database and the network fail at random while clients write, read and change nodes. In the end
every acked change is in the log once, no client has missed or seen twice a number, and all have the same state."""

import os
import sys
from collections.abc import Sequence

import pytest

from tests.chaos.faults import (
    DATABASE_FAULTS,
    NODE_FAULTS,
    REDIS_FAULTS,
    Fault,
    kill_database,
    kill_node,
    kill_redis,
    pause_node,
    plan,
)
from tests.chaos.run import Chaos
from tests.cluster.fixtures import StartCluster

pytestmark = pytest.mark.cluster

SETTINGS = {"NODE_LEASE_S": "8", "SHUTDOWN_TIMEOUT_S": "5"}


async def endure(
    start_cluster: StartCluster, seed: str, faults: Sequence[Fault], count: int, messages_max: int
) -> None:
    """Runs three nodes through these many faults."""
    real = "MONGODB_URL" in os.environ  # a server that this test may not kill
    faults = [fault for fault in faults if not (real and fault is kill_database)]
    planned = list(plan(seed, count, faults))
    sys.stdout.write(f"seed {seed}: {', '.join(map(str, planned))}\n")
    cluster = await start_cluster(3, redis=True, toxiproxy=True, own_database=not real, **SETTINGS)
    chaos = Chaos(cluster, seed)
    await chaos.run(planned, messages_max)
    await chaos.settle()
    behind = await chaos.check()
    assert not (real and behind), behind
    sys.stdout.write(f"seed {seed}: {chaos.summary()}, {len(behind)} documents of FerretDB behind the log\n")


@pytest.mark.long
async def test_faults_of_each_kind_in_a_row(start_cluster: StartCluster) -> None:
    await endure(start_cluster, "short", [kill_node, pause_node, kill_database, kill_redis], 4, 40)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
async def test_many_faults(start_cluster: StartCluster, seed: int) -> None:
    await endure(start_cluster, str(seed), [*NODE_FAULTS, *DATABASE_FAULTS, *REDIS_FAULTS], 33, 300)
