"""How far each chat is published, and how readers make this server publish what other servers wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.changes import Change, MessageChange
from storage.mongo.chat_replica import ChatReplica
from storage.mongo.writer import Writer, WriterItem


@dataclass(frozen=True)
class _CatchUp(WriterItem[None]):
    """Reads the log of a chat to its end; the writer projects and publishes the new rows after that."""

    chat_id: int

    @classmethod
    async def run_all(cls, writer: Writer, items: "Sequence[_CatchUp]", outcomes: list[Any]) -> None:
        for chat_id in {item.chat_id for item in items}:
            replica = await writer.replicas.get(chat_id)
            await writer.replicas.catch_up(replica)
            replica.check()
        outcomes[:] = [None] * len(items)


class Follower:
    """Knows which changes of which chats are published, and catches up with the log on demand."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def published(self, changes: Sequence[Change]) -> None:
        """Notes how far chats are published. The store adds this before its other subscribers, the remover of deleted
        chats and those of the server, so that `published_head` is up to date when they are called."""
        for change in changes:
            if isinstance(change, MessageChange):
                replica = self._writer.replicas.peek(change.message.chat_id)
                assert replica is not None  # replicas are forgotten before a batch, never in one
                replica.published_seq = change.message.changed_seq

    def head(self, chat_id: int) -> int | None:
        """The number of the last published change; None for a chat that this server does not follow."""
        replica = self._writer.replicas.peek(chat_id)
        return None if replica is None else replica.published_seq

    async def catch_up(self, chat_id: int) -> None:
        """Returns when all rows that were in the log at the call are published, but for those that this server is
        writing: they are published when they are written. Raises: `Unavailable`."""
        replica = self._writer.replicas.peek(chat_id)
        if replica is not None and not self._on_its_way(replica) and await self._behind(replica):
            replica = None
        if replica is None or self._writer.replicas.peek(chat_id) is not replica:  # forgotten meanwhile
            await self._writer.submit(_CatchUp(chat_id))

    def _on_its_way(self, replica: ChatReplica) -> bool:
        """Whether this server is writing to the chat, so that its last rows are published without a catch-up."""
        return replica.busy or (self._writer.busy and replica.projected_n < replica.n)

    async def _behind(self, replica: ChatReplica) -> bool:
        """Whether there are rows that are in the log, or in the replica only, and not published, or one that this
        version does not know."""
        if replica.projected_n < replica.n or replica.unknown_kind is not None:
            return True
        return await self._writer.replicas.log.has(replica.chat_id, replica.n + 1) and not self._on_its_way(
            replica
        )
