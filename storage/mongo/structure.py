"""Changes of the chat itself: each is judged and inserted alone."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from domain.frozen import frozen
from storage.errors import StorageError
from storage.mongo.database import Document, Lost
from storage.mongo.log import Kind, Row
from storage.mongo.room import Room
from storage.mongo.writer import UNSETTLED, Item, Patience, Refused, ResultT_co, Writer


@frozen
class Step:
    """What is to become the next row."""

    kind: Kind
    data: Document


@frozen
class Same:
    """The result of a change that changes nothing."""

    result: Any


class Restructure(Item[ResultT_co]):
    """A change of the chat itself. `plan` may be called several times, always with the chat as it is by then."""

    alone: ClassVar[bool] = True

    @classmethod
    def family(cls) -> type[Item[Any]]:
        return Restructure

    @classmethod
    async def run_all(cls, writer: Writer, items: "Sequence[Restructure[Any]]", outcomes: list[Any]) -> None:
        (item,) = items
        mark, patience = writer.mark(), Patience()
        inserted: Row | None = None
        behind: Room | None = None
        while outcomes[0] is UNSETTLED:
            try:
                if behind is not None:
                    for row in await writer.rooms.catch_up(behind):
                        if row.mark == mark:
                            inserted, outcomes[0] = row, item.result(row, behind)
                    behind = None
                    continue
                room = await writer.rooms.get(await item.chat_id(writer))
                outcome = await _planned(item, writer, room)
                if isinstance(outcome, Step):
                    row = Row(room.chat_id, room.n + 1, room.seq, outcome.kind, mark, data=outcome.data)
                    if await writer.rooms.write([row], {room.chat_id: room}):
                        inserted, outcomes[0] = row, item.result(row, room)
                    else:
                        behind = room
                elif await writer.rooms.log.has(room.chat_id, room.n + 1):
                    behind = room
                else:
                    outcomes[0] = outcome.result if isinstance(outcome, Same) else outcome
            except Lost as lost:
                behind = room
                await patience.again(lost)
            else:
                await patience.again()
        if inserted is not None:
            await item.settled(writer, inserted)

    @abstractmethod
    async def chat_id(self, writer: Writer) -> int:
        """Its chat."""

    @abstractmethod
    async def plan(self, writer: Writer, room: Room) -> Step | Same:
        """What to do. Raises: an error of the store; `Refused`."""

    @abstractmethod
    def result(self, row: Row, room: Room) -> ResultT_co:
        """The result, now that the row is in the log and in the room."""

    async def settled(self, writer: Writer, row: Row) -> None:
        """Looks again at what the plan relied on and the log does not hold; the row is in."""


async def _planned(item: Restructure[Any], writer: Writer, room: Room) -> Step | Same | Exception:
    try:
        return await item.plan(writer, room)
    except Refused as refused:
        return refused.reason
    except StorageError as error:
        return error
