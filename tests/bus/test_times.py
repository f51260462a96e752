"""How late clients of another node receive a message, with a bus and without: the 99th percentile of 50 a second."""

import sys
from statistics import quantiles

import pytest

from tests.bus.talk import Talk
from tests.cluster.fixtures import StartCluster

pytestmark = [pytest.mark.cluster, pytest.mark.long]

TRIES = 3
"""A busy machine is slow now and then: one good try of these is enough."""


@pytest.mark.parametrize(("redis", "p99_ms"), [(True, 50), (False, 1000)], ids=["with Redis", "without"])
async def test_a_message_reaches_another_node_in_time(
    start_cluster: StartCluster, redis: bool, p99_ms: float
) -> None:
    tries = []
    for _ in range(TRIES):
        cluster = await start_cluster(2, redis=redis)
        talk = await Talk.begin(cluster)
        await talk.go_on(2, per_s=50, senders=(0,))
        known = len(talk.acked_s)
        await talk.go_on(8, per_s=50, senders=(0,))
        await talk.complete(30)
        late_ms = [1000 * late for late in list(talk.late_s.values())[known:]]
        cuts = quantiles(late_ms, n=100)
        tries.append((round(cuts[49], 1), round(cuts[98], 1)))
        await cluster.close()
        if cuts[98] <= p99_ms:
            break
    sys.stdout.write(f"p50 and p99 in ms of each try: {tries}\n")
    assert tries[-1][1] <= p99_ms, tries
