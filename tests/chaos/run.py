"""One run of chaos: clients, faults, and what has to be true in the end."""

import asyncio
import random
from collections.abc import Sequence

from storage.mongo.log import Row
from tests.chaos.crowd import Roamer, RoamingReader, Writer
from tests.chaos.faults import Planned
from tests.chaos.log import connected, repair, rows_of, stored
from tests.clients.copy import everything
from tests.clients.people import Person
from tests.clients.wires import Frame
from tests.cluster.cluster import Cluster
from tests.guarantees.ledger import Ledger

WRITERS = ("rest", "raw", "socketio", "polling")
READERS = ("raw", "socketio", "polling")
CHATS = 2
SETTLE_S = 60
TRACEBACK = "Traceback (most recent call last)"
TRACEBACK_CHARS = 4000


class Chaos:
    """`ledgers` has what was acked in each chat, `readers` the clients that follow one each."""

    def __init__(self, cluster: Cluster, seed: str) -> None:
        self.cluster, self._seed = cluster, seed
        self.ledgers: dict[int, Ledger] = {}
        self.readers: list[RoamingReader] = []
        self._ann: Person | None = None

    async def run(self, faults: Sequence[Planned], messages_max: int) -> None:
        """Lets clients work through the faults; each writer sends at most `messages_max` messages."""
        nodes = self.cluster.nodes
        ann, rae, *writing = await self.cluster.people("ann", "rae", *(f"{kind}.writer" for kind in WRITERS))
        self._ann = ann
        for number in range(CHATS):
            self.ledgers[await ann.chat(rae, *writing, name=f"chat {number}")] = Ledger()
        self.readers = [
            RoamingReader(kind, rae, chat_id, nodes, self._script(f"reader {kind} {chat_id}"))
            for kind in READERS
            for chat_id in self.ledgers
        ]
        ended = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for kind, person in zip(WRITERS, writing, strict=True):
                script = self._script(f"writer {kind}")
                writer = Writer(Roamer(kind, person, nodes, script), self.ledgers, script)
                group.create_task(writer.run(ended, messages_max))
            for reader in self.readers:
                group.create_task(reader.run(ended))
            for fault in faults:
                await fault.happen(self.cluster)
            ended.set()

    async def settle(self) -> None:
        """Returns when all nodes are ready and all readers have caught up."""
        async with asyncio.timeout(SETTLE_S):
            await asyncio.gather(*(node.ready(SETTLE_S) for node in self.cluster.nodes))
            await asyncio.gather(*(reader.follow() for reader in self.readers))

    async def check(self) -> set[int]:
        """Asserts what has to be true, with all nodes stopped and then with all of them started again. Returns the
        messages whose documents were behind the log, as FerretDB leaves them."""
        for reader in self.readers:
            if reader.broken is not None:
                raise reader.broken
            reader.cut()
        for node in self.cluster.nodes:
            assert await node.stop() == 0
            _, found, rest = node.log.partition(TRACEBACK)
            assert not found, (node.name, rest[:TRACEBACK_CHARS])
        database = await connected(self.cluster.mongo.url)
        logs = {chat_id: await rows_of(database, chat_id) for chat_id in self.ledgers}
        behind = await repair(database, logs)
        database.close()
        for chat_id, ledger in self.ledgers.items():
            ledger.check(stored(logs[chat_id]), logs[chat_id][-1].seq)
        for reader in self.readers:
            assert_same(reader.copy.messages, stored(logs[reader.chat_id]), behind)
            assert reader.copy.position == logs[reader.chat_id][-1].seq
        await asyncio.gather(*(node.start() for node in self.cluster.nodes))
        await self._check_answers(logs)
        return behind

    async def _check_answers(self, logs: dict[int, Sequence[Row]]) -> None:
        """Asserts that each node answers with the state of the log."""
        assert self._ann is not None
        for node in self.cluster.nodes:
            await node.ready()
            for chat_id, rows in logs.items():
                messages, head_seq = await everything(node.host(self._ann), chat_id)
                assert_same(messages, stored(rows), set())
                assert head_seq == rows[-1].seq

    def summary(self) -> str:
        acked = sum(ledger.changes for ledger in self.ledgers.values())
        recoveries = sum(reader.recoveries for reader in self.readers)
        return f"{acked} acked changes, {recoveries} recoveries"

    def _script(self, name: str) -> random.Random:
        return random.Random(f"{self._seed} {name}")


def assert_same(seen: dict[int, Frame], kept: dict[int, Frame], behind: set[int]) -> None:
    """Asserts that messages are those that the log has, except for those whose documents were behind."""
    for key in seen.keys() | kept.keys():
        if key not in behind:
            assert key in seen, ("missing", kept[key])
            assert key in kept, ("deleted, or never there", seen[key])
            assert {name: seen[key][name] for name in kept[key]} == kept[key]
