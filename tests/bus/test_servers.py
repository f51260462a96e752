"""Servers on one database with a Redis between them: fast with it, and without it nothing is lost or doubled."""

import asyncio
from statistics import quantiles

import pytest

from tests.bus.talk import Talk
from tests.cluster.fixtures import StartCluster
from tests.cluster.waiting import until

pytestmark = pytest.mark.cluster


def p99_ms(talk: Talk) -> float:
    return quantiles(talk.late_s.values(), n=100)[98] * 1000


@pytest.mark.parametrize("redis", [True, False])
async def test_times(start_cluster: StartCluster, redis: bool) -> None:
    cluster = await start_cluster(2, redis=redis)
    talk = await Talk.begin(cluster)
    await talk.go_on(2)
    talk.acked_s.clear()
    await talk.go_on(8)
    await talk.complete()
    late = sorted(talk.late_s.values())
    print(redis, len(late), "p50", late[len(late) // 2] * 1000, "p99", p99_ms(talk), "max", late[-1] * 1000)
    for seq, value in sorted(talk.late_s.items()):
        if value > 0.05:
            print(seq, talk._sender[seq], round(talk.acked_s[seq] - min(talk.acked_s.values()), 2), round(value * 1000))
    for name, log in cluster.logs():
        print(name, log[-3000:])
    assert talk.failed == 0
