"""What has been told of each chat, and how readers see to it that what others wrote is told as well."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.changes import Change, MessageChange
from storage.mongo.chat_replica import ChatReplica
from storage.mongo.writer import Writer, WriterItem


@dataclass(frozen=True)
class _CatchUp(WriterItem[None]):
    chat_id: int

    @classmethod
    async def run_all(cls, writer: Writer, items: "Sequence[_CatchUp]", outcomes: list[Any]) -> None:
        for chat_id in {item.chat_id for item in items}:
            replica = await writer.replicas.get(chat_id)
            await writer.replicas.catch_up(replica)
            replica.check()
        outcomes[:] = [None] * len(items)


class Follower:
    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def published(self, changes: Sequence[Change]) -> None:
        """To be called when the observer is."""
        for change in changes:
            if isinstance(change, MessageChange):
                replica = self._writer.replicas.peek(change.message.chat_id)
                assert replica is not None  # replicas are forgotten before a batch, never in one
                replica.published_seq = change.message.changed_seq

    def head(self, chat_id: int) -> int | None:
        """The number of the last change told; None for a chat that this server does not follow."""
        replica = self._writer.replicas.peek(chat_id)
        return None if replica is None else replica.published_seq

    async def catch_up(self, chat_id: int) -> None:
        """Returns when all that was in the log at the call is told. What this server itself is just writing is not
        waited for: its turn comes soon enough. Raises: `Unavailable`."""
        replica = self._writer.replicas.peek(chat_id)
        if replica is not None and not self._on_its_way(replica) and await self._behind(replica):
            replica = None
        if replica is None or self._writer.replicas.peek(chat_id) is not replica:  # forgotten meanwhile
            await self._writer.submit(_CatchUp(chat_id))

    def _on_its_way(self, replica: ChatReplica) -> bool:
        return replica.busy or (self._writer.busy and replica.projected_n < replica.n)

    async def _behind(self, replica: ChatReplica) -> bool:
        if replica.projected_n < replica.n:
            return True
        return await self._writer.replicas.log.has(replica.chat_id, replica.n + 1) and not self._on_its_way(
            replica
        )
