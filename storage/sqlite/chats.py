"""Chats: creating, finding, changing and deleting them."""

import sqlite3
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from domain.acts import Act, entries_of_chat_deletion
from domain.decisions import chats, invites
from domain.decisions import members as decisions
from domain.decisions.files import change_avatar
from domain.decisions.settings import SettingsRequest, change_settings
from domain.decisions.view import MemberView
from domain.models import Actor, Chat, ChatPreview, ChatState, ChatSummary, ChatType, Member, Role
from storage.cursor import Cursor
from storage.promise import Promise
from storage.sqlite import account_acts, audit_rows, chat_list, default_chat, members, public_chats
from storage.sqlite.database import Database
from storage.sqlite.message_view import get_actor
from storage.sqlite.rows import chat_of
from storage.sqlite.writer import Writer

_CHATS_AT_ONCE = 500
"""How many chats one read looks through: with 100 members each, that takes about 10 ms of a reader's thread."""


class SqliteChats:
    """See `storage.ports.Chats`."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
            lambda view: chats.create(view, name, chat_type, owner_id, member_ids, created_at)
        )
        return created

    async def create_default(self, *, name: str, owner_id: int, created_at: datetime) -> None:
        await self._database.write(default_chat.create, name, owner_id, created_at)

    async def join_default(self, user_id: int, joined_at: datetime) -> None:
        await self._database.write(default_chat.join, user_id, joined_at)

    async def default_id(self) -> int | None:
        return await self._database.read(default_chat.existing)

    async def load(self, chat_id: int) -> ChatState | None:
        state = await self._database.read(_load, chat_id)
        return state and replace(state, chat=self._published(state.chat))

    async def begin(self, chat_id: int) -> None:
        """Nobody else writes: all changes are published here."""

    def follow(self, chat_id: int) -> None:
        """Nobody else writes: all changes are published here."""

    def follows(self, chat_id: int) -> bool:
        """No other server writes, so all changes are published in order."""
        return True

    def unfollow(self, chat_id: int) -> None:
        """No other server writes, so all changes are published here anyway."""

    async def summary(self, chat_id: int, user_id: int) -> ChatSummary:
        return self._published_summary(await self._database.read(chat_list.summary, chat_id, user_id))

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
        summaries, following = await self._database.read(
            chat_list.page, user_id, after, limit, max_bytes, hidden
        )
        return [self._published_summary(summary) for summary in summaries], following

    async def ids_of(self, user_id: int) -> Sequence[int]:
        return await self._database.read(chat_list.ids_of, user_id)

    async def member(self, chat_id: int, user_id: int) -> Member | None:
        return await self._database.read(members.get, chat_id, user_id)

    async def change_settings(self, chat_id: int, user_id: int, request: SettingsRequest) -> Member:
        member: Member = await self._database.write(
            lambda writer: writer.carry_out(change_settings(writer.chats, chat_id, user_id, request))
        )
        return member

    async def has_member(self, chat_id: int, user_id: int) -> bool:
        return await self._database.read(chat_list.has_member, chat_id, user_id)

    async def actor(self, chat_id: int, user_id: int) -> Actor:
        return await self._database.read(get_actor, chat_id, user_id)

    async def members(
        self, chat_id: int, *, cursor: str | None, limit: int
    ) -> tuple[Sequence[Member], str | None]:
        after = None if cursor is None else Cursor.parse(cursor)
        return await self._database.read(members.page, chat_id, after, limit)

    async def sharing(self, user_id: int, among: Collection[int], *, members_max: int) -> Collection[int]:
        chat_ids = await self._database.read(chat_list.small_chats_of, user_id, members_max)
        found: set[int] = set()
        for start in range(0, len(chat_ids), _CHATS_AT_ONCE):
            some = chat_ids[start : start + _CHATS_AT_ONCE]
            found.update(await self._database.read(chat_list.members_among, some, among))
        return found

    async def preview(self, chat_id: int, user_ids: Collection[int]) -> ChatPreview | None:
        preview = await self._database.read(chat_list.preview, chat_id, user_ids)
        return preview and replace(preview, head_seq=self._database.published_head(chat_id, preview.head_seq))

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
            lambda view: chats.change(
                view, chat_id, user_id, at, name=name, is_public=is_public, slow_mode_s=slow_mode_s
            )
        )
        return chat

    async def set_avatar(self, chat_id: int, user_id: int, avatar_id: str | None, at: datetime) -> Chat:
        chat: Chat = await self._decide(lambda view: change_avatar(view, chat_id, user_id, avatar_id, at))
        return chat

    async def delete(self, chat_id: int, user_id: int) -> None:
        await self._decide(lambda view: chats.delete(view, chat_id, user_id))

    async def delete_any(self, chat_id: int, act: Act) -> None:
        await self._database.write(_delete_any, chat_id, act)

    async def add_member(
        self, chat_id: int, actor_id: int, user_id: int, role: Role, joined_at: datetime
    ) -> Member:
        member: Member = await self._decide(
            lambda view: decisions.add(view, chat_id, actor_id, user_id, role, joined_at)
        )
        return member

    async def join(self, chat_id: int, user_id: int, joined_at: datetime) -> None:
        await self._decide(lambda view: invites.join(view, chat_id, user_id, joined_at))

    async def public(self, text: str, *, after_id: int, limit: int) -> tuple[Sequence[Chat], int | None]:
        found, following = await self._database.read(public_chats.page, text, after_id, limit)
        return [self._published(chat) for chat in found], following

    async def set_role(self, chat_id: int, actor_id: int, user_id: int, role: Role, at: datetime) -> Member:
        member: Member = await self._decide(
            lambda view: decisions.set_role(view, chat_id, actor_id, user_id, role, at)
        )
        return member

    async def remove_member(self, chat_id: int, actor_id: int, user_id: int, at: datetime) -> None:
        await self._decide(lambda view: decisions.remove(view, chat_id, actor_id, user_id, at))

    def _decide(self, decision: Callable[[MemberView], object]) -> Promise[Any]:
        """Queues a decision and the change it makes."""
        return self._database.write(lambda writer: writer.carry_out(decision(writer.chats)))

    def _published(self, chat: Chat) -> Chat:
        return replace(chat, head_seq=self._database.published_head(chat.id, chat.head_seq))

    def _published_summary(self, summary: ChatSummary) -> ChatSummary:
        return replace(summary, chat=self._published(summary.chat))


def _load(db: sqlite3.Connection, chat_id: int) -> ChatState | None:
    row = db.execute("SELECT * FROM chats WHERE id = ?", (chat_id,)).fetchone()
    return ChatState(chat_of(row), members.get_all(db, chat_id)) if row else None


def _delete_any(writer: Writer, chat_id: int, act: Act) -> None:
    account_acts.check(writer, act)
    chat = writer.chats.find_chat(chat_id)
    writer.carry_out(chats.delete_any(writer.chats, chat_id))
    if chat is not None:
        audit_rows.write(writer.db, None, entries_of_chat_deletion(chat, act))
