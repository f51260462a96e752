"""Two people on two nodes who talk to each other, and everything that each of them hears."""

import asyncio
from time import monotonic
from typing import Any

from tests.clients.people import Person
from tests.cluster.cluster import Cluster
from tests.patience import within


class Talk:
    """Both send to one chat. `late_s` has, by seq, how long after its ack a message reached the other node."""

    def __init__(self, people: list[Person], clients: list[Any], chat_id: int) -> None:
        self.people = people
        self.clients = clients
        self.chat_id = chat_id
        self.acked_s: dict[int, float] = {}
        self.heard: list[list[int]] = [[] for _ in clients]
        self.heard_s: list[dict[int, float]] = [{} for _ in clients]
        self.failed = 0
        self._sender: dict[int, int] = {}
        for index, client in enumerate(clients):
            self._overhear(index, client)

    @classmethod
    async def begin(cls, cluster: Cluster, *, wires: tuple[str, ...] = ("raw", "socketio")) -> "Talk":
        """One person and connection for each node."""
        people = await cluster.people(*(f"person{number}" for number, _ in enumerate(cluster.nodes)))
        chat_id = await people[0].chat(*people[1:])
        clients = []
        for number, person in enumerate(people):
            person.wire = wires[number % len(wires)]
            clients.append(await cluster.nodes[number].host(person).joined(chat_id))
        return cls(people, clients, chat_id)

    async def send(self, index: int, text: str = "x", **fields: Any) -> int | None:
        """Sends a message from one of them; its seq, None if it was refused."""
        answer = await self.clients[index].command(
            "send_message", chat_id=self.chat_id, content=text, **fields
        )
        if answer["type"] != "ack":
            self.failed += 1
            return None
        return int(answer["message"]["seq"])

    async def go_on(self, seconds: float, per_s: float = 50, senders: tuple[int, ...] = (0, 1)) -> None:
        """These send in turn, so many messages a second together."""
        tasks, start, count = [], monotonic(), 0
        while (due := start + count / per_s) < start + seconds:
            await asyncio.sleep(max(0.0, due - monotonic()))
            tasks.append(asyncio.create_task(self.send(senders[count % len(senders)])))
            count += 1
        await asyncio.gather(*tasks)

    @property
    def late_s(self) -> dict[int, float]:
        """By seq, how long after its ack a message reached the last of the others; 0 if it came before."""
        return {
            seq: max(
                max(0.0, heard[seq] - acked)
                for index, heard in enumerate(self.heard_s)
                if index != self._sender[seq]
            )
            for seq, acked in self.acked_s.items()
        }

    async def complete(self, within_s: float = 10) -> None:
        """Returns when all have heard everything that was acked. Asserts that nobody hears anything twice, or out of
        order."""
        async with within(within_s):
            while not all(self.acked_s.keys() <= set(heard) for heard in self.heard):
                await asyncio.sleep(0.02)
        for heard in self.heard:
            assert heard == list(range(heard[0], heard[-1] + 1))

    def _overhear(self, index: int, client: Any) -> None:
        """Notes what a connection gets when it arrives. Messages do not stay in its inbox."""
        take_in = client._take_in

        def note(frame: Any) -> None:
            if frame is not None and frame["type"] == "new_message":
                self.heard[index].append(frame["seq"])
                self.heard_s[index][frame["seq"]] = monotonic()
                return
            if frame is not None and frame["type"] == "ack" and "message" in frame:
                seq = int(frame["message"]["seq"])
                self.acked_s[seq], self._sender[seq] = monotonic(), index
            take_in(frame)

        client._take_in = note
