"""Chats and who is in them."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from domain.acts import Act, entries_of_chat_deletion
from domain.changes import Change
from domain.decisions import chats, invites, members
from domain.decisions.admins import check_actor
from domain.decisions.files import change_avatar
from domain.decisions.settings import SettingsRequest
from domain.decisions.view import MemberView
from domain.models import Actor, Chat, ChatPreview, ChatState, ChatSummary, ChatType, Member, Role
from domain.refusals import Refusal
from storage.cursor import Cursor
from storage.mongo import avatar_notes, chat_list, default_chat, own_members
from storage.mongo.audit import write_server
from storage.mongo.blocks import check_new_chat
from storage.mongo.chat_writes import ChatWrite
from storage.mongo.database import Database
from storage.mongo.documents import chat_of, member_of, user_of
from storage.mongo.follower import Follower
from storage.mongo.own_settings import SettingsWrite
from storage.mongo.writer import Writer
from storage.promise import Promise


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
        created: tuple[Chat, bool] = await self._decide(
            None, lambda view: chats.create(view, name, chat_type, owner_id, member_ids, created_at)
        )
        chat, is_new = created
        if is_new and chat_type == "private":
            await check_new_chat(self._writer, chat.id, sorted({owner_id, *member_ids}))
        return created

    async def create_default(self, *, name: str, owner_id: int, created_at: datetime) -> None:
        chat_id = await default_chat.claim(self._database, self._writer.ids)
        await self._writer.submit(default_chat.creation(chat_id, name, owner_id, created_at))

    async def join_default(self, user_id: int, joined_at: datetime) -> None:
        chat_id = await default_chat.claimed(self._database)
        if chat_id is not None:
            await self._decide(chat_id, lambda view: default_chat.join(view, chat_id, user_id, joined_at))

    async def default_id(self) -> int | None:
        chat_id = await default_chat.claimed(self._database)
        if chat_id is None:
            return None
        await self._follower.catch_up(chat_id)
        chat = await self._database.get(self._database.chats, str(chat_id))
        return None if chat is None or chat["deleted"] else chat_id

    async def begin(self, chat_id: int) -> None:
        await self._follower.catch_up(chat_id)

    async def load(self, chat_id: int) -> ChatState | None:
        await self._follower.catch_up(chat_id)
        chat = await self._database.get(self._database.chats, str(chat_id))
        if chat is None or chat["deleted"]:
            return None
        found = await self._database.find(self._database.members, {"chat_id": chat_id, "gone": False})
        by_id = {document["user_id"]: member_of(document) for document in found}
        return ChatState(replace(self._published(chat_of(chat)), member_count=len(by_id)), by_id)

    def follow(self, chat_id: int) -> None:
        self._follower.follow(chat_id)

    def follows(self, chat_id: int) -> bool:
        return self._follower.follows(chat_id)

    def unfollow(self, chat_id: int) -> None:
        self._follower.unfollow(chat_id)

    async def summary(self, chat_id: int, user_id: int) -> ChatSummary:
        return self._published_summary(await chat_list.summary(self._database, chat_id, user_id))

    async def list_for(
        self,
        user_id: int,
        *,
        cursor: str | None,
        limit: int,
        max_bytes: int | None = None,
        hidden: bool = False,
    ) -> tuple[Sequence[ChatSummary], str | None]:
        after = None if cursor is None else Cursor.parse(cursor)
        summaries, following = await chat_list.page(
            self._database, user_id, after, limit, max_bytes, hidden=hidden
        )
        return [self._published_summary(summary) for summary in summaries], following

    async def ids_of(self, user_id: int) -> Sequence[int]:
        return await chat_list.ids_of(self._database, user_id)

    async def member(self, chat_id: int, user_id: int) -> Member | None:
        return await own_members.get(self._database, chat_id, user_id)

    async def change_settings(self, chat_id: int, user_id: int, request: SettingsRequest) -> Member:
        return await self._writer.submit(SettingsWrite(chat_id, user_id, request))

    async def has_member(self, chat_id: int, user_id: int) -> bool:
        return await chat_list.has_member(self._database, chat_id, user_id)

    async def actor(self, chat_id: int, user_id: int) -> Actor:
        return await chat_list.actor(self._database, chat_id, user_id)

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

    async def public(self, text: str, *, after_id: int, limit: int) -> tuple[Sequence[Chat], int | None]:
        found, following = await chat_list.public(self._database, text, after_id, limit)
        return [self._published(chat) for chat in found], following

    async def change(
        self,
        chat_id: int,
        user_id: int,
        at: datetime,
        *,
        name: str | None = None,
        is_public: bool | None = None,
        slow_mode_s: int | None = None,
    ) -> Chat:
        chat: Chat = await self._decide(
            chat_id,
            lambda view: chats.change(
                view, chat_id, user_id, at, name=name, is_public=is_public, slow_mode_s=slow_mode_s
            ),
        )
        return chat

    async def set_avatar(self, chat_id: int, user_id: int, avatar_id: str | None, at: datetime) -> Chat:
        decision = partial(change_avatar, chat_id=chat_id, user_id=user_id, avatar_id=avatar_id, at=at)
        if avatar_id is None:
            removed: Chat = await self._decide(chat_id, decision)
            return removed
        await avatar_notes.add(self._database, avatar_id, chat_id)
        try:
            chat: Chat = await self._decide(chat_id, decision)
        except Refusal:
            await avatar_notes.remove(self._database, avatar_id)
            raise
        await avatar_notes.remove(self._database, avatar_id)
        return chat

    async def delete(self, chat_id: int, user_id: int) -> None:
        await self._decide(chat_id, lambda view: chats.delete(view, chat_id, user_id))

    async def delete_any(self, chat_id: int, act: Act) -> None:
        if act.actor_id is not None:
            actor = await self._database.get(self._database.users, str(act.actor_id))
            check_actor(act, None if actor is None else user_of(actor))
        deleted: list[Chat] = []

        def decision(view: MemberView) -> Change:
            deleted[:] = filter(None, [view.find_chat(chat_id)])
            return chats.delete_any(view, chat_id)

        await self._decide(chat_id, decision)
        for entry in entries_of_chat_deletion(deleted[0], act):
            await write_server(self._database, entry)

    async def add_member(
        self, chat_id: int, actor_id: int, user_id: int, role: Role, joined_at: datetime
    ) -> Member:
        member: Member = await self._decide(
            chat_id, lambda view: members.add(view, chat_id, actor_id, user_id, role, joined_at)
        )
        return member

    async def join(self, chat_id: int, user_id: int, joined_at: datetime) -> None:
        await self._decide(chat_id, lambda view: invites.join(view, chat_id, user_id, joined_at))

    async def set_role(self, chat_id: int, actor_id: int, user_id: int, role: Role, at: datetime) -> Member:
        member: Member = await self._decide(
            chat_id, lambda view: members.set_role(view, chat_id, actor_id, user_id, role, at)
        )
        return member

    async def remove_member(self, chat_id: int, actor_id: int, user_id: int, at: datetime) -> None:
        await self._decide(chat_id, lambda view: members.remove(view, chat_id, actor_id, user_id, at))

    def _decide(self, chat_id: int | None, decision: Callable[[MemberView], object]) -> Promise[Any]:
        """Queues a decision and the change it makes; None for a chat that is to be created."""
        return self._writer.submit(ChatWrite(chat_id, decision))

    def _published(self, chat: Chat) -> Chat:
        """The chat with the head that was published, if this node has a replica: that of the document may be behind
        or ahead."""
        head = self._follower.head(chat.id)
        return chat if head is None else replace(chat, head_seq=head)

    def _published_summary(self, summary: ChatSummary) -> ChatSummary:
        return replace(summary, chat=self._published(summary.chat))
