"""Three nodes on one MongoDB are killed while clients write and read at all of them: each chat is one log, and each
message and read mark a register, whichever node a client asks. Pages are no snapshots here: each message of a page
counts as a read of its own.

FerretDB does not update a document in one step, so what its pages show proves nothing.
"""

import asyncio
import os
import sys

import pytest

from tests.cluster.fixtures import StartCluster
from tests.cluster.node import Node
from tests.linearizability.clients import Places
from tests.linearizability.history import History, lines
from tests.linearizability.runs import Disturb, assert_linearizable, record

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(
        "MONGODB_URL" not in os.environ, reason="not run: needs a real MongoDB in MONGODB_URL"
    ),
]

CLIENTS = 12
CHATS = 8
OPERATIONS = 1500
DOWN_S = 0.5


def kill_and_start(node: Node) -> Disturb:
    """Kills one of several nodes, and starts it again while its clients ask in vain."""

    async def disturb(_places: Places, _history: History) -> None:
        await node.kill()
        await asyncio.sleep(DOWN_S)
        await node.start()

    return disturb


@pytest.mark.parametrize("seed", ["short", *(pytest.param(n, marks=pytest.mark.long) for n in range(4))])
async def test_a_chat_is_linearizable_over_three_nodes(start_cluster: StartCluster, seed: object) -> None:
    cluster = await start_cluster(3)
    people = await cluster.people(*(f"user{n}" for n in range(CLIENTS)))
    hosted = [cluster.nodes[n % 3].host(person) for n, person in enumerate(people)]
    kills = [kill_and_start(node) for node in cluster.nodes]
    run = await record(hosted, CHATS, OPERATIONS, kills, seed)
    history = list(lines(run.history, run.finals, snapshots=False))
    counts = await assert_linearizable(history, cluster.place / "history.json")
    sys.stdout.write(f"seed {seed}: {dict(counts)}\n")
    assert counts["log"] > OPERATIONS / 2
