"""Chats: making, finding, naming and deleting them."""

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from domain.changes import ChatCreated, ChatRenamed
from domain.models import Chat, ChatPreview, ChatState, ChatSummary, ChatType, Member, Permission, Role
from storage.cursor import Cursor
from storage.errors import UnknownUsers
from storage.sqlite import chat_list, members
from storage.sqlite.database import Database
from storage.sqlite.removal import remove_chat
from storage.sqlite.rows import chat_of, micros
from storage.sqlite.users import check_known, is_active
from storage.sqlite.writer import Writer

_CHATS_AT_ONCE = 500
"""So many chats are gone through in one read: of 100 members each, that takes about 10 ms of a reader's thread."""


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
        return await self._database.write(_create, name, chat_type, owner_id, member_ids, created_at)

    async def load(self, chat_id: int) -> ChatState | None:
        state = await self._database.read(_load, chat_id)
        return state and replace(state, chat=self._told(state.chat))

    async def summary(self, chat_id: int, user_id: int) -> ChatSummary:
        return self._told_summary(await self._database.read(chat_list.summary, chat_id, user_id))

    async def list_for(
        self, user_id: int, *, cursor: str | None, limit: int, max_bytes: int | None = None
    ) -> tuple[Sequence[ChatSummary], str | None]:
        after = None if cursor is None else Cursor.parse(cursor)
        summaries, following = await self._database.read(chat_list.page, user_id, after, limit, max_bytes)
        return [self._told_summary(summary) for summary in summaries], following

    async def ids_of(self, user_id: int) -> Sequence[int]:
        return await self._database.read(chat_list.ids_of, user_id)

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
        return preview and replace(preview, head_seq=self._database.told_head(chat_id, preview.head_seq))

    async def rename(self, chat_id: int, user_id: int, name: str, rule: Permission) -> Chat:
        return await self._database.write(_rename, chat_id, user_id, name, rule)

    async def delete(self, chat_id: int, user_id: int, rule: Permission) -> None:
        await self._database.write(_delete, chat_id, user_id, rule)

    async def add_member(
        self, chat_id: int, actor_id: int, user_id: int, role: Role, joined_at: datetime, rule: Permission
    ) -> Member:
        return await self._database.write(members.add, chat_id, actor_id, user_id, role, joined_at, rule)

    async def set_role(
        self, chat_id: int, actor_id: int, user_id: int, role: Role, rule: Permission
    ) -> Member:
        return await self._database.write(members.set_role, chat_id, actor_id, user_id, role, rule)

    async def remove_member(self, chat_id: int, actor_id: int, user_id: int, rule: Permission) -> None:
        await self._database.write(members.remove, chat_id, actor_id, user_id, rule)

    def _told(self, chat: Chat) -> Chat:
        return replace(chat, head_seq=self._database.told_head(chat.id, chat.head_seq))

    def _told_summary(self, summary: ChatSummary) -> ChatSummary:
        return replace(summary, chat=self._told(summary.chat))


def _load(db: sqlite3.Connection, chat_id: int) -> ChatState | None:
    row = db.execute("SELECT * FROM chats WHERE id = ?", (chat_id,)).fetchone()
    return ChatState(chat_of(row), members.get_all(db, chat_id)) if row else None


def _current(writer: Writer, chat_id: int) -> Chat:
    """The chat with its head as it is in the transaction: the row's is raised only at the end."""
    row = writer.db.execute("SELECT * FROM chats WHERE id = ?", (chat_id,)).fetchone()
    return replace(chat_of(row), head_seq=writer.head(chat_id))


def _create(
    writer: Writer,
    name: str | None,
    chat_type: ChatType,
    owner_id: int,
    member_ids: Collection[int],
    created_at: datetime,
) -> tuple[Chat, bool]:
    db = writer.db
    user_ids = sorted({owner_id, *member_ids})
    check_known(db, user_ids)
    if not is_active(db, owner_id):  # banned since they asked for it: a chat needs an owner who counts
        raise UnknownUsers([owner_id])
    users_key = " ".join(map(str, user_ids)) if chat_type == "private" else None
    found = db.execute("SELECT id FROM chats WHERE users_key = ?", (users_key,)).fetchone()
    if found:
        return _current(writer, found[0]), False
    at = micros(created_at)
    chat_id = db.execute(
        "INSERT INTO chats (name, chat_type, created_at, created_by, member_count, activity, users_key)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (name, chat_type, at, owner_id, len(user_ids), at, users_key),
    ).lastrowid
    assert chat_id is not None
    everybody = {
        user_id: Member(user_id, "owner" if user_id == owner_id else "member", created_at)
        for user_id in user_ids
    }
    members.insert(writer, chat_id, everybody.values())
    chat = Chat(chat_id, name, chat_type, created_at, owner_id, head_seq=0, member_count=len(user_ids))
    writer.tell(ChatCreated(ChatState(chat, everybody)))
    return chat, True


def _rename(writer: Writer, chat_id: int, user_id: int, name: str, rule: Permission) -> Chat:
    writer.judge(rule, writer.actor(chat_id, user_id))
    chat = _current(writer, chat_id)
    if chat.name == name:
        return chat
    writer.db.execute("UPDATE chats SET name = ? WHERE id = ?", (name, chat_id))
    chat = replace(chat, name=name)
    writer.tell(ChatRenamed(chat))
    return chat


def _delete(writer: Writer, chat_id: int, user_id: int, rule: Permission) -> None:
    writer.judge(rule, writer.actor(chat_id, user_id))
    remove_chat(writer, chat_id)
