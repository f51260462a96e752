"""Messages: sending, changing and reading them."""

from collections.abc import Callable, Sequence
from datetime import datetime

from domain.changes import MessageCreated
from domain.decisions import messages, reactions
from domain.decisions import pins as pin_decisions
from domain.decisions.view import MessageView
from domain.models import Appended, Draft, Message, Page, ReadMark, Version
from storage.mongo import history, pins
from storage.mongo.database import Database
from storage.mongo.follower import Follower
from storage.mongo.message_run import MessageWrite
from storage.mongo.new_kinds import ATTACHMENTS_FORMAT
from storage.mongo.read_marks import Read
from storage.mongo.writer import Writer
from storage.promise import Promise


class MongoMessages:
    """See `storage.ports.Messages`."""

    def __init__(self, database: Database, writer: Writer, follower: Follower) -> None:
        self._database = database
        self._writer = writer
        self._follower = follower

    def append(self, draft: Draft) -> Promise[Appended]:
        return self._writer.submit(
            MessageWrite(
                self._send_attached(draft) if draft.attachments else lambda view: messages.send(view, draft),
                self._writer.mark(),
                message_id=draft.reply_to,
                draft=draft,
                content=draft.content,
                weight=len(draft.content),
            )
        )

    def _send_attached(self, draft: Draft) -> Callable[[MessageView], object]:
        def decision(view: MessageView) -> object:
            outcome = messages.send(view, draft)
            is_new = isinstance(outcome, MessageCreated)
            return (self._writer.too_early(ATTACHMENTS_FORMAT) if is_new else None) or outcome

        return decision

    def edit(
        self,
        message_id: int,
        user_id: int,
        content: str,
        edited_at: datetime,
        *,
        content_fault: str | None = None,
    ) -> Promise[Message]:
        return self._writer.submit(
            MessageWrite(
                lambda view: messages.edit(view, message_id, user_id, content, edited_at, content_fault),
                self._writer.mark(),
                message_id=message_id,
                content=content,
                weight=len(content),
            )
        )

    def delete(self, message_id: int, user_id: int, deleted_at: datetime) -> Promise[Message]:
        return self._writer.submit(
            MessageWrite(
                lambda view: messages.delete(view, message_id, user_id, deleted_at),
                self._writer.mark(),
                message_id=message_id,
            )
        )

    def add_reaction(self, message_id: int, user_id: int, emoji: str, at: datetime) -> Promise[Message]:
        return self._decide(message_id, lambda view: reactions.add(view, message_id, user_id, emoji, at))

    def remove_reaction(self, message_id: int, user_id: int, emoji: str, at: datetime) -> Promise[Message]:
        return self._decide(message_id, lambda view: reactions.remove(view, message_id, user_id, emoji, at))

    def pin(self, message_id: int, user_id: int, at: datetime) -> Promise[Message]:
        return self._decide(
            message_id, lambda view: pin_decisions.pin(view, message_id, user_id, at), counts_pins=True
        )

    def unpin(self, message_id: int, user_id: int, at: datetime) -> Promise[Message]:
        return self._decide(message_id, lambda view: pin_decisions.unpin(view, message_id, user_id, at))

    def _decide(
        self, message_id: int, decision: Callable[[MessageView], object], *, counts_pins: bool = False
    ) -> Promise[Message]:
        """Queues a change of a message, whose result is the message."""
        return self._writer.submit(
            MessageWrite(decision, self._writer.mark(), message_id=message_id, counts_pins=counts_pins)
        )

    def mark_read(self, chat_id: int, user_id: int, up_to: int | None) -> Promise[ReadMark]:
        return self._writer.submit(Read(chat_id, user_id, up_to))

    async def get(self, message_id: int) -> Message | None:
        return await history.get(self._database, message_id)

    async def versions(self, message_id: int) -> Sequence[Version] | None:
        return await history.versions(self._database, self._writer.replicas.log, message_id)

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
        return await history.page(
            self._database, chat_id, limit, before_seq, after_seq, around_seq, max_bytes
        )

    async def pins(
        self, chat_id: int, *, before_seq: int | None = None, limit: int, max_bytes: int | None = None
    ) -> tuple[Sequence[Message], bool]:
        return await pins.page(self._database, chat_id, before_seq, limit, max_bytes)

    async def changed_since(
        self, chat_id: int, after_seq: int, *, limit: int, max_bytes: int | None = None
    ) -> Sequence[Message]:
        """Returns published changes only: above those, another node may have projected a change and not yet the one
        before it. A message that changed once more meanwhile comes in its state before that: the event of a reaction or
        a pin has no more than itself."""
        await self._follower.catch_up(chat_id)
        head = self._follower.head(chat_id)
        if head is None:
            return ()
        return await history.changed_between(
            self._database, self._writer.replicas.log, chat_id, after_seq, head, limit, max_bytes
        )

    async def count_changed_since(self, chat_id: int, after_seq: int, *, limit: int) -> int:
        await self._follower.catch_up(chat_id)
        head = self._follower.head(chat_id)
        return (
            0
            if head is None
            else await history.count_between(self._database, chat_id, after_seq, head, limit)
        )
