"""Changes of a chat and of its members: each is decided and inserted alone.

Accounts are not in the log of the chat, so a change that relies on an owner may cross with the ban of that owner. Both
sides write first and read then: the ban marks the account, then reads which chats the user owns (`pass_on`); the change
is projected, then the accounts are read again (`LoadingView.inactive_owners`). So one of the two sees the other.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from domain.changes import Change
from domain.decisions import heirs
from domain.decisions.view import MemberView
from domain.refusals import Refusal
from storage.mongo.chat_view import LoadingView
from storage.mongo.database import UnknownOutcome
from storage.mongo.retry_budget import RetryBudget
from storage.mongo.row_codecs import row_of
from storage.mongo.writer import UNSETTLED, Writer, WriterItem
from storage.results import result_of

PASSED_ON_AT_ONCE = 50
"""How many chats of a user are passed on at once: each is loaded for it, and a user may own tens of thousands."""


@dataclass(frozen=True)
class ChatWrite(WriterItem[Any]):
    """A decision about a chat, and the change that it makes. `chat_id` is None if it creates the chat. The decision may
    run several times, each time on the state of that moment."""

    chat_id: int | None
    decision: Callable[[MemberView], object]
    alone: ClassVar[bool] = True

    @classmethod
    async def run_all(cls, writer: Writer, items: "Sequence[ChatWrite]", outcomes: list[Any]) -> None:
        (item,) = items
        attempt = _Attempt(writer, item)
        outcomes[0] = await attempt.run()
        await attempt.pass_on()


def pass_on(chat_id: int, user_id: int, at: datetime) -> ChatWrite:
    """Passes on the chat of a user who is no longer active, see `domain.decisions.heirs.pass_on`."""
    return ChatWrite(chat_id, lambda view: heirs.pass_on(view, chat_id, user_id, at))


async def pass_on_all(writer: Writer, user_id: int, at: datetime) -> None:
    """Ends the ownership of a user whose account is marked already as no longer active, in all chats."""
    owned = {"user_id": user_id, "gone": False, "role": "owner"}
    found = await writer.database.find(writer.database.members, owned, fields=["chat_id"])
    chat_ids = sorted(document["chat_id"] for document in found)
    for start in range(0, len(chat_ids), PASSED_ON_AT_ONCE):
        some = chat_ids[start : start + PASSED_ON_AT_ONCE]
        await asyncio.gather(*(writer.submit(pass_on(chat_id, user_id, at)) for chat_id in some))


class _Attempt:
    def __init__(self, writer: Writer, item: ChatWrite) -> None:
        self._writer = writer
        self._replicas = writer.replicas
        self._decision = item.decision
        self._view = LoadingView(writer, item.chat_id)
        self._mark = writer.mark()
        self._outcome: object = UNSETTLED
        self._behind = False
        self._inserted = False

    async def run(self) -> object:
        """The outcome, once it is certain. Raises: `Unavailable`."""
        budget = RetryBudget()
        while self._outcome is UNSETTLED:
            try:
                if self._behind:
                    await self._catch_up()
                else:
                    await self._decide()
            except UnknownOutcome as unknown:
                self._behind = True
                await budget.again(unknown)
            else:
                await budget.again()
        return self._outcome

    async def pass_on(self) -> None:
        """Once the change is in, checks again the owners on whom the decision relied, as they are not in the log."""
        if self._inserted:
            for user_id in await self._view.inactive_owners():
                # When they were banned is not known here; it was a moment ago.
                again = pass_on(self._chat_id(), user_id, datetime.now(UTC))
                await ChatWrite.run_all(self._writer, [again], [UNSETTLED])

    async def _decide(self) -> None:
        try:
            outcome = await self._view.decide(self._decision)
        except Refusal as refusal:
            outcome = refusal
        if isinstance(outcome, Change):
            outcome = self._writer.too_new(outcome) or outcome
        replica = self._view.replica
        if replica is not None and isinstance(outcome, Change):
            row = row_of(outcome, replica.chat_id, replica.n + 1, replica.seq, self._mark, len(replica.roles))
            applied = await self._replicas.write([row], {replica.chat_id: replica})
            if applied:
                self._settle(applied[0].change)
            else:
                self._behind = True
        elif replica is not None and await self._replicas.log.has(replica.chat_id, replica.n + 1):
            self._behind = True
        else:
            self._outcome = outcome

    async def _catch_up(self) -> None:
        replica = self._view.replica
        assert replica is not None
        for applied in await self._replicas.catch_up(replica):
            if applied.row.mark == self._mark:
                self._settle(applied.change)
        if self._outcome is UNSETTLED:
            replica.check()
        self._behind = False

    def _settle(self, change: Change) -> None:
        self._inserted, self._outcome = True, result_of(change)

    def _chat_id(self) -> int:
        assert self._view.replica is not None
        return self._view.replica.chat_id
