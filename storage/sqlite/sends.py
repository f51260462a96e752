"""Sends: the hot path. Those that stand next to each other in a batch share their statements (`statements`)."""

from collections.abc import Sequence
from typing import Self

from domain.changes import MessageCreated
from domain.decisions.messages import send
from domain.frozen import frozen
from domain.models import Appended, Draft
from domain.refusals import Refusal
from storage.sqlite.writer import Item, Writer


@frozen
class Send(Item[Appended]):
    draft: Draft

    @property
    def weight(self) -> int:
        return len(self.draft.content)

    @classmethod
    def run_all(cls, writer: Writer, items: Sequence[Self]) -> Sequence[Appended | Exception]:
        """What the sends ask for is looked up before the first, what they create is inserted after the last."""
        view = writer.view
        drafts = [item.draft for item in items]
        view.find_first_uses([(one.sender_id, one.client_id) for one in drafts if one.client_id is not None])
        outcomes: list[Appended | Exception] = []
        for draft in drafts:
            try:
                outcome = send(view, draft)
            except Refusal as refusal:
                outcomes.append(refusal)
                continue
            if isinstance(outcome, MessageCreated):
                view.create(outcome.message)
                writer.publish(outcome)
                outcome = Appended(outcome.message, duplicate=False)
            outcomes.append(outcome)
        view.insert_new()
        return outcomes
