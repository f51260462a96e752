"""Runs of sends, edits and deletions: the hot path. Those that stand next to each other go into the log at once.

They are planned on what is in memory, without asking first whether it is the newest: if it is not, the insert fails
(`log.py`). What is refused inserts nothing, so for that it is asked.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from domain.models import Draft, Message
from storage.errors import StorageError
from storage.mongo.database import Lost
from storage.mongo.documents import message_of
from storage.mongo.log import Row
from storage.mongo.plan import Plan
from storage.mongo.room import Room
from storage.mongo.writer import UNSETTLED, Patience, Refused, Writer


class PlannedWrite(Protocol):
    """A change of messages. It may be planned several times, and its row bears the same mark each time."""

    @property
    def mark(self) -> str: ...

    @property
    def message_id(self) -> int | None:
        """The message whose state it needs."""

    @property
    def draft(self) -> Draft | None:
        """What is to be sent; None if it is no send."""

    def chat_id(self, plan: Plan) -> int | None:
        """Its chat; None if there is none."""

    def plan(self, plan: Plan) -> object:
        """Adds a row to the plan and returns that, or the result if there is nothing to change.

        Raises: an error of the store; `Refused`.
        """

    def result(self, row: Row) -> object:
        """The result, now that its row is in the log."""


class MessageRun:
    def __init__(self, writer: Writer, items: Sequence[PlannedWrite], outcomes: list[Any]) -> None:
        self._writer = writer
        self._rooms = writer.rooms
        self._items = items
        self._outcomes = outcomes
        self._by_mark = {item.mark: index for index, item in enumerate(items)}
        self._ask_client_ids = False
        self._behind: set[int] = set()
        self._named: set[int] = set()
        self._ids: list[int] = []

    async def run(self) -> None:
        patience = Patience()
        while pending := [index for index, outcome in enumerate(self._outcomes) if outcome is UNSETTLED]:
            try:
                await self._round(pending)
            except Lost as lost:
                # Some rows may be in, some may come in yet: the log tells.
                await patience.again(lost)
                self._behind |= self._named
            else:
                await patience.again()

    async def _round(self, pending: Sequence[int]) -> None:
        """Plans what is pending, inserts it and settles what can be settled then."""
        for chat_id in list(self._behind):
            if not await self._catch_up(await self._rooms.get(chat_id)):
                self._ask_client_ids = True  # then it is not the number that was taken
            self._behind.discard(chat_id)
        pending = [index for index in pending if self._outcomes[index] is UNSETTLED]
        plan = await self._prepare([self._items[index] for index in pending])
        planned = [self._planned(self._items[index], plan) for index in pending]
        if not self._ask_client_ids and self._refused_with_client_id(pending, planned):
            # A repeat is answered before a rule is asked, so whether it is one has to be known now.
            self._ask_client_ids = True
            return
        for chat_id in self._refused_in(pending, planned, plan) - {row.chat_id for row in plan.rows}:
            if await self._rooms.log.has(chat_id, plan.rooms[chat_id].n + 1):
                self._behind.add(chat_id)
        if self._behind:
            return
        done = await self._rooms.write(plan.rows, plan.rooms)
        if len(done) < len(plan.rows):
            self._behind.add(plan.rows[len(done)].chat_id)
        self._settle(pending, planned, plan, done)

    def _settle(
        self, pending: Sequence[int], planned: Sequence[object], plan: Plan, done: Sequence[Row]
    ) -> None:
        """Settles the items up to the first whose row is not in. Of what was refused, only where it is certain that
        memory was not behind: a row got in, or nothing was planned in that chat and it was looked at."""
        certain = {row.chat_id for row in done}
        uncertain = {row.chat_id for row in plan.rows} - certain
        rows_left = len(done)
        for index, outcome in zip(pending, planned, strict=True):
            item = self._items[index]
            if isinstance(outcome, Row):
                if not rows_left:
                    return
                rows_left -= 1
                self._outcomes[index] = item.result(outcome)
            elif item.chat_id(plan) not in uncertain:
                self._outcomes[index] = outcome

    def _planned(self, item: PlannedWrite, plan: Plan) -> object:
        try:
            return item.plan(plan)
        except Refused as refused:
            return refused.reason
        except StorageError as error:
            return error

    def _refused_in(self, pending: Sequence[int], planned: Sequence[object], plan: Plan) -> set[int]:
        """The chats in which an item was refused, or had nothing to change."""
        without_row = (
            self._items[index].chat_id(plan)
            for index, outcome in zip(pending, planned, strict=True)
            if not isinstance(outcome, Row)
        )
        return {chat_id for chat_id in without_row if chat_id is not None}

    def _refused_with_client_id(self, pending: Sequence[int], planned: Sequence[object]) -> bool:
        for index, outcome in zip(pending, planned, strict=True):
            draft = self._items[index].draft
            if draft is not None and draft.client_id is not None and isinstance(outcome, Exception):
                return True
        return False

    async def _catch_up(self, room: Room) -> bool:
        """Whether there was anything new."""
        news = await self._rooms.catch_up(room)
        for row in news:
            index = self._by_mark.get(row.mark)
            if index is not None and self._outcomes[index] is UNSETTLED:
                self._outcomes[index] = self._items[index].result(row)
        return bool(news)

    async def _prepare(self, items: Sequence[PlannedWrite]) -> Plan:
        drafts = [item.draft for item in items]
        message_ids = {one for item in items if (one := item.message_id) is not None}
        first_uses: dict[tuple[int, str], Message] = {}
        if self._ask_client_ids:
            keys = [
                (draft.sender_id, draft.client_id)
                for draft in drafts
                if draft is not None and draft.client_id is not None
            ]
            for row in await self._rooms.log.first_uses(keys):
                assert row.message is not None
                assert row.message.client_id is not None
                first_uses[row.message.sender_id, row.message.client_id] = row.message
                message_ids.add(row.message.id)
        # The rooms before the messages: these are then at least as new as the rooms, and if newer, the insert fails.
        chat_ids = {draft.chat_id for draft in drafts if draft is not None}
        rooms = {chat_id: await self._rooms.get(chat_id) for chat_id in chat_ids}
        messages = await self._messages(message_ids)
        changed = {message.chat_id for message in messages.values()} - rooms.keys()
        if changed:
            rooms |= {chat_id: await self._rooms.get(chat_id) for chat_id in changed}
            messages = await self._messages(message_ids)
        self._named = set(rooms)
        # An id that was in a plan is used up, for the plan may have been carried out without our knowing.
        missing = sum(draft is not None for draft in drafts) - len(self._ids)
        if missing > 0:
            self._ids += await self._writer.ids.take("messages", missing)
        return Plan(rooms, messages, first_uses, self._ids)

    async def _messages(self, message_ids: set[int]) -> dict[int, Message]:
        """Those that exist, in their newest state: what is taken in may not be projected yet, what another server
        projected may not be taken in."""
        database, taken_in = self._writer.database, self._rooms.newest_states
        found = await database.get_many(database.messages, [str(one) for one in message_ids])
        messages = {message.id: message for message in map(message_of, found)}
        for message_id in message_ids & taken_in.keys():
            state = taken_in[message_id]
            if message_id not in messages or messages[message_id].changed_seq < state.changed_seq:
                messages[message_id] = state
        return messages
