"""What happens to the processes of a cluster while clients use it."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from tests.cluster.cluster import Cluster

Fault = Callable[[Cluster, random.Random], Awaitable[None]]


async def kill_node(cluster: Cluster, script: random.Random) -> None:
    node = script.choice(cluster.nodes)
    await node.kill()
    await asyncio.sleep(script.uniform(0, 1.5))
    await node.start()


async def stop_node(cluster: Cluster, script: random.Random) -> None:
    node = script.choice(cluster.nodes)
    await node.stop()
    await node.start()


async def pause_node(cluster: Cluster, script: random.Random) -> None:
    """For so short that others wait for it, or for so long that they take it for dead."""
    node = script.choice(cluster.nodes)
    node.pause()
    await asyncio.sleep(script.choice((script.uniform(0.1, 1.5), script.uniform(2, 5))))
    node.resume()


async def kill_database(cluster: Cluster, script: random.Random) -> None:
    assert cluster.database is not None
    cluster.database.kill()
    await asyncio.sleep(script.uniform(0, 1.5))
    await asyncio.to_thread(cluster.database.start)


async def cut_database(cluster: Cluster, script: random.Random) -> None:
    """One node loses its connections to the database."""
    link = script.choice(cluster.nodes).links["database"]
    await link.cut()
    await asyncio.sleep(script.uniform(0, 3))
    await link.mend()


async def silence_database(cluster: Cluster, script: random.Random) -> None:
    """One node hears nothing from the database, over connections that stay open."""
    link = script.choice(cluster.nodes).links["database"]
    await link.silence()
    await asyncio.sleep(script.uniform(0.2, 3))
    await link.cut()
    await link.mend()


async def slow_database(cluster: Cluster, script: random.Random) -> None:
    link = script.choice(cluster.nodes).links["database"]
    await link.slow(script.randrange(20, 200), script.randrange(0, 20))
    await asyncio.sleep(script.uniform(0.5, 3))
    await link.mend()


async def kill_redis(cluster: Cluster, script: random.Random) -> None:
    assert cluster.redis is not None
    await cluster.redis.kill()
    await asyncio.sleep(script.uniform(0, 2))
    await cluster.redis.start()


async def pause_redis(cluster: Cluster, script: random.Random) -> None:
    assert cluster.redis is not None
    cluster.redis.pause()
    await asyncio.sleep(script.uniform(0.2, 3))
    cluster.redis.resume()


async def cut_subscribers(cluster: Cluster, script: random.Random) -> None:
    """Redis drops all subscribers, as it does those that lag."""
    assert cluster.redis is not None
    await cluster.redis.run("CLIENT", "KILL", "TYPE", "pubsub")


async def silence_redis(cluster: Cluster, script: random.Random) -> None:
    """One node hears nothing from Redis, over connections that stay open."""
    link = script.choice(cluster.nodes).links["redis"]
    await link.silence()
    await asyncio.sleep(script.uniform(0.2, 4))
    await link.mend()


NODE_FAULTS: Sequence[Fault] = (kill_node, stop_node, pause_node)
DATABASE_FAULTS: Sequence[Fault] = (kill_database, cut_database, silence_database, slow_database)
REDIS_FAULTS: Sequence[Fault] = (kill_redis, pause_redis, cut_subscribers, silence_redis)


@dataclass(frozen=True)
class Planned:
    """A fault that begins after a pause, with a script of its own, so that a seed says all of it."""

    fault: Fault
    after_s: float
    seed: str

    async def happen(self, cluster: Cluster) -> None:
        await asyncio.sleep(self.after_s)
        await self.fault(cluster, random.Random(self.seed))

    def __str__(self) -> str:
        return f"{self.fault.__name__} ({self.seed})"


def plan(seed: str, count: int, faults: Sequence[Fault]) -> Iterator[Planned]:
    """These many faults: each kind as often as the others, in an order that the seed gives."""
    script = random.Random(seed)
    kinds: list[Fault] = []
    for number in range(count):
        kinds = kinds or script.sample(faults, len(faults))
        yield Planned(kinds.pop(), script.uniform(0.1, 0.8), f"{seed} {number}")
