"""Chats and who is in them."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from domain.models import Chat, ChatPreview, ChatState, ChatSummary, ChatType, Member, Permission, Role
from storage.cursor import Cursor
from storage.mongo import chat_list
from storage.mongo.chat_writes import Close, Open, Rename
from storage.mongo.database import Database
from storage.mongo.documents import chat_of, member_of
from storage.mongo.follower import Follower
from storage.mongo.member_writes import Add, Remove, SetRole
from storage.mongo.writer import Writer


class MongoChats:
    """See `storage.ports.Chats`."""

    def __init__(self, database: Database, writer: Writer, follower: Follower) -> None:
        self._database = database
        self._writer = writer
        self._follower = follower

    async def create(
        self,
        *,
        name: str | None,
        chat_type: ChatType,
        owner_id: int,
        member_ids: Collection[int],
        created_at: datetime,
    ) -> tuple[Chat, bool]:
        user_ids = {owner_id, *member_ids}
        return await self._writer.submit(Open(name, chat_type, owner_id, user_ids, created_at))

    async def load(self, chat_id: int) -> ChatState | None:
        await self._follower.catch_up(chat_id)
        chat = await self._database.get(self._database.chats, str(chat_id))
        if chat is None or chat["deleted"]:
            return None
        found = await self._database.find(self._database.members, {"chat_id": chat_id, "gone": False})
        members = {document["user_id"]: member_of(document) for document in found}
        return ChatState(replace(self._told(chat_of(chat)), member_count=len(members)), members)

    async def summary(self, chat_id: int, user_id: int) -> ChatSummary:
        return self._told_summary(await chat_list.summary(self._database, chat_id, user_id))

    async def list_for(
        self, user_id: int, *, cursor: str | None, limit: int, max_bytes: int | None = None
    ) -> tuple[Sequence[ChatSummary], str | None]:
        after = None if cursor is None else Cursor.parse(cursor)
        summaries, following = await chat_list.page(self._database, user_id, after, limit, max_bytes)
        return [self._told_summary(summary) for summary in summaries], following

    async def ids_of(self, user_id: int) -> Sequence[int]:
        return await chat_list.ids_of(self._database, user_id)

    async def members(
        self, chat_id: int, *, cursor: str | None, limit: int
    ) -> tuple[Sequence[Member], str | None]:
        after = None if cursor is None else Cursor.parse(cursor)
        await self._follower.catch_up(chat_id)
        return await chat_list.members(self._database, chat_id, after, limit)

    async def sharing(self, user_id: int, among: Collection[int], *, members_max: int) -> Collection[int]:
        return await chat_list.sharing(self._database, user_id, among, members_max)

    async def preview(self, chat_id: int, user_ids: Collection[int]) -> ChatPreview | None:
        preview = await chat_list.preview(self._database, chat_id, user_ids)
        head = self._follower.head(chat_id)
        return preview if preview is None or head is None else replace(preview, head_seq=head)

    async def rename(self, chat_id: int, user_id: int, name: str, rule: Permission) -> Chat:
        return await self._writer.submit(Rename(chat_id, user_id, name, rule))

    async def delete(self, chat_id: int, user_id: int, rule: Permission) -> None:
        await self._writer.submit(Close(chat_id, user_id, rule))

    async def add_member(
        self, chat_id: int, actor_id: int, user_id: int, role: Role, joined_at: datetime, rule: Permission
    ) -> Member:
        return await self._writer.submit(Add(chat_id, actor_id, user_id, role, joined_at, rule))

    async def set_role(
        self, chat_id: int, actor_id: int, user_id: int, role: Role, rule: Permission
    ) -> Member:
        return await self._writer.submit(SetRole(chat_id, actor_id, user_id, role, rule))

    async def remove_member(self, chat_id: int, actor_id: int, user_id: int, rule: Permission) -> None:
        await self._writer.submit(Remove(chat_id, actor_id, user_id, rule))

    def _told(self, chat: Chat) -> Chat:
        """With the head that was told, where this server follows the chat: the document's may be behind or ahead."""
        head = self._follower.head(chat.id)
        return chat if head is None else replace(chat, head_seq=head)

    def _told_summary(self, summary: ChatSummary) -> ChatSummary:
        return replace(summary, chat=self._told(summary.chat))
