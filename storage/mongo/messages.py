"""Messages: sending, changing and reading them."""

from asyncio import Future
from collections.abc import Sequence
from datetime import datetime

from domain.models import Appended, Draft, Message, Page, Permission, ReadMark
from storage.mongo import history
from storage.mongo.database import Database
from storage.mongo.follower import Follower
from storage.mongo.message_writes import Delete, Edit, Send
from storage.mongo.reads import Read
from storage.mongo.writer import Writer


class MongoMessages:
    """See `storage.ports.Messages`."""

    def __init__(self, database: Database, writer: Writer, follower: Follower) -> None:
        self._database = database
        self._writer = writer
        self._follower = follower

    def append(self, draft: Draft, rule: Permission) -> "Future[Appended]":
        return self._writer.submit(Send(draft, rule, self._writer.mark()))

    def edit(
        self, message_id: int, user_id: int, content: str, edited_at: datetime, rule: Permission
    ) -> "Future[Message]":
        return self._writer.submit(Edit(message_id, user_id, edited_at, rule, self._writer.mark(), content))

    def delete(
        self, message_id: int, user_id: int, deleted_at: datetime, rule: Permission
    ) -> "Future[Message]":
        return self._writer.submit(Delete(message_id, user_id, deleted_at, rule, self._writer.mark()))

    def mark_read(self, chat_id: int, user_id: int, up_to: int | None) -> "Future[ReadMark]":
        return self._writer.submit(Read(chat_id, user_id, up_to))

    async def get(self, message_id: int) -> Message | None:
        return await history.get(self._database, message_id)

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

    async def changed_since(
        self, chat_id: int, after_seq: int, *, limit: int, max_bytes: int | None = None
    ) -> Sequence[Message]:
        """Up to what was told: above that another server may have projected a change and not yet the one before it.
        A message missing here because it changed once more meanwhile comes with that change."""
        await self._follower.catch_up(chat_id)
        head = self._follower.head(chat_id)
        if head is None:
            return ()
        return await history.changed_between(self._database, chat_id, after_seq, head, limit, max_bytes)

    async def count_changed_since(self, chat_id: int, after_seq: int, *, limit: int) -> int:
        await self._follower.catch_up(chat_id)
        head = self._follower.head(chat_id)
        return (
            0
            if head is None
            else await history.count_between(self._database, chat_id, after_seq, head, limit)
        )
