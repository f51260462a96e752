"""The chats in memory, with their members and heads, so that a message needs no query."""

from collections.abc import Callable, Collection
from datetime import datetime

from domain.models import Chat, ChatState, Member
from domain.refusals import Forbidden
from handlers.live.cache import Cache
from handlers.live.freshness import AlwaysFresh, Freshness
from handlers.live.loaded_chat import LoadedChat
from handlers.live.member_ids import compact
from handlers.wire.errors import not_found
from storage.ports import Store

CHATS_KEPT = 20_000
CHATS_KEPT_BYTES = 64 * 1024 * 1024
"""How many chats that nobody has joined are kept, and how much memory they may take: 3,300 of 100 members, or 7,400 of
1,000. Chats that somebody has joined stay in memory on top of that."""


class Directory:
    """Chats by id, loaded when first needed and kept current by the changes that are published."""

    def __init__(self, store: Store, freshness: Freshness | None = None) -> None:
        self._store = store
        self._freshness = freshness or AlwaysFresh()
        self._chats: Cache[int, LoadedChat] = Cache(
            self._load,
            capacity=CHATS_KEPT,
            size_of=LoadedChat.size,
            bytes_max=CHATS_KEPT_BYTES,
            added=self._remember,
            dropped=self._dropped,
        )
        self._heads: dict[int, int] = {}
        """By the id of a chat that is being loaded, the number of its last change published meanwhile, or 0."""
        self._chats_of: dict[int, set[int]] = {}
        """By user id, the chats in memory that carry presence."""

    def peek(self, chat_id: int) -> LoadedChat | None:
        """The chat if it is in memory; this does not count as a use."""
        return self._chats.peek(chat_id)

    async def current(self, chat_id: int) -> LoadedChat | None:
        """The chat as it is in the turn in which this returns, None if there is none. Does not suspend for a chat in
        memory."""
        while (chat := self._chats.use(chat_id)) is None:
            # The loaded chat is looked up again: it may have been deleted before this resumed.
            if await self._chats.get(chat_id) is None:
                return None
        return chat

    async def for_member(self, user_id: int, chat_id: int) -> LoadedChat:
        """The chat, for one of its members. Does not suspend for a chat in memory.

        Raises: `ChatError` `not_found` for anybody else, whether there is such a chat or not; `Unavailable` if it
        cannot be found out whether another node has just made them a member.
        """
        chat = self._chats.use(chat_id)
        if chat is not None and user_id in chat.members:
            return chat
        if chat is None:
            chat = await self.current(chat_id)
        if self._freshness.shared and (chat is None or user_id not in chat.members):
            await self._freshness.look()
            chat = await self.current(chat_id)
        if chat is None or user_id not in chat.members:
            raise not_found("chat")
        return chat

    async def for_writer(self, user_id: int, chat_id: int, at: datetime) -> LoadedChat:
        """The chat, for one of its members who wants to show the others something without a write. Does not suspend for
        a chat in memory in which the member has a voice.

        Raises: as `for_member`; `Forbidden` for a member who has no voice.
        """
        return await self._permitted(user_id, chat_id, lambda chat: chat.check_voice(user_id, at))

    async def for_sender(self, user_id: int, chat_id: int, at: datetime) -> LoadedChat:
        """The chat, for one of its members who wants to show the others what they will send. Does not suspend for a
        chat in memory in which the member may send.

        Raises: as `for_member`; `Forbidden` for a member who may not send.
        """
        return await self._permitted(user_id, chat_id, lambda chat: chat.check_send(user_id, at))

    async def _permitted(self, user_id: int, chat_id: int, check: Callable[[LoadedChat], None]) -> LoadedChat:
        chat = await self.for_member(user_id, chat_id)
        try:
            check(chat)
        except Forbidden:
            if not self._freshness.shared:
                raise
            await self._freshness.look()  # another node may have just permitted it
            chat = await self.for_member(user_id, chat_id)
            check(chat)
        return chat

    async def for_reader(self, user_id: int, chat_id: int) -> LoadedChat:
        """The chat, for one of its members who is going to read it. Does not suspend for a chat in memory, unless other
        servers write to the store: then the store is asked whether one of them has removed the member.

        Raises: as `for_member`.
        """
        chat = await self.for_member(user_id, chat_id)
        if self._freshness.shared:
            if not await self._store.chats.has_member(chat_id, user_id):
                await self._freshness.look()
            chat = await self.for_member(user_id, chat_id)
        return chat

    def shared_with(self, user_id: int) -> Collection[LoadedChat]:
        """The chats in memory that carry presence and have the user as a member."""
        found = (self._chats.peek(chat_id) for chat_id in self._chats_of.get(user_id, ()))
        return [chat for chat in found if chat is not None]

    def pin(self, chat: LoadedChat) -> None:
        """Keeps a chat in memory: somebody has joined it."""
        if self._chats.peek(chat.id) is chat:
            self._chats.pin(chat.id)

    def unpin(self, chat: LoadedChat) -> None:
        """Ends `pin`: nobody is in the room any more."""
        if self._chats.peek(chat.id) is chat:
            self._chats.unpin(chat.id)

    def published(self, chat_id: int, seq: int) -> None:
        """Called when change `seq` of a chat is published to its room."""
        chat = self._chats.peek(chat_id)
        if chat is not None:
            chat.head_seq = seq
        elif chat_id in self._heads:
            self._heads[chat_id] = seq

    def created(self, state: ChatState, *, needed: bool) -> None:
        """Called when a chat is created; `needed`: a member is connected here. One that is in memory stays: it was
        loaded after the commit, and somebody may have joined it. One whose other changes are published in part already
        is loaded when somebody asks for it: the state of its creation lacks them."""
        chats, chat_id = self._store.chats, state.chat.id
        if self._chats.peek(chat_id) is None and chats.follows(chat_id):
            if needed:
                self._chats.put(chat_id, LoadedChat(state, self))
            else:
                chats.unfollow(chat_id)

    def chat_set(self, changed: Chat) -> None:
        """Called when the name or a setting of a chat changes."""
        chat = self._chats.peek(changed.id)
        if chat is not None:
            chat.chat = changed
            self._chats.resized(changed.id)
        self._chats.stale(changed.id)

    def deleted(self, chat_id: int) -> None:
        """Called when a chat is deleted."""
        self._chats.forget(chat_id)

    def member_set(self, chat_id: int, member: Member) -> None:
        """Called when a member is added, or has another role or voice."""
        chat = self._chats.peek(chat_id)
        if chat is not None:
            chat.set_member(member)
            if member.user_id not in chat.members:
                self._forget(chat)
                chat.members.add(member.user_id)
                self._resized(chat)
        self._chats.stale(chat_id)

    def seen_by_both(self, chat_id: int) -> None:
        """Called when the second member of a private chat comes to see it."""
        chat = self._chats.peek(chat_id)
        if chat is not None and chat.newcomer is not None:
            chat.members.add(chat.newcomer)
            self._resized(chat)
        self._chats.stale(chat_id)

    def blocked(self, chat_id: int, user_id: int, *, blocked: bool) -> None:
        """Called when a member of a private chat has blocked the other one, or has lifted the block."""
        chat = self._chats.peek(chat_id)
        if chat is not None:
            chat.set_blocked(user_id, blocked)
        self._chats.stale(chat_id)

    def member_gone(self, chat_id: int, user_id: int) -> None:
        """Called when a member is removed."""
        chat = self._chats.peek(chat_id)
        if chat is not None and user_id in chat.members:
            self._forget(chat)
            chat.members.discard(user_id)
            chat.forget_member(user_id)
            self._resized(chat)
        self._chats.stale(chat_id)

    async def _load(self, chat_id: int) -> LoadedChat | None:
        if self._freshness.shared:
            # Members here hear of what other nodes did to the chat before anybody joins it.
            await self._store.chats.begin(chat_id)
            await self._freshness.look()
        self._chats.reads_now(chat_id)
        self._heads[chat_id] = 0
        try:
            state = await self._store.chats.load(chat_id)
        finally:
            head_seq = self._heads.pop(chat_id)
        if state is None:
            self._store.chats.unfollow(chat_id)
            return None
        self._store.chats.follow(chat_id)
        return LoadedChat(state, self, head_seq)

    def _dropped(self, chat: LoadedChat) -> None:
        self._store.chats.unfollow(chat.id)
        self._forget(chat)

    def _resized(self, chat: LoadedChat) -> None:
        chat.members = compact(chat.members)
        self._remember(chat)
        self._chats.resized(chat.id)

    def _remember(self, chat: LoadedChat) -> None:
        if chat.carries_presence:
            for user_id in chat.members:
                self._chats_of.setdefault(user_id, set()).add(chat.id)

    def _forget(self, chat: LoadedChat) -> None:
        if not chat.carries_presence:
            return
        for user_id in chat.members:
            chats = self._chats_of.get(user_id)
            if chats is not None:
                chats.discard(chat.id)
                if not chats:
                    del self._chats_of[user_id]
