"""What has been told of each chat, and how readers see to it that what others wrote is told as well."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.changes import Change, MessageCreated, MessageDeleted, MessageEdited
from storage.mongo.room import Room
from storage.mongo.writer import Item, Writer


@dataclass(frozen=True)
class _CatchUp(Item[None]):
    chat_id: int

    @classmethod
    async def run_all(cls, writer: Writer, items: "Sequence[_CatchUp]", outcomes: list[Any]) -> None:
        for chat_id in {item.chat_id for item in items}:
            await writer.rooms.catch_up(await writer.rooms.get(chat_id))
        outcomes[:] = [None] * len(items)


class Follower:
    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def told(self, changes: Sequence[Change]) -> None:
        """To be called when the observer is."""
        for change in changes:
            if isinstance(change, (MessageCreated, MessageEdited, MessageDeleted)):
                room = self._writer.rooms.peek(change.message.chat_id)
                assert room is not None  # rooms are forgotten before a batch, never in one
                room.told_seq = change.message.changed_seq

    def head(self, chat_id: int) -> int | None:
        """The number of the last change told; None for a chat that this server does not follow."""
        room = self._writer.rooms.peek(chat_id)
        return None if room is None else room.told_seq

    async def catch_up(self, chat_id: int) -> None:
        """Returns when all that was in the log at the call is told. What this server itself is just writing is not
        waited for: its turn comes soon enough. Raises: `Unavailable`."""
        room = self._writer.rooms.peek(chat_id)
        if room is not None and not self._on_its_way(room) and await self._behind(room):
            room = None
        if room is None or self._writer.rooms.peek(chat_id) is not room:  # forgotten meanwhile
            await self._writer.submit(_CatchUp(chat_id))

    def _on_its_way(self, room: Room) -> bool:
        return room.busy or (self._writer.busy and room.projected_n < room.n)

    async def _behind(self, room: Room) -> bool:
        if room.projected_n < room.n:
            return True
        return await self._writer.rooms.log.has(room.chat_id, room.n + 1) and not self._on_its_way(room)
