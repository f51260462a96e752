"""The leases and hints of several nodes, in memory: what `storage.node_ports.Nodes` promises, without a database."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal

from storage.errors import Unavailable
from storage.node_ports import Hint, Lease, OnPublished


class Shared:
    """What the nodes share."""

    def __init__(self) -> None:
        self.leases: dict[str, Lease] = {}
        self.hints: dict[str, dict[int, Hint]] = {}
        self.records: dict[tuple[str, str], tuple[int, Any]] = {}
        self.following: dict[str, int] = {}
        """By incarnation that is buried, the number of the hint that would follow."""
        self.key_id = ""


class MemoryNodes:
    """One node's side; rows do not exist here. `applied` and `compared` are what it was given. `away` makes every
    call fail; while `may_answer` is cleared no call ends."""

    def __init__(self, shared: Shared, incarnation: str) -> None:
        self.shared = shared
        self.incarnation = incarnation
        self.format = 1
        self.lowest_format = 1
        self.meet_newer: Callable[[str], None] = lambda _kind: None
        self.applied: list[Hint] = []
        self.compared: list[Collection[int]] = []
        self.away = False
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.reads = 0
        self._number = 0

    def on_published(self, listener: OnPublished) -> None:
        """Never calls it."""

    def on_newer(self, listener: Callable[[str], None]) -> None:
        self.meet_newer = listener

    def received(self, chat_id: int, n: int, seq: int) -> Literal["next", "old", "ahead"]:
        raise NotImplementedError

    async def join(self, lease: Lease) -> None:
        await self._answer()
        self.shared.leases[self.incarnation] = lease

    async def leave(self) -> None:
        await self._answer()
        own = self.shared.leases[self.incarnation]
        self.shared.leases[self.incarnation] = Lease(
            own.incarnation, own.url, own.format, own.key_id, own.beat + 1, ended=True
        )

    async def leases(self) -> Sequence[Lease]:
        self.reads += 1
        await self._answer()
        return list(self.shared.leases.values())

    async def hints(self, after: Mapping[str, int]) -> Mapping[str, Sequence[Hint]]:
        await self._answer()
        found = {}
        for incarnation, number in after.items():
            hints = self.shared.hints.get(incarnation, {})
            last = number
            while last + 1 in hints:
                last += 1
            found[incarnation] = [hints[one] for one in range(number + 1, last + 1)]
        return found

    async def oldest_hint(self, incarnation: str) -> int:
        await self._answer()
        return min(self.shared.hints.get(incarnation, {}), default=self.shared.following.get(incarnation, 1))

    async def apply(self, hints: Sequence[Hint]) -> None:
        await self._answer()
        self.applied += hints

    async def compare(self, user_ids: Collection[int]) -> None:
        await self._answer()
        self.compared.append(user_ids)

    def tell(self, topic: str, value: Any) -> None:
        self.hint(told=[(topic, value)])

    def hint(
        self,
        *,
        rows: Mapping[int, tuple[int, int]] | None = None,
        users: Mapping[int, bool] | None = None,
        told: Sequence[tuple[str, Any]] = (),
    ) -> None:
        """Writes the next hint of this node."""
        self._number += 1
        self.shared.hints.setdefault(self.incarnation, {})[self._number] = Hint(
            self._number, rows or {}, users or {}, [], [], told
        )

    async def keep_record(self, topic: str, value: Any) -> None:
        await self._answer()
        self.shared.records[self.incarnation, topic] = (self._number, value)

    async def records(self, topic: str) -> Mapping[str, tuple[int, Any]]:
        await self._answer()
        return {
            incarnation: record
            for (incarnation, of_topic), record in self.shared.records.items()
            if of_topic == topic
        }

    async def bury(self, incarnation: str) -> None:
        await self._answer()
        self.shared.leases.pop(incarnation, None)
        self.shared.following[incarnation] = max(self.shared.hints.pop(incarnation, {}), default=0) + 1

    async def key_id(self, mine: str) -> str:
        await self._answer()
        self.shared.key_id = self.shared.key_id or mine
        return self.shared.key_id

    async def replace_key_id(self, mine: str) -> None:
        await self._answer()
        self.shared.key_id = mine

    async def _answer(self) -> None:
        await self.may_answer.wait()
        if self.away:
            raise Unavailable("away")
