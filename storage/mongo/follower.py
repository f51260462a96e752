"""How far each chat is published, and how readers make this node publish what other nodes wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from storage.mongo.chat_replica import ChatReplica
from storage.mongo.positions import Positions
from storage.mongo.writer import Writer, WriterItem


@dataclass(frozen=True)
class _CatchUp(WriterItem[None]):
    """Reads the log of a chat to its end; the writer projects and publishes the new rows after that."""

    chat_id: int
    hint: bool = True
    """Whether the new rows are named in a hint; see `ChatReplicas.catch_up`."""

    @property
    def is_write(self) -> bool:
        return False

    @classmethod
    async def run_all(cls, writer: Writer, items: "Sequence[_CatchUp]", outcomes: list[Any]) -> None:
        hinted = {item.chat_id for item in items if item.hint}
        for chat_id in {item.chat_id for item in items}:
            replica = await writer.replicas.get(chat_id)
            await writer.replicas.catch_up(replica, hint=chat_id in hinted)
            replica.check()
        outcomes[:] = [None] * len(items)


class Follower:
    """Knows which changes of which chats are published, and catches up with the log on demand."""

    def __init__(self, writer: Writer, positions: Positions) -> None:
        self._writer = writer
        self._positions = positions

    def head(self, chat_id: int) -> int | None:
        """The number of the last published change; None for a chat of which that is not known."""
        position = self._positions.get(chat_id)
        return None if position is None else position.seq

    def follow(self, chat_id: int) -> None:
        """See `storage.ports.Chats.follow`."""
        self._positions.follow(chat_id)

    def follows(self, chat_id: int) -> bool:
        """See `storage.ports.Chats.follows`."""
        return self._positions.is_followed(chat_id)

    def unfollow(self, chat_id: int) -> None:
        """See `storage.ports.Chats.unfollow`."""
        self._positions.unfollow(chat_id)

    async def catch_up(self, chat_id: int) -> None:
        """Returns when all rows that were in the log at the call are published, but for those that this node is
        writing: they are published when they are written. Raises: `Unavailable`."""
        replica = self._writer.replicas.peek(chat_id)
        if replica is not None and await self._behind(replica):
            replica = None
        if replica is None or self._writer.replicas.peek(chat_id) is not replica:  # forgotten meanwhile
            await self._writer.submit(_CatchUp(chat_id))

    async def read_log(self, chat_id: int) -> None:
        """Makes the writer publish all rows that are in the log. Raises: `Unavailable`."""
        await self._writer.submit(_CatchUp(chat_id, hint=False))

    async def _behind(self, replica: ChatReplica) -> bool:
        """Whether there are rows that are in the log, or in the replica only, and not published, or one that this
        version does not know; rows that this node is writing do not count."""
        position = self._positions.get(replica.chat_id)
        if position is None or position.n < replica.found_n or replica.unknown_kind is not None:
            return True
        if replica.projected_n < replica.n and not self._writer.busy:
            return True
        row = await self._writer.replicas.log.get(replica.chat_id, max(position.n, replica.n) + 1)
        return row is not None and not (self._writer.busy and self._writer.owns(row))
