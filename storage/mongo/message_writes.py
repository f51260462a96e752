"""Sends, edits and deletions, each by itself: what it needs, what it checks, what row it makes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from domain.models import Appended, Draft, Message, Permission
from storage.errors import BadReference, ClientIdTaken, NotFound
from storage.mongo.log import Row
from storage.mongo.message_run import MessageRun, PlannedWrite
from storage.mongo.plan import Plan
from storage.mongo.writer import Item, ResultT_co, Writer, judge


class MessageWrite(Item[ResultT_co]):
    """One of those that share their runs; see `PlannedWrite`."""

    @classmethod
    def family(cls) -> type[Item[Any]]:
        return MessageWrite

    @classmethod
    async def run_all(cls, writer: Writer, items: Sequence[PlannedWrite], outcomes: list[Any]) -> None:
        await MessageRun(writer, items, outcomes).run()


@dataclass(frozen=True)
class Send(MessageWrite[Appended]):
    draft: Draft
    rule: Permission
    mark: str

    @property
    def weight(self) -> int:
        return len(self.draft.content)

    @property
    def message_id(self) -> int | None:
        return self.draft.reply_to

    def chat_id(self, plan: Plan) -> int | None:
        return self.draft.chat_id

    def plan(self, plan: Plan) -> object:
        draft = self.draft
        actor = plan.rooms[draft.chat_id].actor(draft.sender_id)
        first = plan.first_use(draft)
        if first is not None:
            return _repeated(first, draft)
        judge(self.rule, actor)
        if draft.reply_to is not None:
            target = plan.messages.get(draft.reply_to)
            # One that was deleted while the answer was being written serves too.
            if target is None or target.chat_id != draft.chat_id:
                raise BadReference("reply_to")
        seq = plan.next_seq(draft.chat_id)
        message = Message(
            id=plan.next_id(),
            chat_id=draft.chat_id,
            seq=seq,
            changed_seq=seq,
            content=draft.content,
            sender_id=draft.sender_id,
            created_at=draft.created_at,
            message_type=draft.message_type,
            reply_to=draft.reply_to,
            client_id=draft.client_id,
        )
        return plan.add("sent", message, self.mark)

    def result(self, row: Row) -> object:
        assert row.message is not None
        return Appended(row.message, duplicate=False)


@dataclass(frozen=True)
class _Change(MessageWrite[Message]):
    id: int
    user_id: int
    at: datetime
    rule: Permission
    mark: str

    @property
    def draft(self) -> None:
        return None

    @property
    def message_id(self) -> int | None:
        return self.id

    def result(self, row: Row) -> object:
        return row.message

    def chat_id(self, plan: Plan) -> int | None:
        message = plan.messages.get(self.id)
        return None if message is None else message.chat_id

    def _find(self, plan: Plan) -> Message:
        message = plan.messages.get(self.id)
        if message is None:
            raise NotFound(f"message {self.id}")
        actor = plan.rooms[message.chat_id].actor(self.user_id)
        if message.deleted:
            raise NotFound(f"message {self.id}")
        judge(self.rule, replace(actor, message=message))
        return message


@dataclass(frozen=True)
class Edit(_Change):
    content: str

    @property
    def weight(self) -> int:
        return len(self.content)

    def plan(self, plan: Plan) -> object:
        old = self._find(plan)
        if old.content == self.content:
            return old
        new = replace(old, content=self.content, edited_at=self.at, changed_seq=plan.next_seq(old.chat_id))
        return plan.add("edited", new, self.mark)


@dataclass(frozen=True)
class Delete(_Change):
    def plan(self, plan: Plan) -> object:
        old = self._find(plan)
        tombstone = replace(
            old,
            content="",
            reactions=None,
            attachments=(),
            deleted=True,
            changed_seq=plan.next_seq(old.chat_id),
        )
        return plan.add("deleted", tombstone, self.mark)


def _repeated(first: Message, draft: Draft) -> Appended:
    if first.chat_id != draft.chat_id:
        raise ClientIdTaken(draft.client_id)
    if first.deleted:
        raise NotFound(f"the message of client_id {draft.client_id!r}")
    return Appended(first, duplicate=True)
