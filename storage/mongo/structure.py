"""Changes of the chat itself: each is judged and inserted alone."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from domain.frozen import frozen
from storage.errors import StorageError
from storage.mongo.chat_replica import ChatReplica
from storage.mongo.database import Document, UnknownOutcome
from storage.mongo.log import Kind, Row
from storage.mongo.writer import UNSETTLED, Item, Refused, ResultT_co, RetryBudget, Writer


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
        mark, budget = writer.mark(), RetryBudget()
        inserted: Row | None = None
        behind: ChatReplica | None = None
        while outcomes[0] is UNSETTLED:
            try:
                if behind is not None:
                    for row in await writer.replicas.catch_up(behind):
                        if row.mark == mark:
                            inserted, outcomes[0] = row, item.result(row, behind)
                    behind = None
                    continue
                replica = await writer.replicas.get(await item.chat_id(writer))
                outcome = await _planned(item, writer, replica)
                if isinstance(outcome, Step):
                    row = Row(
                        replica.chat_id, replica.n + 1, replica.seq, outcome.kind, mark, data=outcome.data
                    )
                    if await writer.replicas.write([row], {replica.chat_id: replica}):
                        inserted, outcomes[0] = row, item.result(row, replica)
                    else:
                        behind = replica
                elif await writer.replicas.log.has(replica.chat_id, replica.n + 1):
                    behind = replica
                else:
                    outcomes[0] = outcome.result if isinstance(outcome, Same) else outcome
            except UnknownOutcome as unknown:
                behind = replica
                await budget.again(unknown)
            else:
                await budget.again()
        if inserted is not None:
            await item.settled(writer, inserted)

    @abstractmethod
    async def chat_id(self, writer: Writer) -> int:
        """Its chat."""

    @abstractmethod
    async def plan(self, writer: Writer, replica: ChatReplica) -> Step | Same:
        """What to do. Raises: an error of the store; `Refused`."""

    @abstractmethod
    def result(self, row: Row, replica: ChatReplica) -> ResultT_co:
        """The result, now that the row is in the log and in the replica."""

    async def settled(self, writer: Writer, row: Row) -> None:
        """Looks again at what the plan relied on and the log does not hold; the row is in."""


async def _planned(item: Restructure[Any], writer: Writer, replica: ChatReplica) -> Step | Same | Exception:
    try:
        return await item.plan(writer, replica)
    except Refused as refused:
        return refused.reason
    except StorageError as error:
        return error
