"""The chats in memory: who is in them and how far they have been told, so that no message needs a query."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from handlers.cache import Cache
from handlers.connections import Connection
from handlers.errors import not_found
from handlers.policy import PRESENCE_MEMBERS_MAX
from storage.models import Chat, ChatState, ChatType, Member
from storage.ports import Store

CHATS_KEPT = 20_000


class OpenChat:
    """A chat in memory. `head_seq` is the number of the last change handed to the room."""

    __slots__ = ("chat", "head_seq", "joined", "members", "room")

    def __init__(self, state: ChatState) -> None:
        self.chat = state.chat
        self.members: dict[int, Member] = dict(state.members)
        self.head_seq = state.chat.head_seq
        self.room = room_of(state.chat.id)
        self.joined: dict[str, Connection] = {}

    @property
    def id(self) -> int:
        return self.chat.id

    @property
    def chat_type(self) -> ChatType:
        return self.chat.chat_type

    @property
    def carries_presence(self) -> bool:
        return len(self.members) <= PRESENCE_MEMBERS_MAX

    def snapshot(self) -> Chat:
        """The chat as it is now."""
        return replace(self.chat, head_seq=self.head_seq, member_count=len(self.members))


def room_of(chat_id: int) -> str:
    """The room in which a chat's events are told."""
    return f"chat:{chat_id}"


class Directory:
    """Chats by id, loaded when first needed, kept current by the changes that are told."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._chats: Cache[int, OpenChat] = Cache(
            self._load, capacity=CHATS_KEPT, keep=lambda chat: bool(chat.joined), dropped=self._forget_members
        )
        self._chats_of: dict[int, set[int]] = {}

    async def get(self, chat_id: int) -> OpenChat | None:
        return await self._chats.get(chat_id)

    def peek(self, chat_id: int) -> OpenChat | None:
        """The chat if it is in memory."""
        return self._chats.peek(chat_id)

    async def current(self, chat_id: int) -> OpenChat | None:
        """The chat as it is in the turn in which this returns; does not suspend if it is in memory."""
        while (chat := self._chats.peek(chat_id)) is None:
            # What was loaded is looked for again: it may have been deleted before this resumed.
            if await self._chats.get(chat_id) is None:
                return None
        return chat

    async def entered_by(self, user_id: int, chat_id: int) -> OpenChat:
        """The chat, for a member of it. Raises: `ChatError` `not_found` for anybody else."""
        chat = await self.current(chat_id)
        if chat is None or user_id not in chat.members:
            raise not_found("chat")
        return chat

    def shared_with(self, user_id: int) -> Collection[OpenChat]:
        """The chats in memory to which the user belongs."""
        found = (self._chats.peek(chat_id) for chat_id in self._chats_of.get(user_id, ()))
        return [chat for chat in found if chat is not None]

    def told(self, chat_id: int, seq: int) -> None:
        """Change `seq` of a chat is being handed to its room."""
        chat = self._chats.peek(chat_id)
        if chat is not None:
            chat.head_seq = seq
        self._chats.stale(chat_id)

    def opened(self, state: ChatState) -> None:
        chat = OpenChat(state)
        self._chats.put(chat.id, chat)
        self._remember_members(chat.id, chat.members)

    def renamed(self, renamed: Chat) -> OpenChat | None:
        chat = self._chats.peek(renamed.id)
        if chat is not None:
            chat.chat = renamed
        self._chats.stale(renamed.id)
        return chat

    def deleted(self, chat_id: int) -> None:
        self._chats.forget(chat_id)

    def member_set(self, chat_id: int, member: Member) -> OpenChat | None:
        """A member came, or is no longer what he was."""
        chat = self._chats.peek(chat_id)
        if chat is not None:
            chat.members[member.user_id] = member
            self._remember_members(chat_id, (member.user_id,))
        self._chats.stale(chat_id)
        return chat

    def member_gone(self, chat_id: int, user_id: int) -> OpenChat | None:
        chat = self._chats.peek(chat_id)
        if chat is not None:
            chat.members.pop(user_id, None)
            self._forget_member(user_id, chat_id)
        self._chats.stale(chat_id)
        return chat

    async def _load(self, chat_id: int) -> OpenChat | None:
        state = await self._store.chats.load(chat_id)
        if state is None:
            return None
        chat = OpenChat(state)
        self._remember_members(chat_id, chat.members)
        return chat

    def _remember_members(self, chat_id: int, user_ids: Collection[int] | Mapping[int, Member]) -> None:
        for user_id in user_ids:
            self._chats_of.setdefault(user_id, set()).add(chat_id)

    def _forget_members(self, chat: OpenChat) -> None:
        for user_id in chat.members:
            self._forget_member(user_id, chat.id)

    def _forget_member(self, user_id: int, chat_id: int) -> None:
        chats = self._chats_of.get(user_id)
        if chats is not None:
            chats.discard(chat_id)
            if not chats:
                del self._chats_of[user_id]
