"""The little of a store that the live state asks for, in memory."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from domain.models import Chat, ChatPreview, ChatState, Member
from storage.errors import Trouble, Unavailable
from storage.ports import Store

NOW = datetime(2025, 11, 23, 10, 0, 0, 123456, tzinfo=UTC)


class MemoryChats:
    """Chats by id, each with the ids of its members. With `is_away` nothing is answered, because of `trouble`."""

    def __init__(self, members: dict[int, Sequence[int]]) -> None:
        self.members = members
        self.unread: dict[int, int] = {}
        self.unread_mentions: dict[int, int] = {}
        self.read_seqs: dict[int, int] = {}
        self.is_away = False
        self.trouble: Trouble = "unreachable"
        self.asked: list[Any] = []

    def _ask(self, *question: Any) -> None:
        self.asked.append(question)
        if self.is_away:
            raise Unavailable("away", self.trouble)

    async def load(self, chat_id: int) -> ChatState | None:
        self._ask("load", chat_id)
        if chat_id not in self.members:
            return None
        members = self.members[chat_id]
        chat = Chat(chat_id, "Room", "group", NOW, members[0], 0, len(members))
        return ChatState(chat, {user_id: Member(user_id, "member", NOW) for user_id in members})

    async def begin(self, chat_id: int) -> None: ...

    def follow(self, chat_id: int) -> None: ...

    def follows(self, chat_id: int) -> bool:
        return True

    def unfollow(self, chat_id: int) -> None: ...

    async def ids_of(self, user_id: int) -> list[int]:
        self._ask("ids_of", user_id)
        return [chat_id for chat_id, members in self.members.items() if user_id in members]

    async def preview(self, chat_id: int, user_ids: Sequence[int]) -> ChatPreview | None:
        self._ask("preview", chat_id, sorted(user_ids))
        counts = {user_id: self.unread.get(user_id, 0) for user_id in user_ids}
        marks = {user_id: self.read_seqs.get(user_id, 0) for user_id in user_ids}
        mentions = {one: self.unread_mentions[one] for one in user_ids if one in self.unread_mentions}
        return ChatPreview(7, None, counts, marks, mentions)


def store_of(chats: MemoryChats) -> Store:
    return cast(Store, type("MemoryStore", (), {"chats": chats}))
