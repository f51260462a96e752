"""Messages: sending, changing and reading them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Self

from domain.changes import MessageCreated
from domain.decisions import messages, pins, reactions
from domain.decisions.view import MessageView
from domain.frozen import frozen
from domain.models import Appended, Draft, Message, Page, ReadMark, Version
from domain.refusals import Refusal
from storage.promise import Promise
from storage.sqlite import history, versions
from storage.sqlite.database import Database
from storage.sqlite.read_marks import mark_read
from storage.sqlite.writer import Write, Writer, WriterItem
from storage.times import to_micros


class SqliteMessages:
    """See `storage.ports.Messages`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, draft: Draft) -> Promise[Appended]:
        return self._database.submit(Send(draft, len(draft.content)))

    def edit(
        self,
        message_id: int,
        user_id: int,
        content: str,
        edited_at: datetime,
        *,
        content_fault: str | None = None,
    ) -> Promise[Message]:
        def action(writer: Writer) -> Message:
            outcome = messages.edit(writer.messages, message_id, user_id, content, edited_at, content_fault)
            edited: Message = writer.carry_out(outcome)
            return edited

        return self._database.submit(Write(action, weight=len(content)))

    def delete(self, message_id: int, user_id: int, deleted_at: datetime) -> Promise[Message]:
        return self._database.write(_delete, message_id, user_id, deleted_at)

    def add_reaction(self, message_id: int, user_id: int, emoji: str, at: datetime) -> Promise[Message]:
        return self._decide(lambda view: reactions.add(view, message_id, user_id, emoji, at))

    def remove_reaction(self, message_id: int, user_id: int, emoji: str, at: datetime) -> Promise[Message]:
        return self._decide(lambda view: reactions.remove(view, message_id, user_id, emoji, at))

    def pin(self, message_id: int, user_id: int, at: datetime) -> Promise[Message]:
        return self._decide(lambda view: pins.pin(view, message_id, user_id, at))

    def unpin(self, message_id: int, user_id: int, at: datetime) -> Promise[Message]:
        return self._decide(lambda view: pins.unpin(view, message_id, user_id, at))

    def _decide(self, decision: Callable[[MessageView], object]) -> Promise[Message]:
        """Queues a change of a message, whose result is the message."""

        def action(writer: Writer) -> Message:
            changed: Message = writer.carry_out(decision(writer.messages))
            return changed

        return self._database.submit(Write(action))

    def mark_read(self, chat_id: int, user_id: int, up_to: int | None) -> Promise[ReadMark]:
        return self._database.write(mark_read, chat_id, user_id, up_to)

    async def get(self, message_id: int) -> Message | None:
        return await self._database.read(history.get, message_id)

    async def versions(self, message_id: int) -> Sequence[Version] | None:
        return await self._database.read(versions.of_message, message_id)

    async def history(
        self,
        chat_id: int,
        *,
        limit: int,
        before_seq: int | None = None,
        after_seq: int | None = None,
        around_seq: int | None = None,
        max_bytes: int | None = None,
    ) -> Page:
        return await self._database.read(
            history.page, chat_id, limit, before_seq, after_seq, around_seq, max_bytes
        )

    async def pins(
        self, chat_id: int, *, before_seq: int | None = None, limit: int, max_bytes: int | None = None
    ) -> tuple[Sequence[Message], bool]:
        return await self._database.read(history.pins, chat_id, before_seq, limit, max_bytes)

    async def changed_since(
        self, chat_id: int, after_seq: int, *, limit: int, max_bytes: int | None = None
    ) -> Sequence[Message]:
        return await self._database.read(history.changed_since, chat_id, after_seq, limit, max_bytes)

    async def count_changed_since(self, chat_id: int, after_seq: int, *, limit: int) -> int:
        return await self._database.read(history.count_changed_since, chat_id, after_seq, limit)


@frozen
class Send(WriterItem[Appended]):
    """A send. Those that stand next to each other in a batch share their statements (`message_view`)."""

    draft: Draft
    weight: int

    @classmethod
    def run_all(cls, writer: Writer, items: Sequence[Self]) -> Sequence[Appended | Exception]:
        """What the sends ask for is looked up before the first, what they create is inserted after the last."""
        view = writer.messages
        drafts = [item.draft for item in items]
        view.find_first_uses([(one.sender_id, one.client_id) for one in drafts if one.client_id is not None])
        outcomes: list[Appended | Exception] = []
        for draft in drafts:
            try:
                outcome = messages.send(view, draft)
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


def _delete(writer: Writer, message_id: int, user_id: int, deleted_at: datetime) -> Message:
    tombstone: Message = writer.apply(messages.delete(writer.messages, message_id, user_id, deleted_at))
    writer.db.execute(
        "UPDATE messages SET deleted_at = ? WHERE id = ?", (to_micros(deleted_at), tombstone.id)
    )
    return tombstone
